import { assert, assertEquals } from "@std/assert/mod.js";
import { contrastRatio, fromHex, toHex } from "#server/core/colour.ts";
import { measurePairs } from "#server/core/contrast.ts";
import { compileAll, readThemes } from "#tasks/tokens.ts";

Deno.test("the compiled tokens are what the token files say", async () => {
  for (const [name, text] of await compileAll()) {
    const url = new URL(import.meta.resolve(`#client/design/${name}`));
    assertEquals(await Deno.readTextFile(url), text, "run deno task tokens");
  }
});

Deno.test("every text and shape stands out from every ground, in every theme", async () => {
  const themes = await readThemes();
  assertEquals(themes.map(({ name }) => name), [
    "dark",
    "light",
    "contrast-dark",
    "contrast-light",
    "review",
  ]);
  const faults: string[] = [];
  for (const { name, tokens, isHighContrast } of themes) {
    const pairs = measurePairs(tokens, isHighContrast);
    assert(pairs.length >= 40, `only ${pairs.length} pairs in ${name}`);
    for (const { text, ground, tint, ratio, needed } of pairs) {
      if (ratio >= needed) continue;
      const on = tint ? `${tint.share} ${tint.colour} over ${ground}` : ground;
      faults.push(`${name}: ${text} on ${on} ${ratio.toFixed(2)} of ${needed}`);
    }
  }
  assertEquals(faults, []);
});

Deno.test("the review theme has no colour but in notes", async () => {
  const review = (await readThemes()).find(({ name }) => name === "review");
  const coloured = [...review?.tokens.values() ?? []].filter(({ type, value }) =>
    type === "color" && (value as { components?: readonly number[] }).components?.[1] !== 0
  );
  assertEquals(coloured.map(({ path }) => path), ["color.note"]);
});

Deno.test("colours: white on black is 21, and a hex colour comes back", () => {
  const at = (lightness: number) =>
    ({ colorSpace: "oklch", components: [lightness, 0, 0] as [number, number, number] }) as const;
  assert(Math.abs(contrastRatio(at(1), at(0)) - 21) < 0.01);
  // W3C's own example of a pair that just passes.
  assert(Math.abs(contrastRatio(fromHex("#767676"), fromHex("#ffffff")) - 4.54) < 0.01);
  for (const hex of ["#00d1e0", "#ff5c4d", "#808080", "#000000", "#ffffff"]) {
    assertEquals(toHex(fromHex(hex)), hex);
  }
});
