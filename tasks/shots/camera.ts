import { join } from "node:path";
import type { Page } from "#server/testing/browser.ts";
import { delay } from "#server/core/time.ts";
import type { ShotsOptions } from "./options.ts";

/** One picture that was taken. */
export interface Picture {
  readonly screen: string;
  readonly state: string;
  readonly theme: string;
  readonly size: string;
  /** Relative to the folder of the page. */
  readonly file: string;
}

/** No request on its way for so long: what is shown is there. */
const QUIET_MS = 350;
/** A screen that goes on asking is taken as it is. */
const PATIENCE_MS = 8_000;

/** Takes a screen of a page in each theme and size. */
export class Camera {
  readonly pictures: Picture[] = [];
  /** What did not come about, and which picture it was for. */
  readonly faults: string[] = [];
  /** "clip running": all that could be taken, wanted or not. */
  readonly names = new Set<string>();
  readonly #options: ShotsOptions;
  readonly #busy = new WeakMap<Page, Set<unknown>>();

  constructor(options: ShotsOptions) {
    this.#options = options;
  }

  /** Counts what the page asks for from now on. */
  watch(page: Page): void {
    const open = new Set<unknown>();
    this.#busy.set(page, open);
    page.on("request", (request) => open.add(request));
    page.on("requestfinished", (request) => open.delete(request));
    page.on("requestfailed", (request) => open.delete(request));
  }

  isWanted(screen: string, state: string): boolean {
    this.names.add(`${screen} ${state}`);
    return this.#options.only === undefined || `${screen} ${state}`.includes(this.#options.only);
  }

  /** Goes to where `arrive` leads and takes it. What goes wrong is kept in `faults`, and the next one goes on. */
  async take(page: Page, screen: string, state: string, arrive: () => Promise<unknown>): Promise<void> {
    const isTaken = this.pictures.some((picture) => picture.screen === screen && picture.state === state);
    if (isTaken || !this.isWanted(screen, state)) return;
    const [size] = this.#options.sizes;
    try {
      if (size) await page.setViewportSize(size);
      await arrive();
    } catch (error) {
      this.faults.push(
        `${screen}, ${state}: ${error instanceof Error ? error.message.split("\n")[0] : error}`,
      );
    }
    for (const [index, size] of this.#options.sizes.entries()) {
      await page.setViewportSize(size);
      // Back and forth, so that a theme changes once for each size.
      const themes = index % 2 === 0 ? this.#options.themes : this.#options.themes.toReversed();
      for (const theme of themes) {
        await page.evaluate((theme) => void (document.documentElement.dataset.theme = theme), theme);
        await this.settle(page);
        const name = `${screen} ${state} ${theme} ${size.width}`.replaceAll(/[^a-z0-9]+/gi, "_");
        const file = `${name}.png`;
        await page.screenshot({ path: join(this.#options.out, file), animations: "disabled" });
        this.pictures.push({ screen, state, theme, size: `${size.width} × ${size.height}`, file });
      }
    }
  }

  /** Resolves when nothing is on its way any more and what came is drawn. */
  async settle(page: Page): Promise<void> {
    const open = this.#busy.get(page);
    const end = Date.now() + PATIENCE_MS;
    for (let quietSince = Date.now(); Date.now() < end && Date.now() - quietSince < QUIET_MS;) {
      await delay(50);
      if (open && open.size > 0) quietSince = Date.now();
    }
    await page.evaluate(async () => {
      await document.fonts.ready;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    });
  }
}
