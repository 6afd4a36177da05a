import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { controlStyles } from "./control_styles.ts";
import { icon, type IconName } from "./icons.ts";
import { ExpandEvent, MenuEvent, OpenEvent, SelectEvent } from "./list_events.ts";
import type { State } from "./state_mark.ts";
import { VirtualRows } from "./virtual_rows.ts";
import "./state_mark.ts";

export interface TreeNode {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName | undefined;
  readonly state?: State | undefined;
  /** The state as a word: for the pointer, and for those who see no shape. */
  readonly stateWord?: string | undefined;
  /** A fact at the end of its line. */
  readonly detail?: string | undefined;
  readonly children?: readonly TreeNode[] | undefined;
}

interface Line {
  readonly node: TreeNode;
  readonly level: number;
  readonly at: number;
  readonly of: number;
  readonly parent: string | undefined;
}

const TYPED_MS = 700;

/**
 * Things within things, of any number: `.nodes`, `.expanded` (ids), `selected` (one id). Up, Down, Home, End and first
 * letters move and select, Right opens a branch or enters it, Left closes it or goes to its parent, Enter opens the
 * item. Sends st-select, st-open, st-expand, st-menu-wanted.
 */
@customElement("st-tree")
export class Tree extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        height: 100%;
        min-height: 0;
        overflow: auto;
        overflow-anchor: none;
        contain: strict;
      }
      [role="tree"] {
        position: relative;
        min-height: 100%;
      }
      [role="tree"]:focus-visible {
        outline: none;
        box-shadow: none;
      }
      [role="treeitem"] {
        position: absolute;
        inset-inline: 0;
        display: flex;
        align-items: center;
        gap: var(--space-1);
        height: var(--size-control-small);
        padding-inline: calc(var(--level) * var(--space-3)) var(--space-2);
        cursor: default;
        contain: layout style;
      }
      [role="treeitem"]:hover {
        background: var(--color-hover);
      }
      [role="treeitem"][aria-selected="true"] {
        background: color-mix(in oklab, var(--color-ion) 12%, var(--color-ground));
        box-shadow: inset var(--size-running-line) 0 0 var(--color-ion);
      }
      [role="tree"]:focus-visible [aria-selected="true"] {
        outline: var(--size-running-line) solid var(--color-ion);
        outline-offset: calc(-1 * var(--size-running-line));
      }
      .twist {
        flex: none;
        display: grid;
        place-content: center;
        width: var(--size-icon);
        height: var(--size-control-small);
        color: var(--color-text-quiet);
      }
      .twist .icon {
        width: var(--size-mark);
        height: var(--size-mark);
        transition: rotate var(--motion-fast) ease-out;
      }
      [aria-expanded="true"] > .twist .icon {
        rotate: 90deg;
      }
      [aria-expanded="false"] > .twist:dir(rtl) .icon {
        rotate: 180deg;
      }
      .sort {
        color: var(--color-text-quiet);
        display: contents;
      }
      .sort .icon {
        color: var(--color-text-quiet);
      }
      .label {
        flex: 1;
      }
      .detail {
        flex: none;
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: false })
  accessor nodes: readonly TreeNode[] = [];
  @property({ attribute: false })
  accessor expanded: ReadonlySet<string> = new Set();
  @property()
  accessor selected = "";
  @property()
  accessor label = "";
  readonly #view = new VirtualRows(this);
  #lines: readonly Line[] = [];
  #typed = "";
  #typedAt = 0;

  override render() {
    this.#lines = flatten(this.nodes, this.expanded);
    const height = this.#view.length("--size-control-small") || 1;
    const range = this.#view.range(this.#lines.length, height);
    const at = this.#lines.findIndex(({ node }) => node.id === this.selected);
    return html`
      <div role="tree" tabindex="0" aria-label=${this.label}
        aria-activedescendant=${at >= range.first && at < range.end ? `line-${at}` : nothing}
        .style=${`height: ${this.#lines.length * height}px`}
        @keydown=${this.#press} @click=${this.#click} @dblclick=${this.#open} @contextmenu=${this.#wantMenu}>
        ${repeat(
          this.#view.inOrder(range),
          (index) => index % range.pool,
          (index) => this.#line(index, height),
        )}
      </div>
    `;
  }

  #line(index: number, height: number) {
    const line = this.#lines[index];
    if (!line) return nothing;
    const { node, level, at, of } = line;
    const isBranch = node.children !== undefined;
    return html`
      <div role="treeitem" id=${`line-${index}`} data-index=${index} aria-level=${level} aria-posinset=${at}
        aria-setsize=${of} aria-selected=${node.id === this.selected ? "true" : "false"}
        aria-expanded=${isBranch ? this.expanded.has(node.id) ? "true" : "false" : nothing}
        .style=${`--level: ${level - 1}; transform: translateY(${index * height}px)`}>
        <span class="twist">${isBranch ? icon("chevronRight") : nothing}</span>
        ${node.icon ? html`<span class="sort">${icon(node.icon)}</span>` : nothing}
        <span class="label cut" title=${node.label}>${node.label}</span>
        ${node.detail ? html`<span class="detail">${node.detail}</span>` : nothing}
        ${node.state
          ? html`<st-state-mark state=${node.state} title=${node.stateWord ?? nothing}></st-state-mark>${
            node.stateWord ? html`<span class="unseen">${node.stateWord}</span>` : nothing
          }`
          : nothing}
      </div>
    `;
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>('[role="tree"]')?.focus(options);
  }

  /** Scrolls so far that the item shows: what is selected from outside may be out of sight. */
  async reveal(id: string): Promise<void> {
    await this.updateComplete;
    const at = this.#lines.findIndex(({ node }) => node.id === id);
    if (at >= 0) this.#view.reveal(at);
  }

  readonly #press = (event: KeyboardEvent) => {
    if (event.isComposing || this.#lines.length === 0 || event.altKey) return;
    const at = this.#lines.findIndex(({ node }) => node.id === this.selected);
    const isHandled = this.#move(event, at) || this.#twist(event, at) || this.#act(event, at) ||
      this.#type(event, at);
    if (!isHandled) return;
    event.preventDefault();
    event.stopPropagation();
  };

  #move(event: KeyboardEvent, at: number): boolean {
    const last = this.#lines.length - 1;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(last, at + 1),
      ArrowUp: Math.max(0, at - 1),
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (next === undefined) return false;
    this.#select(next);
    return true;
  }

  #twist(event: KeyboardEvent, at: number): boolean {
    const line = this.#lines[at];
    const isRtl = getComputedStyle(this).direction === "rtl";
    const isIn = event.key === (isRtl ? "ArrowLeft" : "ArrowRight");
    const isOut = event.key === (isRtl ? "ArrowRight" : "ArrowLeft");
    if (!line || (!isIn && !isOut)) return false;
    const isOpen = this.expanded.has(line.node.id) && line.node.children !== undefined;
    if (isIn && isOpen && line.node.children?.length) this.#select(at + 1);
    else if (isIn && line.node.children && !isOpen) this.#expand(line.node.id, true);
    else if (isOut && isOpen) this.#expand(line.node.id, false);
    else if (isOut && line.parent !== undefined) {
      this.#select(this.#lines.findIndex(({ node }) => node.id === line.parent));
    }
    return true;
  }

  #act(event: KeyboardEvent, at: number): boolean {
    const node = this.#lines[at]?.node;
    if (!node) return false;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) this.dispatchEvent(new OpenEvent(node.id));
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const box = this.renderRoot.querySelector(`#line-${at}`)?.getBoundingClientRect();
      if (box) this.dispatchEvent(new MenuEvent(node.id, box.left + box.height, box.bottom));
    } else return false;
    return true;
  }

  /** First letters, but only one after another: a single key may be a command of the panel. */
  #type(event: KeyboardEvent, at: number): boolean {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey) return false;
    const now = performance.now();
    this.#typed = (now - this.#typedAt < TYPED_MS ? this.#typed : "") + event.key.toLocaleLowerCase();
    this.#typedAt = now;
    const start = this.#typed.length > 1 ? at : at + 1;
    const count = this.#lines.length;
    for (let step = 0; step < count; step++) {
      const index = (start + step) % count;
      if (this.#lines[index]?.node.label.toLocaleLowerCase().startsWith(this.#typed)) {
        this.#select(index);
        return true;
      }
    }
    return false;
  }

  readonly #click = (event: MouseEvent) => {
    const index = this.#indexAt(event);
    const node = this.#lines[index]?.node;
    if (!node) return;
    const isTwist = event.composedPath().some((one) => one instanceof Element && one.matches(".twist"));
    if (isTwist && node.children) this.#expand(node.id, !this.expanded.has(node.id));
    else this.#select(index);
  };

  readonly #open = (event: MouseEvent) => {
    const node = this.#lines[this.#indexAt(event)]?.node;
    if (node) this.dispatchEvent(new OpenEvent(node.id));
  };

  readonly #wantMenu = (event: MouseEvent) => {
    const index = this.#indexAt(event);
    const node = this.#lines[index]?.node;
    if (!node) return;
    event.preventDefault();
    this.#select(index);
    this.dispatchEvent(new MenuEvent(node.id, event.clientX, event.clientY));
  };

  #select(index: number): void {
    const id = this.#lines[index]?.node.id;
    if (id === undefined) return;
    this.#view.reveal(index);
    if (id === this.selected) return;
    this.selected = id;
    this.dispatchEvent(new SelectEvent([id]));
  }

  #expand(id: string, isExpanded: boolean): void {
    const next = new Set(this.expanded);
    if (isExpanded) next.add(id);
    else next.delete(id);
    this.expanded = next;
    this.dispatchEvent(new ExpandEvent(id, isExpanded));
  }

  #indexAt(event: Event): number {
    const line = event.composedPath().find((one) =>
      one instanceof HTMLElement && one.dataset["index"] !== undefined
    );
    return line instanceof HTMLElement ? Number(line.dataset["index"]) : -1;
  }
}

/** What of a tree shows as lines, from top to bottom. */
function flatten(
  nodes: readonly TreeNode[],
  expanded: ReadonlySet<string>,
  level = 1,
  parent?: string,
): Line[] {
  return nodes.flatMap((node, index) => [
    { node, level, at: index + 1, of: nodes.length, parent },
    ...(node.children && expanded.has(node.id) ? flatten(node.children, expanded, level + 1, node.id) : []),
  ]);
}
