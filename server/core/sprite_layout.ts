import * as z from "zod/mini";

/** Where the tiles of a hover sprite lie: row by row, tile i shows frame `frames[i]`. */
export const SpriteLayout = z.object({
  columns: z.int(),
  rows: z.int(),
  tileWidthPx: z.int(),
  tileHeightPx: z.int(),
  frames: z.array(z.int()),
});
export type SpriteLayout = z.infer<typeof SpriteLayout>;
