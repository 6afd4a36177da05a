import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";

/** A person or a character: their picture, else the first letters of their name. */
@customElement("st-avatar")
export class Avatar extends LitElement {
  static override styles = css`
    :host {
      display: inline-grid;
      place-items: center;
      flex: none;
      width: var(--size-control-small);
      aspect-ratio: 1;
      overflow: hidden;
      border-radius: 50%;
      background: var(--color-hover);
      color: var(--color-text);
      font: var(--font-weight-medium) var(--size-label) / 1 var(--font-ui);
      user-select: none;
      vertical-align: middle;
    }
    :host([shape="square"]) {
      border-radius: var(--radius-control);
    }
    :host([large]) {
      width: var(--size-top-bar);
      font-size: var(--size-text);
    }
    img {
      width: 100%;
      height: 100%;
      object-fit: cover;
    }
  `;

  @property()
  accessor name = "";
  /** The picture's address. */
  @property()
  accessor src = "";
  @property({ reflect: true })
  accessor shape: "round" | "square" = "round";
  @property({ type: Boolean, reflect: true })
  accessor large = false;

  override render() {
    if (this.src) return html`<img src=${this.src} alt=${this.name} loading="lazy" decoding="async">`;
    return html`<span role="img" aria-label=${this.name}>${initials(this.name)}</span>`;
  }
}

/** The first letters of the first and the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...(word ?? "")][0] ?? "").join("").toLocaleUpperCase();
}
