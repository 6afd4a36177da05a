import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { buttonStyles, controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import { ariaKeys } from "./kbd.ts";
import { hideTip, showTip } from "./tooltip.ts";

/**
 * A button that is an icon: `<st-icon-button icon="trash" label="Delete the take" keys="delete">`. Its label is its
 * name and its tip. `click` does not come while it is disabled or has a reason why not.
 */
@customElement("st-icon-button")
export class IconButton extends LitElement {
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
      :host([small]) .button {
        width: var(--size-control-small);
        min-height: var(--size-control-small);
      }
    `,
  ];

  @property()
  accessor icon: IconName = "more";
  @property()
  accessor label = "";
  @property()
  accessor variant: "quiet" | "plain" | "primary" | "danger" = "quiet";
  /** For the slim headers of areas. */
  @property({ type: Boolean, reflect: true })
  accessor small = false;
  @property({ type: Boolean, reflect: true })
  accessor disabled = false;
  /** Why it cannot be pressed now, a sentence. */
  @property({ attribute: "why-not" })
  accessor whyNot = "";
  @property({ attribute: false })
  accessor pressed: boolean | undefined;
  @property({ attribute: false })
  accessor expanded: boolean | undefined;
  @property({ attribute: false })
  accessor opens: "menu" | "dialog" | "listbox" | undefined;
  /** What its tip says beyond its label. */
  @property()
  accessor tip = "";
  @property()
  accessor keys = "";

  constructor() {
    super();
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
      <button class="button bare ${this.variant}" type="button" part="button" aria-label=${this.label}
        ?disabled=${this.disabled}
        aria-disabled=${this.whyNot ? "true" : nothing}
        aria-description=${this.whyNot || this.tip || nothing}
        aria-keyshortcuts=${this.keys ? ariaKeys(this.keys) : nothing}
        aria-pressed=${this.pressed === undefined ? nothing : String(this.pressed) as "true" | "false"}
        aria-expanded=${this.expanded === undefined ? nothing : String(this.expanded) as "true" | "false"}
        aria-haspopup=${this.opens ?? nothing}>${icon(this.icon)}</button>
    `;
  }

  #refuse(event: Event): void {
    if (!this.disabled && !this.whyNot) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #showTip(): void {
    const text = this.whyNot || [this.label, this.tip].filter(Boolean).join(". ");
    showTip(this, { text, keys: this.keys || undefined });
  }
}
