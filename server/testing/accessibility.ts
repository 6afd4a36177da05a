import axe from "axe-core";
import type { Page } from "./browser.ts";

/** What keeps people from using the page as it is now (WCAG 2.2 A and AA), a line each; shadow roots included. */
export async function findBarriers(page: Page): Promise<string[]> {
  // Not as a script tag: the studio's own policy forbids what it did not send.
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- the global that the script above has made in the page
    const { violations } = await (globalThis as any).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.flatMap((
      { id, nodes }: { id: string; nodes: { target: unknown; failureSummary: string }[] },
    ) => nodes.map(({ target, failureSummary }) => `${id} ${JSON.stringify(target)} ${failureSummary}`));
  });
}
