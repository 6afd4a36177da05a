import { type Colour, contrastRatio, mixColours } from "./colour.ts";
import { colourAt, type DesignToken } from "./design_tokens.ts";

/** A pair of colours that people see one on the other, and the contrast that it needs. */
export interface ContrastPair {
  readonly text: string;
  readonly ground: string;
  /** Share of another colour that lies on the ground: what is selected, what is primary. */
  readonly tint?: { readonly colour: string; readonly share: number } | undefined;
  readonly needed: number;
}

export interface MeasuredPair extends ContrastPair {
  readonly ratio: number;
}

const GROUNDS = ["color.ground", "color.surface", "color.raised", "color.hover"] as const;
/** WCAG 2.2: 4.5 for words, 3 for shapes and for what marks a control's edge; more for what is read all day. */
const NEEDS: Readonly<Record<string, number>> = {
  "color.text": 7,
  "color.text-quiet": 4.5,
  "color.ion": 4.5,
  "color.plasma": 3,
  "color.lime": 3,
  "color.amber": 3,
  "color.ember": 3,
  "color.note": 3,
  "color.field-line": 3,
};
/** Tints that elements lay under words: see color-mix() in client/ui. */
const TINTS: readonly (readonly [colour: string, share: number])[] = [
  ["color.ion", 0.12],
  ["color.ion", 0.22],
  ["color.ember", 0.18],
];

/** Every pair of text and ground that the interface shows. In a theme of high contrast words need 7, shapes 4.5. */
export function contrastPairs(isHigh = false): readonly ContrastPair[] {
  const raise = (needed: number) => !isHigh ? needed : needed >= 4.5 ? Math.max(7, needed) : 4.5;
  const plain = Object.entries(NEEDS).flatMap(([text, needed]) =>
    GROUNDS.map((ground) => ({ text, ground, needed: raise(needed) }))
  );
  const tinted = TINTS.map(([colour, share]) => ({
    text: "color.text",
    ground: "color.ground",
    tint: { colour, share },
    needed: raise(4.5),
  }));
  return [...plain, ...tinted, { text: "color.on-ion", ground: "color.ion", needed: raise(4.5) }];
}

/** The pairs with the contrast that they have in a theme; those of which a colour is missing are left out. */
export function measurePairs(
  tokens: ReadonlyMap<string, DesignToken>,
  isHigh = false,
): readonly MeasuredPair[] {
  return contrastPairs(isHigh).flatMap((pair) => {
    const text = colourAt(tokens, pair.text);
    const ground = groundOf(tokens, pair);
    return text && ground ? [{ ...pair, ratio: contrastRatio(text, ground) }] : [];
  });
}

function groundOf(
  tokens: ReadonlyMap<string, DesignToken>,
  { ground, tint }: ContrastPair,
): Colour | undefined {
  const below = colourAt(tokens, ground);
  const above = tint && colourAt(tokens, tint.colour);
  return below && tint && above ? mixColours(above, tint.share, below) : below;
}
