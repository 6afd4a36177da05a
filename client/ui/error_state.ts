import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import "./copy_text.ts";
import "./state_mark.ts";

/** Something could not be done: what, why and the mend, the id to copy, and what one can do about it inside. */
@customElement("st-error")
export class ErrorState extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        padding: var(--space-3);
        border-inline-start: var(--size-running-line) solid var(--color-ember);
        background: var(--color-surface);
      }
      .head {
        display: flex;
        align-items: baseline;
        gap: var(--space-2);
        margin: 0;
        font-size: var(--size-text);
        font-weight: var(--font-weight-medium);
        overflow-wrap: anywhere;
      }
      p:not(.head) {
        margin: var(--space-1) 0 0;
        color: var(--color-text-quiet);
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      slot {
        display: contents;
      }
      ::slotted(*) {
        margin-top: var(--space-2);
      }
    `,
  ];

  /** What could not be done. */
  @property()
  accessor heading = "";
  /** Why, and how it is mended. */
  @property()
  accessor text = "";
  /** The request's or job's id, for whoever helps. */
  @property({ attribute: "id-to-copy" })
  accessor idToCopy = "";

  override render() {
    return html`
      <div role="alert">
        <p class="head"><st-state-mark state="failed"></st-state-mark>${this.heading}</p>
        ${this.text ? html`<p>${this.text}</p>` : nothing}
      </div>
      ${this.idToCopy
        ? html`
          <p>
            <st-copy-text text=${this.idToCopy}></st-copy-text>
          </p>
        `
        : nothing}
      <div class="actions"><slot></slot></div>
    `;
  }
}
