import { fileURLToPath } from "node:url";
import type { BrowserContext } from "playwright-core";
import { openBrowser, type OpenedBrowser, type Page } from "./browser.ts";
import { type LiveStudio, liveStudio } from "./live_studio.ts";
import type { TestClient } from "./test_studio.ts";

/** Pages with a module of the client in a real browser, on the origin of a real studio: for what needs no element. */
export interface ModulePages extends AsyncDisposable {
  readonly world: LiveStudio;
  readonly opened: OpenedBrowser;
  /** Another browser profile, signed in as `client`; its pages share storage, locks and channels. */
  profile(client: TestClient): Promise<BrowserContext>;
  /** A page whose `globalThis.module` is what the module exports. */
  open(profile: BrowserContext): Promise<Page>;
}

/** Bundles the module ("client/core/upload.ts") and opens a studio and a browser for it. */
export async function openModulePages(module: string): Promise<ModulePages> {
  const [text, world, opened] = await Promise.all([bundle(module), liveStudio(), openBrowser()]);
  return {
    world,
    opened,
    profile: async (client) => {
      const context = await opened.browser.newContext({
        extraHTTPHeaders: { authorization: `Bearer ${client.token}` },
      });
      // On the studio's own origin, so that its cookies, storage and API are those of the client.
      await context.route(
        `${world.url}/test/page`,
        (route) =>
          route.fulfill({
            contentType: "text/html",
            body: "<!doctype html><title>Test</title><body></body>",
          }),
      );
      await context.route(
        `${world.url}/test/module.js`,
        (route) => route.fulfill({ contentType: "text/javascript", body: text }),
      );
      return context;
    },
    open: async (profile) => {
      const page = await profile.newPage();
      await page.goto(`${world.url}/test/page`);
      await loadModule(page);
      return page;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Loads the module into the page, also after a reload. */
export async function loadModule(page: Page): Promise<void> {
  await page.evaluate(async (path) => {
    Object.assign(globalThis, { module: await import(path) });
  }, "/test/module.js");
}

async function bundle(module: string): Promise<string> {
  const root = fileURLToPath(import.meta.resolve("#client/")).replace(/client[\\/]$/, "");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=browser", `${root}${module}`],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot bundle ${module}: ${new TextDecoder().decode(stderr)}`);
}
