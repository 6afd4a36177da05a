import type { BrowserContext } from "playwright-core";
import { bundle } from "#tasks/bundle.ts";
import { openBrowser, type OpenedBrowser, type Page, STEP_TIMEOUT_MS } from "./browser.ts";
import { type LiveStudio, liveStudio } from "./live_studio.ts";
import type { TestClient } from "./test_studio.ts";

/** Pages with a module of the client in a real browser, on the origin of a real studio: for what needs no element. */
export interface ModulePages extends AsyncDisposable {
  readonly world: LiveStudio;
  readonly opened: OpenedBrowser;
  /** Another browser profile, signed in as `client`; its pages share storage, locks and channels. */
  profile(client: TestClient): Promise<BrowserContext>;
  /** A page whose `globalThis.module` is what the modules export. */
  open(profile: BrowserContext): Promise<Page>;
}

/** Bundles the modules ("client/core/upload.ts") into one and opens a studio and a browser for it. */
export async function openModulePages(...modules: readonly string[]): Promise<ModulePages> {
  const [text, world, opened] = await Promise.all([
    bundle({ text: modules.map((name) => `export * from "#${name}";`).join("\n") }),
    liveStudio(),
    openBrowser(),
  ]);
  return {
    world,
    opened,
    profile: async (client) => {
      const context = await opened.browser.newContext({
        // The page that is borrowed allows itself no scripts.
        bypassCSP: true,
        extraHTTPHeaders: { authorization: `Bearer ${client.token}` },
      });
      context.setDefaultTimeout(STEP_TIMEOUT_MS);
      await context.route(
        `${world.url}/test/module.js`,
        (route) => route.fulfill({ contentType: "text/javascript", body: text }),
      );
      return context;
    },
    open: async (profile) => {
      const page = await profile.newPage();
      // Any page that really comes from the studio: a made-up one may open no socket to this machine.
      await page.goto(`${world.url}/api/docs`);
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
