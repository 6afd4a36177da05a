import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { stagesOf, withJourney } from "#tasks/e2e/journey.ts";

/** What README shows of the way. */
const SHOWN = ["first_run", "portrait", "compare", "plan", "live", "cut", "final"];
/** Until pictures have faded in. */
const REST_MS = 900;

/** Walks the main path and writes README's pictures of it into `folder`, 1600 × 1000, dark. Returns their names. */
export async function shootJourney(folder: string): Promise<string[]> {
  const names: string[] = [];
  await withJourney({
    size: { width: 768, height: 512 },
    look: async (name, page) => {
      if (!SHOWN.includes(name)) return;
      await page.waitForTimeout(REST_MS);
      const picture = await sharp(await page.screenshot()).png({ palette: true, quality: 95 }).toBuffer();
      await Deno.writeFile(join(folder, `journey_${name}.png`), new Uint8Array(picture));
      names.push(`journey_${name}.png`);
    },
  }, async (journey) => {
    for (const { walk } of stagesOf(journey)) await walk();
  });
  return names;
}

if (import.meta.main) {
  const folder = fileURLToPath(import.meta.resolve("#client/screenshots/"));
  for (const name of await shootJourney(folder)) console.log(name);
}
