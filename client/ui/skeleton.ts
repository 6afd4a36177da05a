import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { w } from "./words.ts";

/** Where something will be: shows only after 150 ms, so that what is fast never blinks. */
@customElement("st-skeleton")
export class Skeleton extends LitElement {
  static override styles = css`
    :host {
      display: grid;
      gap: var(--space-2);
      animation: appear var(--motion-fast) var(--motion-wait) both;
    }
    .bar {
      position: relative;
      height: var(--size-row);
      border-radius: var(--radius-control);
      background: var(--color-surface);
      overflow: hidden;
    }
    /* It is moved, not painted anew: a background that drifts would cost a painting of the page for every frame. */
    .bar::before {
      content: "";
      position: absolute;
      inset: 0;
      background: linear-gradient(90deg, var(--color-surface), var(--color-hover), var(--color-surface));
      animation: drift var(--motion-slow) linear infinite;
    }
    .bar:last-child:not(:only-child) {
      width: 60%;
    }
    :host([shape="picture"]) .bar {
      height: auto;
      aspect-ratio: 16 / 9;
      width: 100%;
    }
    :host([shape="text"]) .bar {
      height: var(--size-text);
    }
    @keyframes appear {
      from {
        opacity: 0;
      }
    }
    @keyframes drift {
      from {
        transform: translateX(-100%);
      }
      to {
        transform: translateX(100%);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      .bar::before {
        animation: none;
      }
    }
  `;

  @property({ type: Number })
  accessor count = 1;
  @property({ reflect: true })
  accessor shape: "row" | "text" | "picture" = "row";

  constructor() {
    super();
    const internals = this.attachInternals();
    internals.role = "status";
    internals.ariaLabel = w("loading");
    internals.ariaBusy = "true";
  }

  override render() {
    return Array.from({ length: this.count }, () => html`<div class="bar" aria-hidden="true"></div>`);
  }
}
