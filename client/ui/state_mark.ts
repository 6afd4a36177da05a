import { css, html, LitElement, svg } from "lit";
import { customElement, property } from "lit/decorators.js";

/** Every state that a thing can be in, each with its own shape: colour alone says nothing to many eyes. */
export type State =
  | "queued"
  | "waiting"
  | "running"
  | "attention"
  | "good"
  | "failed"
  | "off";

const SHAPES = {
  queued: svg`
    <circle cx="6" cy="6" r="4.25" />
  `,
  waiting: svg`
    <circle cx="6" cy="6" r="4.25" stroke-dasharray="1.6 1.738" />
  `,
  running: svg`
    <circle class="track" cx="6" cy="6" r="4.25" />
    <path class="edge" d="M6 1.75A4.25 4.25 0 0 1 10.25 6" />
  `,
  attention: svg`
    <path class="filled" d="M6 1.5 11 10.25H1Z" stroke-linejoin="round" />
  `,
  good: svg`
    <circle class="filled" cx="6" cy="6" r="4.25" />
  `,
  failed: svg`
    <path class="filled" d="M1.75 1.75h8.5v3L8 6l2.25 1.25v3h-8.5Z" stroke-linejoin="round" />
  `,
  off: svg`
    <circle cx="6" cy="6" r="4.25" />
    <path d="m3 9 6-6" />
  `,
} as const;

/** A state as a small shape. Its words stand beside it: it says nothing to a screen reader. */
@customElement("st-state-mark")
export class StateMark extends LitElement {
  static override styles = css`
    :host {
      display: inline-grid;
      flex: none;
      width: var(--size-mark);
      height: var(--size-mark);
      color: var(--color-text-quiet);
    }
    :host([state="running"]) {
      color: var(--color-plasma);
    }
    :host([state="attention"]) {
      color: var(--color-amber);
    }
    :host([state="good"]) {
      color: var(--color-lime);
    }
    :host([state="failed"]) {
      color: var(--color-ember);
    }
    svg {
      width: 100%;
      height: 100%;
      overflow: visible;
      fill: none;
      stroke: currentColor;
      stroke-width: 1.5;
    }
    .filled {
      fill: currentColor;
    }
    .track {
      opacity: 0.35;
    }
    .edge {
      stroke-linecap: round;
    }
    /* The element, not the picture in it: only that turns without the page being painted for every frame. */
    :host([state="running"]) {
      animation: turn var(--motion-slow) linear infinite;
    }
    @keyframes turn {
      to {
        transform: rotate(1turn);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      :host([state="running"]) {
        animation: none;
      }
    }
  `;

  @property({ reflect: true })
  accessor state: State = "queued";

  override render() {
    return html`<svg viewBox="0 0 12 12" aria-hidden="true">${SHAPES[this.state]}</svg>`;
  }
}
