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
import { icon } from "./icons.ts";
import {
  invert,
  type ListSelection,
  NOTHING_SELECTED,
  type Reach,
  reach,
  reachOf,
} from "./list_selection.ts";
import { MenuEvent, MoveEvent, NearEndEvent, OpenEvent, SelectEvent, SortEvent } from "./list_events.ts";
import { VirtualRows } from "./virtual_rows.ts";

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  /** A CSS grid track: "minmax(12ch, 2fr)", "9ch". */
  readonly width: string;
  /** Numbers stand at the end. */
  readonly align?: "start" | "end" | undefined;
  readonly isSortable?: boolean | undefined;
  /** The label is for screen readers only: for columns of marks. */
  readonly isLabelUnseen?: boolean | undefined;
  cell(row: Row): TemplateResult | string | number | typeof nothing;
}

export interface Sort {
  readonly column: string;
  readonly isDescending: boolean;
}

const NEAR_END_ROWS = 20;

/**
 * Rows of facts, of any number: only those in view are rendered. `.rows`, `.columns`; one tab stop, arrows move and
 * select, Shift extends, Ctrl moves only, Space adds or takes, Ctrl+A all, Ctrl+I inverts, Esc none, Enter opens;
 * with `reorder`, Alt+arrows and dragging ask for another place; who hears it takes along what is selected with the row. It never sorts by itself: it sends st-sort. Also
 * sends st-select, st-open, st-menu-wanted, st-move, st-near-end.
 */
