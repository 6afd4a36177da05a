import { html, svg, type TemplateResult } from "lit";

/** Outlines of Lucide (ISC), on a 24 × 24 field. */
const PATHS = {
  sun: svg`
    <circle cx="12" cy="12" r="4" />
    <path
      d="M12 2v2M12 20v2m-7.07-17.07 1.41 1.41m11.32 11.32 1.41 1.41M2 12h2m16 0h2M6.34 17.66l-1.41 1.41M19.07 4.93l-1.41 1.41" />
  `,
  moon: svg`
    <path
      d="M20.985 12.486a9 9 0 1 1-9.473-9.472c.405-.022.617.46.402.803a6 6 0 0 0 8.268 8.268c.344-.215.825-.004.803.401" />
  `,
  signOut: svg`
    <path d="m16 17 5-5-5-5M21 12H9M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4" />
  `,
  copy: svg`
    <rect width="14" height="14" x="8" y="8" rx="2" />
    <path d="M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2" />
  `,
  check: svg`
    <path d="M20 6 9 17l-5-5" />
  `,
  book: svg`
    <path
      d="M12 7v14M3 18a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h5a4 4 0 0 1 4 4 4 4 0 0 1 4-4h5a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1h-6a3 3 0 0 0-3 3 3 3 0 0 0-3-3z" />
  `,
} as const;

export type IconName = keyof typeof PATHS;

/** An icon for beside a word, or in a control that has a name: it says nothing to a screen reader. */
export function icon(name: IconName): TemplateResult {
  return html`
    <svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${PATHS[name]}</svg>
  `;
}
