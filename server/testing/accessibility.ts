import axe from "axe-core";
import type { Page } from "./browser.ts";

/** What keeps people from using the page as it comes to rest (WCAG 2.2 A and AA), a line each; shadow roots included. */
export async function findBarriers(page: Page): Promise<string[]> {
  // Not as a script tag: the studio's own policy forbids what it did not send.
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    // Half-way through a change of theme a button's ground is of one and its text of the other.
    const rootsIn = (root: Document | ShadowRoot): (Document | ShadowRoot)[] => [
      root,
      ...[...root.querySelectorAll("*")].flatMap((one) => one.shadowRoot ? rootsIn(one.shadowRoot) : []),
    ];
    const endless = (one: Animation) => one.effect?.getComputedTiming().endTime === Infinity;
    const moving = () =>
      rootsIn(document).flatMap((root) => root.getAnimations())
        .filter((one) => one.playState === "running" && !endless(one));
    for (let motions = moving(); motions.length > 0; motions = moving()) {
      await Promise.allSettled(motions.map((one) => one.finished));
    }

    // deno-lint-ignore no-explicit-any -- the global that the script above has made in the page
    const { violations } = await (globalThis as any).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.flatMap((
      { id, nodes }: { id: string; nodes: { target: unknown; failureSummary: string }[] },
    ) => nodes.map(({ target, failureSummary }) => `${id} ${JSON.stringify(target)} ${failureSummary}`));
  });
}
