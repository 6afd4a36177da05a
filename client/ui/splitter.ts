import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { w } from "./words.ts";

const KEY_STEP = 0.02;

/**
 * Two parts (slots "start" and "end") with a line between that one drags or moves by arrows; a double click puts it
 * back. `ratio` is the first part's share; it sends `input` while it moves and `change` when it rests.
 */
@customElement("st-splitter")
export class Splitter extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        min-width: 0;
        min-height: 0;
        height: 100%;
      }
      :host([direction="column"]) {
        flex-direction: column;
      }
      .part {
        flex: 1 1 0;
        min-width: 0;
        min-height: 0;
        overflow: hidden;
        position: relative;
      }
      .line {
        position: relative;
        flex: none;
        z-index: 1;
        width: var(--size-hairline);
        background: var(--color-line);
        cursor: col-resize;
        touch-action: none;
      }
      /* Thin to the eye, wide to the hand. */
      .line::before {
        content: "";
        position: absolute;
        inset: 0 calc(-1 * var(--space-1));
      }
      :host([direction="column"]) .line {
        width: auto;
        height: var(--size-hairline);
        cursor: row-resize;
      }
      :host([direction="column"]) .line::before {
        inset: calc(-1 * var(--space-1)) 0;
      }
      .line:is(:hover, :focus-visible, :active) {
        background: var(--color-ion);
      }
    `,
  ];

  @property({ reflect: true })
  accessor direction: "row" | "column" = "row";
  @property({ type: Number })
  accessor ratio = 0.5;
  /** What a double click puts back. */
  @property({ type: Number })
  accessor initial = 0.5;
  /** The least share of either part. */
  @property({ type: Number })
  accessor least = 0.1;
  @property()
  accessor label = "";
  @query(".line")
  accessor line!: HTMLElement;

  override render() {
    return html`
      <div class="part" .style=${`flex-grow: ${this.ratio}`}><slot name="start"></slot></div>
      <div class="line" role="separator" tabindex="0" aria-label=${this.label || w("resize")}
        aria-orientation=${this.direction === "row" ? "vertical" : "horizontal"}
        aria-valuemin=${Math.round(this.least * 100)} aria-valuemax=${Math.round((1 - this.least) * 100)}
        aria-valuenow=${Math.round(this.ratio * 100)}
        @pointerdown=${this.#grab} @pointermove=${this.#drag} @lostpointercapture=${this.#rest}
        @keydown=${this.#step} @dblclick=${() => this.#set(this.initial, true)}></div>
      <div class="part" .style=${`flex-grow: ${1 - this.ratio}`}><slot name="end"></slot></div>
    `;
  }

  readonly #grab = (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.preventDefault();
    this.line.focus({ preventScroll: true });
    this.line.setPointerCapture(event.pointerId);
  };

  readonly #drag = (event: PointerEvent) => {
    if (!this.line.hasPointerCapture(event.pointerId)) return;
    const box = this.getBoundingClientRect();
    const along = this.direction === "row"
      ? (event.clientX - box.left) / box.width
      : (event.clientY - box.top) / box.height;
    this.#set(this.#isRtl ? 1 - along : along, false);
  };

  readonly #rest = () => this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));

  readonly #step = (event: KeyboardEvent) => {
    const [back, forth] = this.direction === "row"
      ? this.#isRtl ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"]
      : ["ArrowUp", "ArrowDown"];
    const to = {
      [back as string]: this.ratio - KEY_STEP,
      [forth as string]: this.ratio + KEY_STEP,
      Home: this.least,
      End: 1 - this.least,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#set(to, true);
  };

  get #isRtl(): boolean {
    return this.direction === "row" && getComputedStyle(this).direction === "rtl";
  }

  #set(ratio: number, isSettled: boolean): void {
    this.ratio = Math.min(1 - this.least, Math.max(this.least, ratio));
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    if (isSettled) this.#rest();
  }
}
