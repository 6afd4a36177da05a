import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";

const RADIUS = 6;
const AROUND = 2 * Math.PI * RADIUS;

/**
 * How far something is: a 2-px line under it, or a ring (`shape="ring"`). Without `ratio` it only says that it runs.
 * `label` is what runs; a screen reader hears it with the percentage.
 */
@customElement("st-progress")
export class Progress extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      :host([shape="ring"]) {
        display: inline-block;
        width: var(--size-icon);
        height: var(--size-icon);
        vertical-align: middle;
      }
      .line {
        height: var(--size-running-line);
        overflow: hidden;
        background: color-mix(in oklab, var(--color-plasma) 18%, transparent);
      }
      .done {
        height: 100%;
        background: var(--color-plasma);
        transform-origin: left;
        transition: scale var(--motion-fast) ease-out;
      }
      .done:dir(rtl) {
        transform-origin: right;
      }
      .endless {
        width: 30%;
        animation: pass var(--motion-slow) linear infinite;
      }
      @keyframes pass {
        from {
          transform: translateX(-100%);
        }
        to {
          transform: translateX(334%);
        }
      }
      svg {
        display: block;
        width: 100%;
        height: 100%;
        fill: none;
        stroke: var(--color-plasma);
        stroke-width: 2;
      }
      .ring {
        height: 100%;
        rotate: -90deg;
      }
      .track {
        opacity: 0.25;
      }
      .arc {
        stroke-linecap: round;
        transition: stroke-dashoffset var(--motion-fast) ease-out;
      }
      /* The element, not the picture in it: only that turns without the page being painted for every frame. */
      .ring.turning {
        animation: turn var(--motion-slow) linear infinite;
      }
      @keyframes turn {
        from {
          rotate: -90deg;
        }
        to {
          rotate: 270deg;
        }
      }
      @media (forced-colors: active) {
        .done {
          background: Highlight;
        }
      }
      /* Standing still it must not look like a tenth done. */
      @media (prefers-reduced-motion: reduce) {
        .endless {
          width: 100%;
          opacity: 0.5;
        }
      }
    `,
  ];

  /** 0 to 1; undefined when nobody knows. */
  @property({ type: Number })
  accessor ratio: number | undefined;
  @property()
  accessor label = "";
  @property({ reflect: true })
  accessor shape: "line" | "ring" = "line";

  override render() {
    const isKnown = this.ratio !== undefined && Number.isFinite(this.ratio);
    const ratio = Math.max(0, Math.min(1, this.ratio ?? 0));
    return html`
      <div role="progressbar" aria-label=${this.label} aria-valuemin=${isKnown ? "0" : nothing}
        aria-valuemax=${isKnown ? "100" : nothing} aria-valuenow=${isKnown
          ? Math.round(ratio * 100)
          : nothing}
        class="${this.shape} ${isKnown ? "" : "turning"}">
        ${this.shape === "line" ? line(ratio, isKnown) : ring(ratio, isKnown)}
      </div>
    `;
  }
}

function line(ratio: number, isKnown: boolean) {
  return isKnown
    ? html`<div class="done" .style=${`scale: ${ratio} 1`}></div>`
    : html`<div class="done endless"></div>`;
}

function ring(ratio: number, isKnown: boolean) {
  const gone = AROUND * (1 - (isKnown ? ratio : 0.25));
  return html`
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <circle class="track" cx="8" cy="8" r=${RADIUS}></circle>
      <circle class="arc" cx="8" cy="8" r=${RADIUS} stroke-dasharray=${AROUND}
        stroke-dashoffset=${gone}></circle>
    </svg>
  `;
}
