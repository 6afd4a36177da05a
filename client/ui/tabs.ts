import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName | undefined;
  readonly count?: number | undefined;
  readonly isDisabled?: boolean | undefined;
}

/**
 * One of several views: `.tabs`, `selected` (an id); sends `change`. What is inside is the selected tab's panel:
 * render only that. Arrows, Home and End move, as the ARIA pattern says.
 */
@customElement("st-tabs")
export class Tabs extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-width: 0;
        min-height: 0;
      }
      [role="tablist"] {
        display: flex;
        flex: none;
        gap: var(--space-1);
        overflow-x: auto;
        scrollbar-width: none;
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      button {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        min-height: var(--size-control);
        padding: 0 var(--space-2);
        border: 0;
        border-bottom: var(--size-running-line) solid transparent;
        background: none;
        color: var(--color-text-quiet);
        white-space: nowrap;
        cursor: pointer;
      }
      button:focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      button:hover {
        color: var(--color-text);
      }
      button[aria-selected="true"] {
        border-bottom-color: var(--color-ion);
        color: var(--color-text);
      }
      button:disabled {
        color: var(--color-text-off);
        cursor: default;
      }
      .count {
        color: var(--color-text-quiet);
        font-size: var(--size-label);
      }
      [role="tabpanel"] {
        flex: 1;
        min-height: 0;
        overflow: auto;
      }
    `,
  ];

  @property({ attribute: false })
  accessor tabs: readonly Tab[] = [];
  @property()
  accessor selected = "";
  /** What the tabs divide, for screen readers. */
  @property()
  accessor label = "";

  override render() {
    return html`
      <div role="tablist" aria-label=${this.label || nothing} @keydown=${this.#move}>
        ${this.tabs.map((tab) => this.#tab(tab))}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby=${`tab-${this.#current}`} tabindex="0"><slot></slot></div>
    `;
  }

  get #current(): string {
    return this.tabs.some(({ id }) => id === this.selected) ? this.selected : this.tabs[0]?.id ?? "";
  }

  #tab({ id, label, icon: name, count, isDisabled }: Tab) {
    const isSelected = id === this.#current;
    return html`
      <button role="tab" id=${`tab-${id}`} aria-controls="panel" aria-selected=${isSelected
        ? "true"
        : "false"}
        tabindex=${isSelected ? "0" : "-1"} ?disabled=${isDisabled ?? false} @click=${() => this.#select(id)}>
        ${name ? icon(name) : nothing}${label}
        ${count === undefined ? nothing : html`<span class="count">${count}</span>`}
      </button>
    `;
  }

  readonly #move = (event: KeyboardEvent) => {
    const usable = this.tabs.filter(({ isDisabled }) => !isDisabled);
    const at = usable.findIndex(({ id }) => id === this.#current);
    const isRtl = getComputedStyle(this).direction === "rtl";
    const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1 }[event.key];
    const next = step !== undefined
      ? usable.at((at + step) % usable.length)
      : event.key === "Home"
      ? usable[0]
      : event.key === "End"
      ? usable.at(-1)
      : undefined;
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    this.#select(next.id);
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>('[aria-selected="true"]')?.focus()
    );
  };

  #select(id: string): void {
    if (id === this.#current) return;
    this.selected = id;
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  }
}
