import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles, inputStyles } from "./control_styles.ts";

/** On or off, in force at once, with its words inside; sends `change`. */
@customElement("st-switch")
export class Switch extends LitElement {
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
        appearance: none;
        position: relative;
        flex: none;
        width: var(--size-control);
        height: var(--space-4);
        margin: 0;
        border: var(--size-hairline) solid var(--color-field-line);
        border-radius: var(--space-4);
        background: var(--color-surface);
        cursor: inherit;
        transition: background var(--motion-fast) ease-out, border-color var(--motion-fast) ease-out;
      }
      input::before {
        content: "";
        position: absolute;
        inset-block: var(--size-running-line);
        inset-inline-start: var(--size-running-line);
        aspect-ratio: 1;
        border-radius: 50%;
        background: var(--color-text-quiet);
        transition: translate var(--motion-fast) ease-out;
      }
      input:checked {
        background: color-mix(in oklab, var(--color-ion) 25%, var(--color-ground));
        border-color: var(--color-ion);
      }
      input:checked::before {
        translate: var(--space-3);
        background: var(--color-ion);
      }
      input:checked:dir(rtl)::before {
        translate: calc(-1 * var(--space-3));
      }
      :host([disabled]) label {
        color: var(--color-text-off);
        cursor: default;
      }
      :host([disabled]) input {
        border-color: var(--color-line);
      }
      :host([disabled]) input::before {
        background: var(--color-text-off);
      }
      .note {
        padding-inline-start: calc(var(--size-control) + var(--space-2));
      }
      @media (forced-colors: active) {
        input::before {
          background: CanvasText;
        }
        input:checked::before {
          background: Highlight;
        }
      }
    `,
  ];

  @property({ type: Boolean, reflect: true })
  accessor checked = false;
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  @property()
  accessor name = "";
  @property()
  accessor hint = "";
  readonly #internals = this.attachInternals();

  override render() {
    return html`
      <label><input type="checkbox" role="switch" .checked=${this.checked} ?disabled=${this.disabled}
        aria-describedby=${this.hint ? "hint" : nothing} @change=${this.#changed}>
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
    if (event.target instanceof HTMLInputElement) this.checked = event.target.checked;
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  };
}
