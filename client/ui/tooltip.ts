import { css, html, LitElement, nothing, render } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles, floatStyles } from "./control_styles.ts";
import { placeBeside, type Side } from "./place_beside.ts";
import "./kbd.ts";

export interface Tip {
  readonly text: string;
  /** The shortcut, "mod+k". */
  readonly keys?: string | undefined;
  readonly side?: Side | undefined;
}

const WAIT_MS = 500;
/** Within this time after one tip the next one shows at once: one who reads tips need not wait for each. */
const WARM_MS = 600;

let layer: TipLayer | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let shownFor: Element | undefined;
let hiddenAt = 0;

/** The one tip that shows, above everything; made when first needed. */
@customElement("st-tip-layer")
export class TipLayer extends LitElement {
  static override styles = [
    controlStyles,
    floatStyles,
    css`
      .float {
        margin: var(--space-1);
        padding: var(--space-1) var(--space-2);
        border-radius: var(--radius-control);
        font-size: var(--size-text-small);
        pointer-events: none;
        overflow: hidden;
      }
      .float:popover-open {
        display: flex;
        gap: var(--space-2);
        align-items: baseline;
      }
    `,
  ];

  override render() {
    // Whoever can't see it hears the same from the control's own name and description.
    return html`<div class="float" popover="manual" aria-hidden="true"></div>`;
  }

  show(anchor: Element, tip: Tip): void {
    const box = this.renderRoot.querySelector<HTMLElement>(".float");
    if (!box) return;
    render(
      html`<span>${tip.text}</span>${tip.keys ? html`<st-kbd keys=${tip.keys}></st-kbd>` : nothing}`,
      box,
    );
    // Hidden and shown again, it lies above a dialog that opened since.
    if (box.matches(":popover-open")) box.hidePopover();
    box.showPopover();
    requestAnimationFrame(() => placeBeside(box, anchor.getBoundingClientRect(), tip.side ?? "below"));
  }

  hide(): void {
    const box = this.renderRoot.querySelector<HTMLElement>(".float");
    if (box?.matches(":popover-open")) box.hidePopover();
  }
}

/** Shows `tip` beside `anchor` soon, unless `hideTip(anchor)` comes first. */
export function showTip(anchor: Element, tip: Tip, waitMs: number = WAIT_MS): void {
  clearTimeout(timer);
  const isWarm = performance.now() - hiddenAt < WARM_MS;
  timer = setTimeout(() => void open(anchor, tip), isWarm ? 0 : waitMs);
}

/** Takes the tip of `anchor` away, or its wish for one. */
export function hideTip(anchor: Element): void {
  clearTimeout(timer);
  if (shownFor !== anchor) return;
  shownFor = undefined;
  hiddenAt = performance.now();
  removeEventListener("keydown", closeOnEscape, true);
  layer?.hide();
}

async function open(anchor: Element, tip: Tip): Promise<void> {
  if (!anchor.isConnected || !tip.text) return;
  if (!layer) {
    layer = document.createElement("st-tip-layer") as TipLayer; // What this tag makes.
    document.body.append(layer);
  }
  await layer.updateComplete;
  shownFor = anchor;
  addEventListener("keydown", closeOnEscape, true);
  layer.show(anchor, tip);
}

/** WCAG 1.4.13: what hovers can be sent away without moving the pointer. */
function closeOnEscape(event: KeyboardEvent): void {
  if (event.key === "Escape" && shownFor) hideTip(shownFor);
}

/**
 * Gives what is inside a tip on hover and on keyboard focus. The tip only repeats what the inside also says by its
 * own name or description: `<st-tooltip text="Split here" keys="s"><st-icon-button …></st-tooltip>`.
 */
@customElement("st-tooltip")
export class Tooltip extends LitElement {
  static override styles = css`
    :host {
      display: inline-flex;
      min-width: 0;
    }
  `;

  @property()
  accessor text = "";
  @property()
  accessor keys = "";
  @property()
  accessor side: Side = "below";

  constructor() {
    super();
    const show = () => showTip(this, { text: this.text, keys: this.keys, side: this.side });
    const hide = () => hideTip(this);
    this.addEventListener("pointerenter", (event) => event.pointerType === "touch" || show());
    this.addEventListener("pointerleave", hide);
    this.addEventListener("pointerdown", hide);
    this.addEventListener("focusin", (event) => {
      if (event.target instanceof Element && event.target.matches(":focus-visible")) show();
    });
    this.addEventListener("focusout", hide);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    hideTip(this);
  }

  override render() {
    return html`<slot></slot>`;
  }
}
