// Written by `deno task tokens` from the token files beside it.
import { css } from "lit";

/**
 * Puts an element that has `surround="neutral"` on the neutral grey of the review theme, whatever theme shows around
 * it: pictures are judged on it.
 */
export const reviewSurround = css`
  :host([surround="neutral"]) {
    color-scheme: dark;
    color: var(--color-text);
    background: var(--color-ground);
    --color-ground: oklch(0.42 0 0);
    --color-surface: oklch(0.42 0 0);
    --color-raised: oklch(0.38 0 0);
    --color-hover: oklch(0.455 0 0);
    --color-line: oklch(0.52 0 0);
    --color-text: oklch(0.99 0 0);
    --color-text-quiet: oklch(0.9 0 0);
    --color-text-off: oklch(0.66 0 0);
    --color-ion: oklch(0.99 0 0);
    --color-on-ion: oklch(0.3 0 0);
    --color-plasma: oklch(0.88 0 0);
    --color-lime: oklch(0.96 0 0);
    --color-amber: oklch(0.92 0 0);
    --color-ember: oklch(0.88 0 0);
    --color-field-line: oklch(0.78 0 0);
    --color-veil: oklch(0.25 0 0 / 0.6);
    --color-note: oklch(0.88 0.15 85);
    --shadow-float: 0px 8px 32px 0px oklch(0.2 0 0 / 0.35);
  }
`;
