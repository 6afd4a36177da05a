import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles, inputStyles } from "./control_styles.ts";
import { icon } from "./icons.ts";

export interface SelectOption {
  readonly value: string;
  readonly label: string;
  /** A heading over it and its neighbours of the same group. */
  readonly group?: string | undefined;
  readonly isDisabled?: boolean | undefined;
}

/** One of a list: `.options`, `value`; sends `change`. The native control, so the system's keys and pickers work. */
@customElement("st-select")
export class Select extends LitElement {
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
        display: grid;
        gap: var(--space-1);
        align-content: start;
        min-width: 0;
      }
      .frame {
        position: relative;
        display: flex;
        align-items: center;
      }
      select.input {
        appearance: none;
        padding-inline-end: calc(var(--size-icon) + var(--space-3));
        text-overflow: ellipsis;
        cursor: pointer;
      }
      :host([quiet]) select {
        background: none;
        border-color: transparent;
        color: var(--color-text-quiet);
      }
      :host([quiet]) select:hover {
        background: var(--color-hover);
        color: var(--color-text);
      }
      option,
      optgroup {
        background: var(--color-raised);
        color: var(--color-text);
      }
      .icon {
        position: absolute;
        inset-inline-end: var(--space-2);
        color: var(--color-text-quiet);
        pointer-events: none;
      }
    `,
  ];

  @property()
  accessor label = "";
  @property({ type: Boolean, attribute: "label-unseen" })
  accessor isLabelUnseen = false;
  @property({ attribute: false })
  accessor options: readonly SelectOption[] = [];
  @property()
  accessor value = "";
  @property()
  accessor name = "";
  @property()
  accessor hint = "";
  @property()
  accessor fault = "";
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  /** Without a frame, for toolbars. */
  @property({ type: Boolean, reflect: true })
  accessor quiet = false;
  readonly #internals = this.attachInternals();

  override render() {
    const describedBy = [this.hint ? "hint" : "", this.fault ? "fault" : ""].filter(Boolean).join(" ");
    return html`
      <label class=${this.isLabelUnseen ? "label unseen" : "label"} for="input">${this.label}</label>
      <div class="frame">
        <select class="input" id="input" ?disabled=${this.disabled} @change=${this.#changed}
          aria-describedby=${describedBy || nothing} aria-invalid=${this.fault ? "true" : nothing}>
          ${this.#groups().map(([group, options]) =>
            group
              ? html`<optgroup label=${group}>${options.map((one) => this.#option(one))}</optgroup>`
              : options.map((one) => this.#option(one))
          )}
        </select>
        ${icon("chevronDown")}
      </div>
      ${this.hint ? html`<p class="note" id="hint">${this.hint}</p>` : nothing}
      <p class="fault" id="fault" role="alert">${this.fault}</p>
    `;
  }

  #option({ value, label, isDisabled }: SelectOption) {
    return html`
      <option value=${value} ?disabled=${isDisabled ?? false}
        .selected=${value === this.value}>${label}</option>
    `;
  }

  #groups(): [group: string, options: SelectOption[]][] {
    const groups: [string, SelectOption[]][] = [];
    for (const option of this.options) {
      const last = groups.at(-1);
      if (last && last[0] === (option.group ?? "")) last[1].push(option);
      else groups.push([option.group ?? "", [option]]);
    }
    return groups;
  }

  formResetCallback(): void {
    this.value = this.getAttribute("value") ?? "";
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.disabled = isDisabled;
  }

  protected override updated() {
    this.#internals.setFormValue(this.value);
  }

  readonly #changed = (event: Event) => {
    if (event.target instanceof HTMLSelectElement) this.value = event.target.value;
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  };
}
