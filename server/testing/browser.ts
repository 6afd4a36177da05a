import { tmpdir } from "node:os";
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

/** Two browsers, each with a studio, share two cores: only a step that never comes should be given up. */
export const STEP_TIMEOUT_MS = 90_000;

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
  const packaged = found === undefined ? unpackedBefore() ?? await unpack() : undefined;
  const executablePath = found ?? packaged?.path;
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    // Playwright keeps each run's profile in an empty folder of its own. The package's own flags are left out: with
    // them all is one process, which ends with the first page that is closed or crashes, and no origin is apart.
    args: [...FLAGS],
    ...(packaged ? { env: { ...Deno.env.toObject(), ...packaged.env } } : {}),
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return {
    browser,
    source: executablePath ?? "",
    newPage: async (options) => {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(STEP_TIMEOUT_MS);
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

/** Where the tests' runner says that it has unpacked one, as JSON of Unpacked. */
const UNPACKED = "SEEDLOOP_UNPACKED_CHROMIUM";

/**
 * What to hand to processes that will open browsers: the packaged Chromium, unpacked once, where the machine has none.
 * Unpacking works through this process's environment, which test files that run beside each other share.
 */
export async function unpackOnce(): Promise<Record<string, string>> {
  return await findInstalled() === undefined ? { [UNPACKED]: JSON.stringify(await unpack()) } : {};
}

function unpackedBefore(): Unpacked | undefined {
  const told = Deno.env.get(UNPACKED);
  return told === undefined ? undefined : JSON.parse(told) as Unpacked;
}

interface Unpacked {
  readonly path: string;
  /** Where it finds the shared libraries and fonts that a bare system lacks: the package brings them. */
  readonly env: Record<string, string>;
}

/** What the package sets for itself where it unpacks its libraries; our own children must not see it. */
const SET_BY_PACKAGE = ["LD_LIBRARY_PATH", "FONTCONFIG_PATH", "HOME", "TMPDIR"] as const;

async function unpack(): Promise<Unpacked> {
  const before = SET_BY_PACKAGE.map((name) => [name, Deno.env.get(name)] as const);
  try {
    // The package unpacks its shared libraries only where it believes to be on that service.
    Deno.env.set("AWS_LAMBDA_JS_RUNTIME", "nodejs22.x");
    // A folder of its own: where it finds an unpacked browser it does not look whether the libraries are there too.
    const folder = `${tmpdir()}/seedloop_chromium_153.0.0`;
    await Deno.mkdir(folder, { recursive: true });
    Deno.env.set("TMPDIR", folder);
    const { default: packaged } = await import(PACKAGED);
    const path = await packaged.executablePath();
    const env = Object.fromEntries(
      SET_BY_PACKAGE.filter((name) => name !== "TMPDIR").flatMap((name) => {
        const value = Deno.env.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    // Its own settings name the folder of fonts that is there when nothing else was asked for.
    const fonts = `${folder}/fonts_here.conf`;
    await Deno.writeTextFile(
      fonts,
      `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">` +
        `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts_cache</cachedir></fontconfig>`,
    );
    return { path, env: { ...env, FONTCONFIG_FILE: fonts } };
  } catch (error) {
    throw new Error(
      `Cannot open a browser: there is no Chromium here and none came from npm (${
        errorMessage(error)
      }). Install one, or name it in SEEDLOOP_CHROMIUM`,
    );
  } finally {
    Deno.env.delete("AWS_LAMBDA_JS_RUNTIME");
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}
