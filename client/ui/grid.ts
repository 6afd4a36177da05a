import {
  adoptStyles,
  css,
  type CSSResultOrNative,
  html,
  LitElement,
  nothing,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { controlStyles } from "./control_styles.ts";
import {
  invert,
  type ListSelection,
  NOTHING_SELECTED,
  type Reach,
  reach,
  reachOf,
} from "./list_selection.ts";
import { MenuEvent, NearEndEvent, OpenEvent, SelectEvent } from "./list_events.ts";
import { VirtualRows } from "./virtual_rows.ts";

/** What a tile is told about its place. */
export interface TileFacts {
  readonly index: number;
  readonly isSelected: boolean;
  /** The keyboard is here. */
  readonly isActive: boolean;
}

const NEAR_END_ROWS = 4;

/**
 * A contact sheet of any length: only what is in view is rendered. Give `.items`, `.tile` (one element with its own
 * styles, e.g. st-tile), `.labelOf`. It scrolls by itself and has one tab stop: arrows move and select, Shift extends,
 * Ctrl moves without selecting, Space adds or takes, Ctrl+A takes all, Ctrl+I inverts, Esc none, Enter opens. Every other key bubbles.
 * Sends st-select, st-open, st-menu-wanted, st-near-end.
 */
@customElement("st-grid")
export class Grid<Item = unknown> extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        position: relative;
        height: 100%;
        min-height: 0;
        overflow: auto;
        overflow-anchor: none;
        scrollbar-gutter: stable;
        contain: strict;
      }
      [role="grid"] {
        position: relative;
        min-height: 100%;
      }
      [role="grid"]:focus-visible {
        outline: none;
        box-shadow: none;
      }
      [role="row"] {
        position: absolute;
        inset-inline: 0;
        top: 0;
        display: grid;
        gap: var(--grid-gap);
        contain: layout style;
      }
      /* Not paint: every clip is one more piece that the browser has to put together when one scrolls. */
      [role="gridcell"] {
        position: relative;
        min-width: 0;
        contain: size layout style;
        cursor: default;
      }
      [aria-selected="true"]::after {
        content: "";
        position: absolute;
        inset: 0;
        border: var(--size-running-line) solid var(--color-ion);
        pointer-events: none;
      }
      [role="grid"]:focus-visible .active {
        outline: var(--size-running-line) solid var(--color-ion);
        outline-offset: var(--size-hairline);
        box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-ion) 25%, transparent);
        z-index: 1;
      }
    `,
  ];

  @property({ attribute: false })
  accessor items: readonly Item[] = [];
  @property({ attribute: false })
  accessor idOf: (item: Item) => string = (item) => (item as { readonly id: string }).id; // Unless said otherwise.
  @property({ attribute: false })
  accessor labelOf: (item: Item) => string = () => "";
  @property({ attribute: false })
  accessor tile: (item: Item, facts: TileFacts) => TemplateResult | string = (item) => this.labelOf(item);
  /** The least width of a tile in pixels: what a zoom slider moves. */
  @property({ type: Number, attribute: "tile-size" })
  accessor tileSize = 0;
  /** Width by height of a tile's picture. */
  @property({ type: Number })
  accessor ratio = 16 / 9;
  /** Pixels under the picture, for its words. */
  @property({ type: Number })
  accessor caption = 0;
  @property({ attribute: false })
  accessor selected: ReadonlySet<string> = new Set();
  /** The id of the item that has the keyboard. */
  @property({ attribute: false })
  accessor active: string | undefined;
  /** What is shown, for screen readers. */
  @property()
  accessor label = "";
  /** One at a time only. */
  @property({ type: Boolean })
  accessor single = false;
  /** Styles for tiles that are not elements of their own. */
  @property({ attribute: false })
  accessor tileStyles: CSSResultOrNative | undefined;
  @state()
  accessor anchor: string | undefined;

  readonly #rows = new VirtualRows(this);
  #ids: readonly string[] = [];
  #places = new Map<string, number>();
  #columns = 1;
  #askedAt = -1;

  protected override willUpdate(changed: PropertyValues<this>) {
    if (!changed.has("items") && !changed.has("idOf")) return;
    this.#ids = this.items.map((item) => this.idOf(item));
    this.#places = new Map(this.#ids.map((id, index) => [id, index]));
    // Items that are gone can't be acted on.
    const left = [...this.selected].filter((id) => this.#places.has(id));
    if (left.length !== this.selected.size) this.selected = new Set(left);
    if (this.active !== undefined && !this.#places.has(this.active)) this.active = undefined;
  }

  override render() {
    const { rowHeight, gap } = this.#layOut();
    const rows = Math.ceil(this.items.length / this.#columns);
    const range = this.#rows.range(rows, rowHeight);
    const at = this.active === undefined ? -1 : this.#places.get(this.active) ?? -1;
    return html`
      <div role="grid" tabindex="0" aria-label=${this.label} aria-rowcount=${rows} aria-colcount=${this
        .#columns}
        aria-multiselectable=${this.single ? "false" : "true"}
        aria-activedescendant=${at < 0 ? nothing : `tile-${at}`}
        .style=${`height: ${Math.max(0, rows * rowHeight - gap)}px`}
        @keydown=${this.#press} @click=${this.#click} @dblclick=${this.#open} @contextmenu=${this.#wantMenu}
        @focus=${this.#arrive}>
        ${repeat(
          this.#rows.inOrder(range),
          (row) => row % range.pool,
          (row) => this.#row(row, rowHeight, gap),
        )}
      </div>
    `;
  }

  /** The sizes that follow from the view's width. */
  #layOut(): { rowHeight: number; gap: number } {
    const gap = this.#rows.length("--space-1");
    const least = this.tileSize || this.#rows.length("--size-tile") || 1;
    this.#columns = Math.max(1, Math.floor((this.#rows.width + gap) / (least + gap)));
    const width = (this.#rows.width - gap * (this.#columns - 1)) / this.#columns;
    return { rowHeight: Math.max(1, Math.round(width / this.ratio) + this.caption + gap), gap };
  }

  #row(row: number, rowHeight: number, gap: number) {
    const start = row * this.#columns;
    const style = `transform: translateY(${row * rowHeight}px); height: ${rowHeight - gap}px; ` +
      `grid-template-columns: repeat(${this.#columns}, minmax(0, 1fr)); --grid-gap: ${gap}px`;
    return html`
      <div role="row" aria-rowindex=${row + 1} .style=${style}>
        ${this.items.slice(start, start + this.#columns).map((item, at) =>
          this.#cell(item, start + at, at + 1)
        )}
      </div>
    `;
  }

  #cell(item: Item, index: number, column: number) {
    const id = this.#ids[index] ?? "";
    const isSelected = this.selected.has(id);
    const isActive = this.active === id;
    return html`
      <div role="gridcell" id=${`tile-${index}`} aria-colindex=${column}
        aria-selected=${isSelected ? "true" : "false"} class=${isActive ? "active" : ""}
        data-index=${index}>${this.tile(item, { index, isSelected, isActive })}</div>
    `;
  }

  protected override updated(changed: PropertyValues<this>) {
    if (changed.has("tileStyles") && this.tileStyles) {
      adoptStyles(this.shadowRoot ?? this.attachShadow({ mode: "open" }), [
        ...(this.constructor as typeof Grid).elementStyles,
        this.tileStyles,
      ]);
    }
    const rows = Math.ceil(this.items.length / this.#columns);
    if (this.#rows.height === 0 || this.#rows.lastInView < rows - NEAR_END_ROWS) return;
    if (this.#askedAt === this.items.length) return;
    this.#askedAt = this.items.length;
    this.dispatchEvent(new NearEndEvent());
  }

  /** Gives an item the keyboard, and scrolls to it. */
  goTo(id: string, how: Reach = "only"): void {
    const index = this.#places.get(id);
    if (index === undefined) return;
    this.#rows.reveal(Math.floor(index / this.#columns));
    const now: ListSelection = { ids: this.selected, active: this.active, anchor: this.anchor };
    this.#take(reach(now, this.#ids, id, this.single && how !== "move" ? "only" : how));
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>('[role="grid"]')?.focus(options);
  }

  #take({ ids, active, anchor }: ListSelection): void {
    const isSame = ids.size === this.selected.size && [...ids].every((id) => this.selected.has(id));
    this.selected = ids;
    this.active = active;
    this.anchor = anchor;
    if (!isSame) this.dispatchEvent(new SelectEvent(this.#ids.filter((id) => ids.has(id))));
  }

  readonly #press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.isComposing || this.items.length === 0) return;
    if (this.#move(event) || this.#choose(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  #move(event: KeyboardEvent): boolean {
    const at = this.active === undefined ? -1 : this.#places.get(this.active) ?? -1;
    const columns = this.#columns;
    const page = columns * Math.max(1, Math.floor(this.#rows.height / this.#layOut().rowHeight));
    const isRtl = getComputedStyle(this).direction === "rtl";
    const last = this.items.length - 1;
    const to: Readonly<Record<string, number>> = {
      ArrowRight: at + (isRtl ? -1 : 1),
      ArrowLeft: at - (isRtl ? -1 : 1),
      ArrowDown: at < 0
        ? 0
        : at + columns > last && Math.floor(at / columns) < Math.floor(last / columns)
        ? last
        : at + columns,
      ArrowUp: at - columns,
      PageDown: Math.min(last, at + page),
      PageUp: Math.max(0, at - page),
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (next === undefined || event.altKey) return false;
    const id = this.#ids[at < 0 ? 0 : next];
    if (id !== undefined) this.goTo(id, reachOf(event, "move"));
    return true;
  }

  #choose(event: KeyboardEvent): boolean {
    const now: ListSelection = { ids: this.selected, active: this.active, anchor: this.anchor };
    const hasModifier = event.ctrlKey || event.metaKey;
    if (event.key === " " && this.active !== undefined && !event.shiftKey) this.goTo(this.active, "toggle");
    else if (event.key === "Enter" && this.active !== undefined && !hasModifier) {
      this.dispatchEvent(new OpenEvent(this.active));
    } else if (event.key === "a" && hasModifier && !this.single) {
      this.#take({ ...now, ids: new Set(this.#ids) });
    } else if (event.key === "i" && hasModifier && !this.single) this.#take(invert(now, this.#ids));
    else if (event.key === "Escape" && this.selected.size > 0) {
      this.#take({ ...NOTHING_SELECTED, active: this.active });
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.#wantMenuHere();
    else return false;
    return true;
  }

  readonly #click = (event: MouseEvent) => {
    const id = this.#idAt(event);
    if (id === undefined) {
      if (!event.shiftKey && !event.ctrlKey) this.#take({ ...NOTHING_SELECTED, active: this.active });
    } else this.goTo(id, reachOf(event, "toggle"));
  };

  readonly #open = (event: MouseEvent) => {
    const id = this.#idAt(event);
    if (id !== undefined) this.dispatchEvent(new OpenEvent(id));
  };

  readonly #wantMenu = (event: MouseEvent) => {
    const id = this.#idAt(event);
    if (id === undefined) return;
    event.preventDefault();
    // A menu is for all that is selected when it is asked for on one of these.
    this.goTo(id, this.selected.has(id) ? "move" : "only");
    this.dispatchEvent(new MenuEvent(id, event.clientX, event.clientY));
  };

  #wantMenuHere(): void {
    const at = this.active === undefined ? undefined : this.#places.get(this.active);
    const box = this.renderRoot.querySelector(`#tile-${at}`)?.getBoundingClientRect();
    if (this.active !== undefined && box) {
      this.dispatchEvent(new MenuEvent(this.active, box.left + box.width / 2, box.top + box.height / 2));
    }
  }

  readonly #arrive = () => {
    const first = this.#ids[0];
    if (this.active === undefined && first !== undefined && this.matches(":focus-within")) {
      this.active = first;
    }
  };

  #idAt(event: Event): string | undefined {
    const cell = event.composedPath().find((one) =>
      one instanceof HTMLElement && one.getAttribute("role") === "gridcell"
    );
    return cell instanceof HTMLElement ? this.#ids[Number(cell.dataset["index"])] : undefined;
  }
}
