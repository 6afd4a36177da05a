import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { controlStyles, inputStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import { w } from "./words.ts";

export type FieldType = "text" | "search" | "password" | "email" | "url" | "number";

/**
 * A labelled line of text (or several: `rows`). `value` is what it holds; it sends `input` at each change and
 * `change` when one leaves it. It takes part in forms under `name`, with the native checks (required, min, …); what
 * they find is said below it, in the reader's language, in place of the browser's bubble.
 */
@customElement("st-field")
export class Field extends SignalWatcher(LitElement) {
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
      .frame > .icon {
        position: absolute;
        inset-inline-start: var(--space-2);
        color: var(--color-text-quiet);
        pointer-events: none;
      }
      .frame:has(> .icon) .input {
        padding-inline-start: calc(var(--size-icon) + var(--space-4));
      }
      .unit {
        position: absolute;
        inset-inline-end: var(--space-2);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        pointer-events: none;
      }
      .frame:has(> .unit) .input {
        padding-inline-end: calc(var(--space-8) + var(--space-2));
      }
      textarea.input {
        padding-block: var(--space-1);
        /* As tall as its text, everywhere the same: a height that one drags is one more thing to lose. */
        resize: none;
        field-sizing: content;
        min-height: calc(var(--rows) * 1.5em + var(--space-2));
        max-height: 40vh;
      }
      :host([mono]) .input {
        font-family: var(--font-mono);
      }
    `,
  ];

  @property()
  accessor label = "";
  /** The label is only for screen readers: where the place says what the field is. */
  @property({ type: Boolean, attribute: "label-unseen" })
  accessor isLabelUnseen = false;
  @property()
  accessor value = "";
  @property()
  accessor name = "";
  @property()
  accessor type: FieldType = "text";
  @property()
  accessor placeholder = "";
  /** A sentence below: what is wanted. */
  @property()
  accessor hint = "";
  /** What is wrong with the value and how to mend it; shown and announced when set. */
  @property()
  accessor fault = "";
  /** "s", "px": shown at the end. */
  @property()
  accessor unit = "";
  @property()
  accessor icon: IconName | undefined;
  /** More than one: a text of several lines that grows. */
  @property({ type: Number })
  accessor rows = 1;
  @property({ type: Boolean })
  accessor required = false;
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  @property({ type: Boolean, attribute: "readonly" })
  accessor isReadOnly = false;
  @property({ type: Number })
  accessor maxlength: number | undefined;
  @property()
  accessor pattern: string | undefined;
  @property()
  accessor min: string | undefined;
  @property()
  accessor max: string | undefined;
  @property()
  accessor step: string | undefined;
  @property()
  accessor autocomplete: AutoFill | undefined;
  @query(".input")
  accessor input!: HTMLInputElement | HTMLTextAreaElement;
  /** A form was to be sent, and the value does not do: said until it does. */
  @state()
  accessor isRefused = false;
  readonly #internals = this.attachInternals();

  override connectedCallback() {
    super.connectedCallback();
    this.addEventListener("invalid", this.#refuse);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.removeEventListener("invalid", this.#refuse);
  }

  /** What stands below the field: what the page found wrong with it, else what the form did. */
  get #wrong(): string {
    return this.fault || (this.isRefused ? this.#sentence() : "");
  }

  override render() {
    const wrong = this.#wrong;
    const describedBy = [this.hint ? "hint" : "", wrong ? "fault" : ""].filter(Boolean).join(" ");
    return html`
      <label class=${this.isLabelUnseen ? "label unseen" : "label"} for="input">${this.label}</label>
      <div class="frame">
        ${this.icon ? icon(this.icon) : nothing}
        ${this.rows > 1 ? this.#area(describedBy, wrong) : this.#line(describedBy, wrong)}
        ${this.unit ? html`<span class="unit" aria-hidden="true">${this.unit}</span>` : nothing}
      </div>
      ${this.hint ? html`<p class="note" id="hint">${this.hint}</p>` : nothing}
      <p class="fault" id="fault" role="alert">${wrong}</p>
    `;
  }

  #line(describedBy: string, wrong: string) {
    return html`
      <input class="input" id="input" part="input" .type=${this.type} .value=${this.value}
        placeholder=${this.placeholder || nothing} ?required=${this.required} ?disabled=${this.disabled}
        ?readonly=${this.isReadOnly} maxlength=${this.maxlength ?? nothing} pattern=${this.pattern ?? nothing}
        min=${this.min ?? nothing} max=${this.max ?? nothing} step=${this.step ?? nothing}
        autocomplete=${this.autocomplete ?? nothing} aria-describedby=${describedBy || nothing}
        aria-invalid=${wrong ? "true" : nothing}
        @input=${this.#typed} @change=${this.#changed} @keydown=${this.#submitOnEnter}>
    `;
  }

  #area(describedBy: string, wrong: string) {
    return html`
      <textarea class="input" id="input" part="input" rows=${this.rows} .value=${this.value}
        .style=${`--rows: ${this.rows}`} placeholder=${this.placeholder || nothing} ?required=${this.required}
        ?disabled=${this.disabled} ?readonly=${this.isReadOnly} maxlength=${this.maxlength ?? nothing}
        aria-describedby=${describedBy || nothing} aria-invalid=${wrong ? "true" : nothing}
        @input=${this.#typed} @change=${this.#changed}></textarea>
    `;
  }

  /** Selects all that is in it, as one who renames wants it. */
  select(): void {
    this.input.select();
  }

  formResetCallback(): void {
    this.value = this.getAttribute("value") ?? "";
    this.fault = "";
    this.isRefused = false;
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.disabled = isDisabled;
  }

  /** Whether the form takes the value; tells why not where one can see it. */
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  protected override updated(changed: PropertyValues<this>) {
    this.#internals.setFormValue(this.value);
    if (!changed.has("fault") && this.fault) return;
    if (this.fault) this.#internals.setValidity({ customError: true }, this.fault, this.input);
    // Blanks are nothing to whoever asks for a name.
    else if (this.required && this.value.trim() === "" && !this.input.validity.badInput) {
      this.#internals.setValidity({ valueMissing: true }, w("needed"), this.input);
    } else this.#internals.setValidity(this.input.validity, this.input.validationMessage, this.input);
    if (this.isRefused && this.#internals.validity.valid) this.isRefused = false;
  }

  readonly #refuse = (event: Event) => {
    // The browser's own bubble speaks its own language and is gone with the next click.
    event.preventDefault();
    this.isRefused = true;
    if (this.#internals.form?.querySelector(":invalid") === this) this.focus();
  };

  #sentence(): string {
    const { valueMissing, rangeUnderflow, rangeOverflow, stepMismatch, badInput, typeMismatch, valid } =
      this.#internals.validity;
    if (valid) return "";
    if (valueMissing) return w("needed");
    if (rangeUnderflow) return w("atLeast", { least: this.min ?? "" });
    if (rangeOverflow) return w("atMost", { most: this.max ?? "" });
    if (stepMismatch) return this.step === "1" ? w("wholeNumber") : w("inSteps", { step: this.step ?? "1" });
    if (badInput) return w("number");
    return typeMismatch && this.type === "url" ? w("address") : w("notSo");
  }

  readonly #typed = () => {
    this.value = this.input.value;
  };

  readonly #changed = () => {
    this.value = this.input.value;
    // The native one does not leave the shadow tree.
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  };

  readonly #submitOnEnter = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.isComposing) this.#internals.form?.requestSubmit();
  };
}
