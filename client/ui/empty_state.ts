import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";

/** Nothing is here yet: what the place is for, a sentence, and the one next action inside. */
@customElement("st-empty")
export class EmptyState extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        place-content: center;
        justify-items: center;
        gap: var(--space-2);
        min-height: 100%;
        padding: var(--space-6);
        text-align: center;
        color: var(--color-text-quiet);
      }
      .icon {
        width: var(--space-6);
        height: var(--space-6);
      }
      h2 {
        margin: 0;
        color: var(--color-text);
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-medium);
        text-wrap: balance;
      }
      p {
        margin: 0;
        max-width: 48ch;
        text-wrap: pretty;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
        justify-content: center;
        padding-top: var(--space-2);
      }
    `,
  ];

  @property()
  accessor icon: IconName | undefined;
  @property()
  accessor heading = "";
  /** What the place is for. */
  @property()
  accessor text = "";

  override render() {
    return html`
      ${this.icon ? icon(this.icon) : nothing}
      <h2>${this.heading}</h2>
      ${this.text ? html`<p>${this.text}</p>` : nothing}
      <div class="actions"><slot></slot></div>
    `;
  }
}
