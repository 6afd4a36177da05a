import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles, inputStyles } from "./control_styles.ts";

/**
 * A knob: a number within bounds, by dragging, by keys or by typing. `value` changes with every `input`; `change`
 * comes when one lets go. With `initial` it shows that it was changed, and a double click puts it back.
 */
@customElement("st-slider")
export class Slider extends LitElement {
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
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 var(--space-2);
        align-items: center;
        min-width: 0;
      }
      .label {
        display: flex;
        align-items: center;
        gap: var(--space-1);
      }
      .changed::after {
        content: "";
        width: var(--space-1);
        height: var(--space-1);
        border-radius: 50%;
        background: var(--color-ion);
      }
      .number {
        display: flex;
        align-items: baseline;
        gap: var(--space-1);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .number input {
        width: 7ch;
        height: var(--size-control-small);
        padding: 0 var(--space-1);
        border: var(--size-hairline) solid transparent;
        border-radius: var(--radius-control);
        background: none;
        color: var(--color-text);
        font: inherit;
        font-variant-numeric: tabular-nums;
        text-align: end;
        appearance: textfield;
      }
      .number input::-webkit-inner-spin-button {
        appearance: none;
      }
      .number input:hover:enabled {
        border-color: var(--color-field-line);
      }
      input[type="range"] {
        appearance: none;
        grid-column: 1 / -1;
        width: 100%;
        height: var(--size-control-small);
        margin: 0;
        background: none;
        border-radius: var(--radius-control);
        cursor: pointer;
      }
      input[type="range"]::-webkit-slider-runnable-track {
        height: var(--size-running-line);
        border-radius: var(--size-running-line);
        background: linear-gradient(
          to right,
          var(--color-ion) var(--filled),
          var(--color-field-line) var(--filled)
        );
      }
      input[type="range"]::-moz-range-track {
        height: var(--size-running-line);
        background: var(--color-field-line);
      }
      input[type="range"]::-moz-range-progress {
        height: var(--size-running-line);
        background: var(--color-ion);
      }
      input[type="range"]::-webkit-slider-thumb {
        appearance: none;
        width: var(--size-mark);
        height: var(--size-mark);
        margin-top: calc((var(--size-running-line) - var(--size-mark)) / 2);
        border: var(--size-running-line) solid var(--color-ion);
        border-radius: 50%;
        background: var(--color-ground);
      }
      input[type="range"]::-moz-range-thumb {
        box-sizing: border-box;
        width: var(--size-mark);
        height: var(--size-mark);
        border: var(--size-running-line) solid var(--color-ion);
        border-radius: 50%;
        background: var(--color-ground);
      }
      input[type="range"]:disabled {
        cursor: default;
        --color-ion: var(--color-text-off);
      }
      .note {
        grid-column: 1 / -1;
      }
      @media (forced-colors: active) {
        input[type="range"]::-webkit-slider-runnable-track {
          border: var(--size-hairline) solid CanvasText;
        }
        input[type="range"]::-moz-range-track {
          border: var(--size-hairline) solid CanvasText;
        }
      }
    `,
  ];

  @property()
  accessor label = "";
  @property({ type: Number })
  accessor value = 0;
  @property({ type: Number })
  accessor min = 0;
  @property({ type: Number })
  accessor max = 100;
  @property({ type: Number })
  accessor step = 1;
  /** "s", "%": shown behind the number. */
  @property()
  accessor unit = "";
  /** What it was before anybody changed it. */
  @property({ type: Number })
  accessor initial: number | undefined;
  @property()
  accessor hint = "";
  @property()
  accessor name = "";
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  readonly #internals = this.attachInternals();

  override render() {
    const filled = this.max > this.min ? (this.value - this.min) / (this.max - this.min) * 100 : 0;
    const isChanged = this.initial !== undefined && this.initial !== this.value;
    return html`
      <label class=${isChanged ? "label changed" : "label"} for="range">${this.label}</label>
      <span class="number"><input type="number" .value=${String(this.value)} min=${this.min} max=${this.max}
        step=${this.step} ?disabled=${this.disabled} aria-label=${this.label}
        @change=${this.#typed} @input=${stop}>${this.unit
          ? html`<span aria-hidden="true">${this.unit}</span>`
          : nothing}</span>
      <input type="range" id="range" .style=${`--filled: ${filled}%`} min=${this.min} max=${this
        .max} step=${this
        .step}
        .value=${String(this.value)} ?disabled=${this.disabled}
        aria-valuetext=${this.unit ? `${this.value} ${this.unit}` : nothing}
        aria-describedby=${this.hint ? "hint" : nothing}
        @input=${this.#slid} @change=${this.#settle} @dblclick=${this.#putBack}>
      ${this.hint ? html`<p class="note" id="hint">${this.hint}</p>` : nothing}
    `;
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.disabled = isDisabled;
  }

  protected override updated() {
    this.#internals.setFormValue(String(this.value));
  }

  readonly #slid = (event: Event) => {
    if (event.target instanceof HTMLInputElement) this.value = event.target.valueAsNumber;
  };

  readonly #typed = (event: Event) => {
    if (!(event.target instanceof HTMLInputElement)) return;
    const typed = event.target.valueAsNumber;
    const value = Number.isFinite(typed) ? Math.min(this.max, Math.max(this.min, typed)) : this.value;
    event.target.value = String(value);
    this.#set(value);
  };

  readonly #putBack = () => {
    if (this.initial !== undefined && !this.disabled) this.#set(this.initial);
  };

  #set(value: number): void {
    this.value = value;
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    this.#settle();
  }

  readonly #settle = () => {
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  };
}

/** A half-typed number is nobody's value yet. */
function stop(event: Event): void {
  event.stopPropagation();
}
