import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { buttonStyles, controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import { ariaKeys } from "./kbd.ts";
import { hideTip, showTip } from "./tooltip.ts";

export type ButtonVariant = "plain" | "primary" | "quiet" | "danger";

/**
 * A button with words: `<st-button icon="plus" variant="primary">New clip</st-button>`. Listen to `click`: it does
 * not come while the button is disabled, busy, or has a reason why not.
 */
@customElement("st-button")
export class Button extends LitElement {
  static formAssociated = true;
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  };
  static override styles = [
    controlStyles,
    buttonStyles,
    css`
      :host {
        display: inline-block;
        vertical-align: middle;
        border-radius: var(--radius-control);
      }
      .button {
        position: relative;
        overflow: hidden;
      }
      .busy::after {
        content: "";
        position: absolute;
        inset: auto 0 0 0;
        height: var(--size-running-line);
        background: linear-gradient(90deg, transparent, var(--color-plasma), transparent);
        animation: run var(--motion-slow) linear infinite;
      }
      @keyframes run {
        from {
          transform: translateX(-100%);
        }
        to {
          transform: translateX(100%);
        }
      }
    `,
  ];

  @property()
  accessor variant: ButtonVariant = "plain";
  @property()
  accessor icon: IconName | undefined;
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  /** Why it cannot be pressed now, a sentence: it stays reachable, so that everyone can read why. */
  @property({ attribute: "why-not" })
  accessor whyNot = "";
  /** Its work runs: it cannot be pressed twice. */
  @property({ type: Boolean, reflect: true })
  accessor busy = false;
  /** Set for one that stays down: true or false. */
  @property({ attribute: false })
  accessor pressed: boolean | undefined;
  /** Set for one that opens something: whether that is open. */
  @property({ attribute: false })
  accessor expanded: boolean | undefined;
  /** "menu", "dialog": what it opens. */
  @property({ attribute: false })
  accessor opens: "menu" | "dialog" | "listbox" | undefined;
  /** What its tip says beyond its label; nothing shows without. */
  @property()
  accessor tip = "";
  /** Its shortcut, "mod+k": told in the tip and to screen readers. */
  @property()
  accessor keys = "";
  @property()
  accessor type: "button" | "submit" = "button";
  readonly #internals = this.attachInternals();

  constructor() {
    super();
    // Before any listener of whoever uses it.
    this.addEventListener("click", (event) => this.#refuse(event), { capture: true });
    this.addEventListener("pointerenter", (event) => event.pointerType === "touch" || this.#showTip());
    this.addEventListener("pointerleave", () => hideTip(this));
    this.addEventListener("pointerdown", () => hideTip(this));
    this.addEventListener("focusin", () => this.matches(":focus-visible") && this.#showTip());
    this.addEventListener("focusout", () => hideTip(this));
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    hideTip(this);
  }

  override render() {
    return html`
      <button class="button ${this.variant} ${this.busy ? "busy" : ""}" type="button" part="button"
        ?disabled=${this.disabled}
        aria-disabled=${this.whyNot || this.busy ? "true" : nothing}
        aria-busy=${this.busy ? "true" : nothing}
        aria-description=${this.whyNot || this.tip || nothing}
        aria-keyshortcuts=${this.keys ? ariaKeys(this.keys) : nothing}
        aria-pressed=${this.pressed === undefined ? nothing : String(this.pressed) as "true" | "false"}
        aria-expanded=${this.expanded === undefined ? nothing : String(this.expanded) as "true" | "false"}
        aria-haspopup=${this.opens ?? nothing}
        @click=${this.#submit}>
        ${this.icon ? icon(this.icon) : nothing}<slot></slot>
      </button>
    `;
  }

  #refuse(event: Event): void {
    if (!this.disabled && !this.busy && !this.whyNot) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  readonly #submit = () => {
    if (this.type === "submit") this.#internals.form?.requestSubmit();
  };

  #showTip(): void {
    const text = this.whyNot || this.tip;
    if (text) showTip(this, { text, keys: this.keys || undefined });
    else if (this.keys) showTip(this, { text: this.textContent?.trim() ?? "", keys: this.keys });
  }
}
