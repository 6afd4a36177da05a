// Written by `deno task tokens` from the token files beside it.

/** Themes by the name that `data-theme` takes, the default one first. */
export const THEMES = ["dark", "light", "contrast-dark", "contrast-light", "review"] as const;
export type ThemeName = (typeof THEMES)[number];

/** Lengths in pixels and times in milliseconds as they are written; CSS takes var(--…), which follows the theme. */
export const TOKENS = {
  "size.text": 13,
  "size.text-small": 12,
  "size.label": 11,
  "size.title": 20,
  "size.control": 28,
  "size.field": 36,
  "size.top-bar": 40,
  "size.form": 360,
  "size.hairline": 1,
  "size.text-lead": 15,
  "size.icon": 16,
  "size.mark": 12,
  "size.running-line": 2,
  "size.row": 32,
  "size.side": 380,
  "size.tile": 240,
  "size.control-small": 24,
  "size.dialog": 480,
  "size.dialog-wide": 880,
  "size.table-least": 480,
  "space.1": 4,
  "space.2": 8,
  "space.3": 12,
  "space.4": 16,
  "space.6": 24,
  "space.8": 32,
  "space.12": 48,
  "space.half": 2,
  "radius.control": 4,
  "radius.panel": 8,
  "motion.fast": 120,
  "motion.slow": 1600,
  "motion.wait": 150,
} as const;
