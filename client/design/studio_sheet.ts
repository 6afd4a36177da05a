const KEY = "seedloop.studio_css";

/** Laid over tokens.css: what the studio changes of it. Constructed, so the studio's content policy lets it in. */
const sheet = new CSSStyleSheet();

/** Shows the studio's tokens, and keeps them so that the next start shows them at once. */
export function showStudioCss(css: string): void {
  try {
    localStorage.setItem(KEY, css);
  } catch {
    // Full or forbidden: then they come with the first answer.
  }
  previewCss(css);
}

/** Shows tokens that nobody has saved. */
export function previewCss(css: string): void {
  sheet.replaceSync(css);
  if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
}

/** Shows the studio's tokens as they were at the last visit. */
export function showKeptStudioCss(): void {
  const css = localStorage.getItem(KEY);
  if (css) previewCss(css);
}
