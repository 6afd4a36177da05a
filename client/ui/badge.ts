import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import type { State } from "./state_mark.ts";
import "./state_mark.ts";

/** A word on a thing: its state (by shape, too), a count, "CPU preview". Quiet unless `state` says otherwise. */
@customElement("st-badge")
export class Badge extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        min-height: var(--space-4);
        padding: 0 var(--space-1);
        max-width: 100%;
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-control);
        color: var(--color-text-quiet);
        font: var(--font-weight-regular) var(--size-label) / 1.4 var(--font-ui);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
        vertical-align: middle;
      }
      /* Over a picture: a ground of its own. */
      :host([over]) {
        border-color: transparent;
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
        color: var(--color-text);
      }
      .icon {
        width: var(--size-mark);
        height: var(--size-mark);
      }
    `,
  ];

  @property()
  accessor state: State | undefined;
  @property()
  accessor icon: IconName | undefined;
  /** Lies over a picture. */
  @property({ type: Boolean, reflect: true })
  accessor over = false;

  override render() {
    return html`
      ${this.state ? html`<st-state-mark state=${this.state}></st-state-mark>` : nothing}
      ${this.icon ? icon(this.icon) : nothing}
      <span class="cut"><slot></slot></span>
    `;
  }
}
