import { css, html, LitElement } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { controlStyles, floatStyles } from "./control_styles.ts";
import { type Anchor, placeBeside, type Side } from "./place_beside.ts";

/**
 * Something that opens beside its trigger and goes with a click elsewhere or Esc:
 * `<st-popover label="Filter"><st-button slot="trigger">Filter</st-button> … </st-popover>`. Sends `st-toggle`.
 */
@customElement("st-popover")
export class Popover extends LitElement {
  static override styles = [
    controlStyles,
    floatStyles,
    css`
      :host {
        display: inline-block;
        vertical-align: middle;
      }
      .float {
        margin: var(--space-1) 0;
        padding: var(--space-3);
      }
    `,
  ];

  /** Its name for screen readers. */
  @property()
  accessor label = "";
  @property()
  accessor side: Side = "below";
  /** Whether it shows; read it, and use `show()` and `hide()`. */
  @property({ type: Boolean, reflect: true })
  accessor open = false;
  @query(".float")
  accessor float!: HTMLElement;

  override disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("scroll", this.#follow, { capture: true });
  }

  override render() {
    return html`
      <slot name="trigger" @click=${this.#toggle} @slotchange=${this.#tellTrigger}></slot>
      <div class="float" popover="auto" role="dialog" aria-label=${this.label} @toggle=${this.#toggled}
        @beforetoggle=${this.#before}>
        <slot></slot>
      </div>
    `;
  }

  /** Opens it beside its trigger, or beside `anchor`. */
  show(anchor?: Anchor): void {
    this.#anchor = anchor;
    if (!this.open) this.float.showPopover();
    this.#follow();
  }

  hide(): void {
    if (this.open) this.float.hidePopover();
  }

  #wasOpen = false;
  #anchor: Anchor | undefined;

  // The click on the trigger that closes it has closed it already, as a click elsewhere.
  readonly #before = (event: ToggleEvent) => {
    this.#wasOpen = event.newState === "closed";
    setTimeout(() => this.#wasOpen = false);
  };

  readonly #toggle = () => {
    if (this.open || this.#wasOpen) this.hide();
    else this.show();
  };

  readonly #toggled = (event: ToggleEvent) => {
    this.open = event.newState === "open";
    this.#tellTrigger();
    if (this.open) {
      this.#follow();
      addEventListener("scroll", this.#follow, { capture: true, passive: true });
    } else removeEventListener("scroll", this.#follow, { capture: true });
    this.dispatchEvent(new Event("st-toggle", { bubbles: true, composed: true }));
  };

  readonly #follow = () => placeBeside(this.float, this.#anchor ?? this.getBoundingClientRect(), this.side);

  readonly #tellTrigger = () => {
    for (const trigger of this.querySelectorAll(':scope > [slot="trigger"]')) {
      Object.assign(trigger, { expanded: this.open, opens: "dialog" });
    }
  };
}
