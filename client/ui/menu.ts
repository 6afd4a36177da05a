import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { controlStyles, floatStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import { PickEvent } from "./list_events.ts";
import { type Anchor, placeBeside, pointAnchor, type Side } from "./place_beside.ts";
import { w } from "./words.ts";
import "./icon_button.ts";
import "./kbd.ts";

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName | undefined;
  /** Its shortcut, "mod+d". */
  readonly keys?: string | undefined;
  /** Set for what is on or off. */
  readonly isOn?: boolean | undefined;
  /** Why it can't be picked now, a sentence. */
  readonly whyNot?: string | undefined;
  /** What one should know before one picks it, a sentence. */
  readonly note?: string | undefined;
  readonly isDanger?: boolean | undefined;
  /** Items of one group stand together, a line between the groups, its name over them where it has one. */
  readonly group?: string | undefined;
}

const TYPED_MS = 700;

/**
 * A menu of `.items` behind a trigger (its own "more" button, or what is in the slot "trigger"), or at a point with
 * `openAt(x, y)`. Sends `st-pick` with the item's id. Arrows, Home, End and first letters move, Esc closes.
 */
@customElement("st-menu")
export class Menu extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    floatStyles,
    css`
      :host {
        display: inline-block;
        vertical-align: middle;
      }
      .float {
        margin: var(--space-half) 0;
        padding: var(--space-1);
        min-width: 16ch;
      }
      .heading {
        padding: var(--space-1) var(--space-2);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
      }
      hr {
        margin: var(--space-1) 0;
        border: 0;
        border-top: var(--size-hairline) solid var(--color-line);
      }
      button {
        display: grid;
        grid-template-columns: var(--size-icon) minmax(0, 1fr) auto;
        gap: 0 var(--space-2);
        align-items: center;
        width: 100%;
        min-height: var(--size-control);
        padding: var(--space-1) var(--space-2);
        border: 0;
        border-radius: var(--radius-control);
        background: none;
        text-align: start;
        cursor: pointer;
      }
      button:is(:hover, :focus) {
        background: var(--color-hover);
      }
      button:focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      button > .icon {
        color: var(--color-text-quiet);
      }
      button > .on {
        color: var(--color-ion);
      }
      .danger > .icon {
        color: var(--color-ember);
      }
      [aria-disabled="true"] {
        color: var(--color-text-off);
        cursor: default;
      }
      .why {
        grid-column: 2 / -1;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @property({ attribute: false })
  accessor items: readonly MenuItem[] = [];
  /** Its name for screen readers, and its own trigger's. */
  @property()
  accessor label = "";
  @property()
  accessor icon: IconName = "more";
  @property()
  accessor side: Side = "below";
  @property({ type: Boolean, reflect: true })
  accessor open = false;
  @query(".float")
  accessor float!: HTMLElement;
  #typed = "";
  #typedAt = 0;
  #wasOpen = false;
  #returnTo: Element | null = null;

  override disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("scroll", this.#scrolled, { capture: true });
  }

  override render() {
    const label = this.label || w("more");
    return html`
      <slot name="trigger" @click=${this.#toggle} @keydown=${this.#openByKey} @slotchange=${this
        .#tellTrigger}>
        <st-icon-button icon=${this.icon} label=${label} .expanded=${this.open}
          .opens=${"menu" as const}></st-icon-button>
      </slot>
      <div class="float" popover="auto" role="menu" aria-label=${label} @beforetoggle=${this.#before}
        @toggle=${this.#toggled} @keydown=${this.#move}>
        ${this.open ? this.#list() : nothing}
      </div>
    `;
  }

  #list() {
    return this.items.map((item, at) => {
      const previous = this.items[at - 1];
      const isNewGroup = (item.group ?? "") !== (previous?.group ?? "");
      return html`
        ${isNewGroup && previous ? html`<hr role="separator">` : nothing}
        ${isNewGroup && item.group?.trim()
          ? html`<div class="heading" role="presentation">${item.group}</div>`
          : nothing}
        ${this.#item(item)}
      `;
    });
  }

  #item({ id, label, icon: name, keys, isOn, whyNot, note, isDanger }: MenuItem) {
    return html`
      <button role=${isOn === undefined ? "menuitem" : "menuitemcheckbox"} tabindex="-1"
        class=${isDanger ? "danger" : ""} aria-checked=${isOn === undefined
          ? nothing
          : isOn
          ? "true"
          : "false"}
        aria-disabled=${whyNot ? "true" : nothing} @click=${() => whyNot || this.#pick(id)}
        @pointermove=${focusIt}>
        ${isOn ? html`<span class="on">${icon("check")}</span>` : name ? icon(name) : html`<span></span>`}
        <span class="cut">${label}</span>
        ${keys ? html`<st-kbd keys=${keys}></st-kbd>` : nothing}
        ${whyNot || note ? html`<span class="why">${whyNot || note}</span>` : nothing}
      </button>
    `;
  }

  /** Opens it at a point of the window, as a context menu. */
  openAt(x: number, y: number): void {
    void this.#show(pointAnchor(x, y));
  }

  hide(): void {
    if (this.open) this.float.hidePopover();
  }

  async #show(anchor: Anchor, isLast = false): Promise<void> {
    this.#returnTo = deepestFocus();
    this.open = true;
    await this.updateComplete;
    if (!this.float.matches(":popover-open")) this.float.showPopover();
    placeBeside(this.float, anchor, this.side);
    const buttons = this.#buttons();
    buttons.at(isLast ? -1 : 0)?.focus();
  }

  #buttons(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>(".float button")];
  }

  readonly #before = (event: ToggleEvent) => {
    this.#wasOpen = event.newState === "closed";
    setTimeout(() => this.#wasOpen = false);
  };

  readonly #toggled = (event: ToggleEvent) => {
    this.open = event.newState === "open";
    if (this.open) addEventListener("scroll", this.#scrolled, { capture: true, passive: true });
    else removeEventListener("scroll", this.#scrolled, { capture: true });
    this.#tellTrigger();
  };

  /** What it was opened beside moves away from under it. */
  readonly #scrolled = (event: Event) => {
    if (!event.composedPath().includes(this.float)) this.hide();
  };

  readonly #toggle = () => {
    if (this.open || this.#wasOpen) this.hide();
    else void this.#show(this.getBoundingClientRect());
  };

  readonly #openByKey = (event: KeyboardEvent) => {
    if (this.open || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    event.preventDefault();
    event.stopPropagation();
    void this.#show(this.getBoundingClientRect(), event.key === "ArrowUp");
  };

  readonly #tellTrigger = () => {
    for (const trigger of this.querySelectorAll(':scope > [slot="trigger"]')) {
      Object.assign(trigger, { expanded: this.open, opens: "menu" });
    }
  };

  readonly #move = (event: KeyboardEvent) => {
    // No key meant for the menu may reach the panel behind it.
    event.stopPropagation();
    const buttons = this.#buttons();
    const at = buttons.indexOf(event.target as HTMLElement); // Keys come from the focused item.
    const to: Readonly<Record<string, number>> = {
      ArrowDown: (at + 1) % buttons.length,
      ArrowUp: (at - 1 + buttons.length) % buttons.length,
      Home: 0,
      End: buttons.length - 1,
    };
    const next = to[event.key] ?? this.#findTyped(event, at, buttons);
    if (next !== undefined) {
      event.preventDefault();
      buttons[next]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      this.#close();
    }
  };

  #findTyped(event: KeyboardEvent, at: number, buttons: readonly HTMLElement[]): number | undefined {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) {
      return undefined;
    }
    const now = performance.now();
    this.#typed = (now - this.#typedAt < TYPED_MS ? this.#typed : "") + event.key.toLocaleLowerCase();
    this.#typedAt = now;
    const start = this.#typed.length > 1 ? at : at + 1;
    for (let step = 0; step < buttons.length; step++) {
      const index = (start + step) % buttons.length;
      if (this.items[index]?.label.toLocaleLowerCase().startsWith(this.#typed)) return index;
    }
    return undefined;
  }

  #pick(id: string): void {
    this.#close();
    this.dispatchEvent(new PickEvent(id));
  }

  /** Closes it and puts the focus back where it was. */
  #close(): void {
    this.hide();
    if (this.#returnTo instanceof HTMLElement) this.#returnTo.focus();
  }
}

function focusIt(event: Event): void {
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus({ preventScroll: true });
}

/** What really has the focus: the document names only the outermost element around it. */
function deepestFocus(): Element | null {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return focused;
}
