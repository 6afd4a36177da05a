import { createApp } from "#server/http/create_app.ts";
import { serveClient } from "#server/http/static.ts";
import { buildClient, CLIENT_DIST } from "#tasks/build_client.ts";
import { type Browser, openBrowser, type WatchedPage } from "./browser.ts";

/** The built client, served with the studio's headers but no API: for elements that only show what they are given. */
export interface ClientPages extends AsyncDisposable {
  readonly browser: Browser;
  readonly url: string;
  /** A page with `tag` in it, made by the bundled script whose name starts with `part`. */
  open(tag: string, part: string, view?: PageView): Promise<WatchedPage>;
}

export interface PageView {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: "dark" | "light";
  readonly hasReducedMotion?: boolean;
}

export async function openClientPages(): Promise<ClientPages> {
  await buildClient();
  const app = createApp();
  serveClient(app, CLIENT_DIST);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
  const url = `http://127.0.0.1:${server.addr.port}`;
  const opened = await openBrowser();
  return {
    browser: opened.browser,
    url,
    open: async (tag, part, view = {}) => {
      const watched = await opened.newPage({
        viewport: { width: view.width ?? 1280, height: view.height ?? 720 },
        reducedMotion: view.hasReducedMotion ? "reduce" : "no-preference",
      });
      const { page } = watched;
      await page.addInitScript(
        (theme) => localStorage.setItem("seedloop.theme", theme),
        view.theme ?? "dark",
      );
      await page.goto(url);
      const script = await findScript(part);
      await page.evaluate(async ({ tag, script }) => {
        await import(script);
        const main = document.createElement("main");
        main.append(document.createElement(tag));
        document.querySelector("st-app")?.replaceWith(main);
      }, { tag, script: `/${script}` });
      return watched;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

/** The newest, where an older build has left one of that name too. */
async function findScript(part: string): Promise<string> {
  const { files } = JSON.parse(await Deno.readTextFile(`${CLIENT_DIST}/.build.json`)) as { files: string[] };
  const name = files.find((file) => file.startsWith(part) && file.endsWith(".js"));
  if (!name) throw new Error(`Cannot find the script ${part}: ${files.join(", ")}`);
  return name;
}
