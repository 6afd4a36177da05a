import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import type { Scrub, Sprite } from "./scrub.ts";
import type { State } from "./state_mark.ts";
import "./badge.ts";
import "./progress.ts";
import "./scrub.ts";
import "./state_mark.ts";

/**
 * A picture in a grid: its words below or over it, its state by shape, a chip, and, where it has a sprite, the video's
 * pictures under the moving pointer. It only shows; the grid around it selects and opens.
 */
@customElement("st-tile")
export class Tile extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        position: relative;
        display: flex;
        flex-direction: column;
        width: 100%;
        height: 100%;
        background: var(--color-surface);
      }
      .picture {
        position: relative;
        flex: 1;
        min-height: 0;
        background: var(--color-ground);
      }
      img {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      :host([fit="contain"]) img {
        object-fit: contain;
      }
      .none {
        display: grid;
        place-content: center;
        height: 100%;
        color: var(--color-text-quiet);
      }
      .top,
      .bottom {
        position: absolute;
        inset-inline: var(--space-1);
        display: flex;
        gap: var(--space-1);
        pointer-events: none;
      }
      .top {
        top: var(--space-1);
      }
      .end {
        justify-content: flex-end;
      }
      .bottom {
        bottom: var(--space-1);
        justify-content: flex-end;
      }
      st-progress {
        position: absolute;
        inset: auto 0 0 0;
      }
      .words {
        flex: none;
        display: flex;
        align-items: center;
        gap: var(--space-2);
        height: var(--size-control);
        padding: 0 var(--space-2);
        font-size: var(--size-text-small);
      }
      .name {
        flex: 1;
      }
      .detail {
        flex: none;
        max-width: 50%;
        color: var(--color-text-quiet);
        font-variant-numeric: tabular-nums;
      }
      :host([running]) .picture {
        box-shadow: inset 0 0 0 var(--size-hairline) var(--color-plasma);
      }
      :host([stale]) .picture {
        outline: var(--size-hairline) dashed var(--color-text-quiet);
        outline-offset: calc(-1 * var(--size-hairline));
      }
      :host([stale]) img,
      :host([rejected]) img {
        opacity: 0.45;
      }
    `,
  ];

  @property()
  accessor src = "";
  /** Shown while there is no picture. */
  @property()
  accessor icon: IconName = "image";
  @property()
  accessor name = "";
  /** A fact behind the name: a duration, a score. */
  @property()
  accessor detail = "";
  @property()
  accessor state: State | undefined;
  /** What never leaves the picture: "CPU preview". */
  @property()
  accessor chip = "";
  /** A fact in the other corner: a score, a take's number. */
  @property()
  accessor mark = "";
  @property({ attribute: false })
  accessor sprite: Sprite | undefined;
  @property({ reflect: true })
  accessor fit: "cover" | "contain" = "cover";
  @property({ type: Boolean, reflect: true })
  accessor running = false;
  /** 0 to 1 while it runs; undefined when nobody knows. */
  @property({ type: Number })
  accessor progress: number | undefined;
  @property({ type: Boolean, reflect: true })
  accessor stale = false;
  @property({ type: Boolean, reflect: true })
  accessor rejected = false;
  /** No words below. */
  @property({ type: Boolean })
  accessor bare = false;
  /** A pointer is over the picture. */
  @state()
  accessor isUnder = false;

  override render() {
    return html`
      <div class="picture" @pointerenter=${this.#enter} @pointerleave=${this.#leave}>
        ${this.src
          ? html`<img src=${this.src} alt=${
            this.bare ? this.name : ""
          } loading="lazy" decoding="async" draggable="false">`
          : html`<div class="none">${icon(this.icon)}</div>`}
        ${this.sprite && this.isUnder
          ? html`<st-scrub fit=${this.fit} .sprite=${this.sprite}></st-scrub>`
          : nothing}
        ${this.bare && this.state
          ? html`
            <div class="top">
              <st-badge over state=${this.state}></st-badge>
            </div>
          `
          : nothing}
        ${this.mark
          ? html`
            <div class="top end">
              <st-badge over>${this.mark}</st-badge>
            </div>
          `
          : nothing}
        ${this.chip
          ? html`
            <div class="bottom">
              <st-badge over>${this.chip}</st-badge>
            </div>
          `
          : nothing}
        ${this.running
          ? html`<st-progress label=${this.name} .ratio=${this.progress}></st-progress>`
          : nothing}
      </div>
      ${this.bare ? nothing : html`
        <div class="words">
          ${this.state ? html`<st-state-mark state=${this.state}></st-state-mark>` : nothing}
          <span class="name cut" title=${this.name}>${this.name}</span>
          ${this.detail ? html`<span class="detail cut">${this.detail}</span>` : nothing}
        </div>
      `}
    `;
  }

  /** What scrubs is made when it is wanted: a grid has thousands of tiles. */
  readonly #enter = async (event: PointerEvent) => {
    this.isUnder = true;
    await this.updateComplete;
    this.renderRoot.querySelector<Scrub>("st-scrub")?.follow(event);
  };

  readonly #leave = () => this.isUnder = false;
}
