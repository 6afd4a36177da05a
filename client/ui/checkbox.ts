import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles, inputStyles } from "./control_styles.ts";

/** Yes or no, or "some" (`indeterminate`), with its words inside; sends `change`. */
@customElement("st-checkbox")
export class Checkbox extends LitElement {
  static formAssociated = true;
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };
  static override styles = [
    controlStyles,
    inputStyles,
    css`
      :host {
        display: inline-block;
      }
      label {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        min-height: var(--size-control);
        cursor: pointer;
      }
      input {
        flex: none;
        width: var(--size-icon);
        height: var(--size-icon);
        margin: 0;
        accent-color: var(--color-ion);
        cursor: inherit;
      }
      :host([disabled]) label {
        color: var(--color-text-off);
        cursor: default;
      }
      .note {
        padding-inline-start: calc(var(--size-icon) + var(--space-2));
      }
    `,
  ];

  @property({ type: Boolean, reflect: true })
  accessor checked = false;
  @property({ type: Boolean })
  accessor indeterminate = false;
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  @property()
  accessor name = "";
  /** A sentence below: what it does. */
  @property()
  accessor hint = "";
  readonly #internals = this.attachInternals();

  override render() {
    return html`
      <label><input type="checkbox" .checked=${this.checked} .indeterminate=${this.indeterminate}
        ?disabled=${this.disabled} aria-describedby=${this.hint ? "hint" : nothing} @change=${this.#changed}>
        <span><slot></slot></span></label>
      ${this.hint ? html`<p class="note" id="hint">${this.hint}</p>` : nothing}
    `;
  }

  formResetCallback(): void {
    this.checked = this.hasAttribute("checked");
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.disabled = isDisabled;
  }

  protected override updated() {
    this.#internals.setFormValue(this.checked ? "on" : null);
  }

  readonly #changed = (event: Event) => {
    if (!(event.target instanceof HTMLInputElement)) return;
    this.checked = event.target.checked;
    this.indeterminate = false;
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  };
}
