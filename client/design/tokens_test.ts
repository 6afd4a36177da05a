import { assert, assertEquals } from "@std/assert/mod.js";
import { compileTokens, readTokens } from "#tasks/tokens.ts";

type Theme = "dark" | "light";

const GROUNDS = ["ground", "surface", "raised", "hover"] as const;
/** Texts by the contrast that they need (WCAG 2.2: 4.5 for text, 3 for shapes). */
const NEEDS: Readonly<Record<string, number>> = {
  text: 7,
  "text-quiet": 4.5,
  ion: 4.5,
  lime: 3,
  amber: 3,
  ember: 3,
  plasma: 3,
};

/** Relative luminance of "oklch(L C H)", by Ottosson's matrices. */
function luminance(colour: string): number {
  const [lightness = 0, chroma = 0, hue = 0] = (/^oklch\((.*)\)$/.exec(colour)?.[1] ?? "").split(" ").map(
    Number,
  );
  const a = chroma * Math.cos(hue * Math.PI / 180);
  const b = chroma * Math.sin(hue * Math.PI / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (value: number) => Math.min(1, Math.max(0, value));
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

Deno.test("tokens.css is what tokens.json says", async () => {
  const css = await Deno.readTextFile(new URL(import.meta.resolve("#client/design/tokens.css")));
  assertEquals(css, compileTokens(await readTokens()), "run deno task tokens");
});

Deno.test("every text and shape stands out from every ground, in both themes and with more contrast", async () => {
  const { color = {} } = await readTokens();
  const valueOf = (name: string, theme: Theme, isMore: boolean): string => {
    const value = color[name]?.$value;
    if (typeof value !== "object" || !("dark" in value)) {
      throw new Error(`${name} is no colour of two themes`);
    }
    return (isMore ? value.more ?? value : value)[theme];
  };
  const faults: string[] = [];
  for (const theme of ["dark", "light"] as const) {
    for (const isMore of [false, true]) {
      for (const [name, needed] of Object.entries(NEEDS)) {
        for (const ground of GROUNDS) {
          const ratio = contrast(valueOf(name, theme, isMore), valueOf(ground, theme, isMore));
          if (ratio < needed) faults.push(`${name} on ${ground}, ${theme}: ${ratio.toFixed(2)} of ${needed}`);
        }
      }
    }
  }
  assertEquals(faults, []);
  assert(Math.abs(contrast("oklch(1 0 0)", "oklch(0 0 0)") - 21) < 0.01);
});