@customElement("st-table")
export class Table<Row = unknown> extends LitElement {
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
        contain: strict;
        font-size: var(--size-text);
      }
      [role="grid"] {
        position: relative;
        min-width: var(--size-table-least);
        min-height: 100%;
      }
      [role="grid"]:focus-visible {
        outline: none;
        box-shadow: none;
      }
      [role="row"] {
        display: grid;
        grid-template-columns: var(--columns);
        column-gap: var(--space-3);
        align-items: center;
        width: 100%;
        height: var(--size-row);
        padding: 0 var(--space-2);
        border-bottom: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
      }
      .head {
        position: sticky;
        top: 0;
        z-index: 1;
        height: var(--size-control);
        background: var(--color-surface);
        border-bottom-color: var(--color-line);
        color: var(--color-text-quiet);
      }
      /* Not on the row: its columns are counted in its letters, as those of the rows below. */
      .head > * {
        font-size: var(--size-label);
      }
      .body > [role="row"] {
        position: absolute;
        inset-inline: 0;
        contain: strict;
        cursor: default;
      }
      .body {
        position: relative;
      }
      .body > [role="row"]:hover {
        background: var(--color-surface);
      }
      .body > [aria-selected="true"],
      .body > [aria-selected="true"]:hover {
        background: color-mix(in oklab, var(--color-ion) 12%, var(--color-ground));
        box-shadow: inset var(--size-running-line) 0 0 var(--color-ion);
      }
      [role="grid"]:focus-visible .active {
        outline: var(--size-running-line) solid var(--color-ion);
        outline-offset: calc(-1 * var(--size-running-line));
      }
      [role="gridcell"],
      [role="columnheader"] {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .end {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .head button {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        max-width: 100%;
        padding: 0;
        border: 0;
        background: none;
        cursor: pointer;
      }
      .head button:hover {
        color: var(--color-text);
      }
      .head button:focus-visible {
        outline-offset: calc(-1 * var(--size-hairline));
      }
      .head .icon {
        width: var(--size-mark);
        height: var(--size-mark);
      }
      .before {
        box-shadow: inset 0 var(--size-running-line) 0 var(--color-ion);
      }
      .quiet {
        color: var(--color-text-quiet);
      }
      .mono {
        font-family: var(--font-mono);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @property({ attribute: false })
  accessor rows: readonly Row[] = [];
  @property({ attribute: false })
  accessor columns: readonly Column<Row>[] = [];
  @property({ attribute: false })
  accessor idOf: (row: Row) => string = (row) => (row as { readonly id: string }).id; // Unless said otherwise.
  @property({ attribute: false })
  accessor selected: ReadonlySet<string> = new Set();
  @property({ attribute: false })
  accessor active: string | undefined;
  @property({ attribute: false })
  accessor sort: Sort | undefined;
  @property()
  accessor label = "";
  @property({ type: Boolean })
  accessor single = false;
  /** Rows can be put elsewhere. */
  @property({ type: Boolean })
  accessor reorder = false;
  /** Styles for what cells render; "quiet" and "mono" are there. */
  @property({ attribute: false })
  accessor cellStyles: CSSResultOrNative | undefined;
  @state()
  accessor dropBefore: string | undefined;
  #anchor: string | undefined;
  #dragged: string | undefined;
  readonly #view = new VirtualRows(this);
  #ids: readonly string[] = [];
  #places = new Map<string, number>();
  #askedAt = -1;

  protected override willUpdate(changed: PropertyValues<this>) {
    if (!changed.has("rows") && !changed.has("idOf")) return;
    this.#ids = this.rows.map((row) => this.idOf(row));
    this.#places = new Map(this.#ids.map((id, index) => [id, index]));
    const left = [...this.selected].filter((id) => this.#places.has(id));
    if (left.length !== this.selected.size) this.selected = new Set(left);
    if (this.active !== undefined && !this.#places.has(this.active)) this.active = undefined;
  }

  override render() {
    const height = this.#rowHeight();
    const range = this.#view.range(this.rows.length, height);
    const at = this.active === undefined ? -1 : this.#places.get(this.active) ?? -1;
    return html`
      <div role="grid" tabindex="0" aria-label=${this.label} aria-rowcount=${this.rows.length + 1}
        aria-colcount=${this.columns.length} aria-multiselectable=${this.single ? "false" : "true"}
        aria-activedescendant=${at < 0 ? nothing : `row-${at}`}
        .style=${`--columns: ${this.columns.map(({ width }) => width).join(" ")}`}
        @keydown=${this.#press} @click=${this.#click} @dblclick=${this.#open} @contextmenu=${this.#wantMenu}
        @focus=${this.#arrive}>
        <div role="row" class="head" aria-rowindex="1">${this.columns.map((column) =>
          this.#header(column)
        )}</div>
        <div class="body" role="rowgroup" .style=${`height: ${this.rows.length * height}px`}>
          ${repeat(this.#view.inOrder(range), (row) => row % range.pool, (row) => this.#row(row, height))}
        </div>
      </div>
    `;
  }

  #rowHeight(): number {
    return this.#view.length("--size-row") || 1;
  }

  #header({ id, label, align, isSortable, isLabelUnseen }: Column<Row>) {
    const isSorted = this.sort?.column === id;
    const order = !isSorted ? "none" : this.sort?.isDescending ? "descending" : "ascending";
    const flip = () => this.dispatchEvent(new SortEvent(id, isSorted ? !this.sort?.isDescending : false));
    return html`
      <div role="columnheader" class=${align ?? ""} aria-sort=${isSortable ? order : nothing}>
        ${isSortable
          ? html`<button tabindex="-1" @click=${flip}><span class="cut">${label}</span>${
            isSorted ? icon(this.sort?.isDescending ? "arrowDown" : "arrowUp") : nothing
          }</button>`
          : html`<span class=${isLabelUnseen ? "unseen" : ""}>${label}</span>`}
      </div>
    `;
  }

  #row(index: number, height: number) {
    const row = this.rows[index];
    if (row === undefined) return nothing;
    const id = this.#ids[index] ?? "";
    const classes = [this.active === id ? "active" : "", this.dropBefore === id ? "before" : ""].join(" ");
    return html`
      <div role="row" id=${`row-${index}`} aria-rowindex=${index + 2} data-index=${index} class=${classes}
        aria-selected=${this.selected.has(id) ? "true" : "false"} draggable=${this.reorder ? "true" : "false"}
        .style=${`transform: translateY(${index * height}px)`}
        @dragstart=${this.#lift} @dragover=${this.#hover} @drop=${this.#drop} @dragend=${this.#putDown}>
        ${this.columns.map((column) =>
          html`<div role="gridcell" class=${column.align ?? ""}>${column.cell(row)}</div>`
        )}
      </div>
    `;
  }

  protected override updated(changed: PropertyValues<this>) {
    if (changed.has("cellStyles") && this.cellStyles && this.shadowRoot) {
      adoptStyles(this.shadowRoot, [...(this.constructor as typeof Table).elementStyles, this.cellStyles]);
    }
    if (this.#view.height === 0 || this.#view.lastInView < this.rows.length - NEAR_END_ROWS) return;
    if (this.#askedAt === this.rows.length) return;
    this.#askedAt = this.rows.length;
    this.dispatchEvent(new NearEndEvent());
  }

  /** Gives a row the keyboard, and scrolls to it. */
  goTo(id: string, how: Reach = "only"): void {
    const index = this.#places.get(id);
    if (index === undefined) return;
    const head = this.renderRoot.querySelector<HTMLElement>(".head")?.offsetHeight ?? 0;
    this.#view.reveal(index, head);
    this.#take(reach(this.#now(), this.#ids, id, this.single && how !== "move" ? "only" : how));
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>('[role="grid"]')?.focus(options);
  }

  #now(): ListSelection {
    return { ids: this.selected, active: this.active, anchor: this.#anchor };
  }

  #take({ ids, active, anchor }: ListSelection): void {
    const isSame = ids.size === this.selected.size && [...ids].every((id) => this.selected.has(id));
    this.selected = ids;
    this.active = active;
    this.#anchor = anchor;
    if (!isSame) this.dispatchEvent(new SelectEvent(this.#ids.filter((id) => ids.has(id))));
  }

  readonly #press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.isComposing || this.rows.length === 0) return;
    if (this.#shift(event) || this.#move(event) || this.#choose(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  /** Alt+arrow puts the active row, or the selection that it is in, one place up or down. */
  #shift(event: KeyboardEvent): boolean {
    const { active, selected } = this;
    const isUp = event.key === "ArrowUp";
    if (!event.altKey || !this.reorder || active === undefined || !isUp && event.key !== "ArrowDown") {
      return false;
    }
    const ids = selected.has(active) ? [...selected] : [active];
    const places = ids.flatMap((id) => this.#places.get(id) ?? []);
    const to = isUp ? Math.min(...places) - 1 : Math.max(...places) + 2;
    if (to >= 0 && to <= this.#ids.length) this.dispatchEvent(new MoveEvent(active, this.#ids[to]));
    return true;
  }

  #move(event: KeyboardEvent): boolean {
    const at = this.active === undefined ? -1 : this.#places.get(this.active) ?? -1;
    const last = this.rows.length - 1;
    const page = Math.max(1, Math.floor(this.#view.height / this.#rowHeight()) - 1);
    const to: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(last, at + 1),
      ArrowUp: Math.max(0, at - 1),
      PageDown: Math.min(last, at + page),
      PageUp: Math.max(0, at - page),
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (next === undefined || event.altKey) return false;
    const id = this.#ids[next];
    if (id !== undefined) this.goTo(id, reachOf(event, "move"));
    return true;
  }

  #choose(event: KeyboardEvent): boolean {
    const hasModifier = event.ctrlKey || event.metaKey;
    if (event.key === " " && this.active !== undefined && !event.shiftKey) this.goTo(this.active, "toggle");
    else if (event.key === "Enter" && this.active !== undefined && !hasModifier) {
      this.dispatchEvent(new OpenEvent(this.active));
    } else if (event.key === "a" && hasModifier && !this.single) {
      this.#take({ ...this.#now(), ids: new Set(this.#ids) });
    } else if (event.key === "i" && hasModifier && !this.single) this.#take(invert(this.#now(), this.#ids));
    else if (event.key === "Escape" && this.selected.size > 0) {
      this.#take({ ...NOTHING_SELECTED, active: this.active });
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.#wantMenuHere();
    else return false;
    return true;
  }

  readonly #click = (event: MouseEvent) => {
    const id = this.#idAt(event);
    if (id !== undefined) this.goTo(id, reachOf(event, "toggle"));
  };

  readonly #open = (event: MouseEvent) => {
    const id = this.#idAt(event);
    if (id !== undefined) this.dispatchEvent(new OpenEvent(id));
  };

  readonly #wantMenu = (event: MouseEvent) => {
    const id = this.#idAt(event);
    if (id === undefined) return;
    event.preventDefault();
    this.goTo(id, this.selected.has(id) ? "move" : "only");
    this.dispatchEvent(new MenuEvent(id, event.clientX, event.clientY));
  };

  #wantMenuHere(): void {
    const at = this.active === undefined ? undefined : this.#places.get(this.active);
    const box = this.renderRoot.querySelector(`#row-${at}`)?.getBoundingClientRect();
    if (this.active !== undefined && box) {
      this.dispatchEvent(new MenuEvent(this.active, box.left + box.width / 4, box.bottom));
    }
  }

  readonly #arrive = () => {
    if (this.active === undefined) this.active = this.#ids[0];
  };

  readonly #lift = (event: DragEvent) => {
    this.#dragged = this.#idAt(event);
    event.dataTransfer?.setData("text/plain", this.#dragged ?? "");
  };

  readonly #hover = (event: DragEvent) => {
    if (this.#dragged === undefined) return;
    event.preventDefault();
    this.dropBefore = this.#idAt(event);
  };

  readonly #drop = (event: DragEvent) => {
    event.preventDefault();
    const before = this.#idAt(event);
    if (this.#dragged !== undefined && before !== this.#dragged) {
      this.dispatchEvent(new MoveEvent(this.#dragged, before));
    }
    this.#putDown();
  };

  readonly #putDown = () => {
    this.#dragged = undefined;
    this.dropBefore = undefined;
  };

  #idAt(event: Event): string | undefined {
    const row = event.composedPath().find((one) =>
      one instanceof HTMLElement && one.dataset["index"] !== undefined
    );
    return row instanceof HTMLElement ? this.#ids[Number(row.dataset["index"])] : undefined;
  }
}
