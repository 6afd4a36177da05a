import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { follow } from "#client/core/follow.ts";
import { findPanelKind } from "#client/core/panels.ts";
import { entity, keyboardWanted } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { GrabEvent } from "./area.ts";
import { dock } from "./dock_store.ts";
import { type Drop, dropAt, followPointer } from "./drag.ts";
import {
  type AreaNode,
  areaOf,
  areasOf,
  type FloatNode,
  type LayoutNode,
  LEAST_SHARE,
  moveBorder,
  moveFloat,
  movePanel,
  panelsOf,
  raiseFloat,
  setSizes,
  type SplitNode,
} from "./layout.ts";
import "./panel_host.ts";
import type { PanelHost } from "./panel_host.ts";
import { w } from "./words.ts";

const KEY_STEP = 0.02;

/**
 * The areas of a screen. Panels are its children in the document and stay there: an area shows one by its slot, so
 * that moving, splitting and maximising never take a panel out of the page, and what plays goes on.
 */
@customElement("st-dock")
export class Dock extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        position: relative;
        min-width: 0;
        min-height: 0;
        overflow: hidden;
        background: var(--color-ground);
      }
      .root,
      .split {
        display: flex;
        width: 100%;
        height: 100%;
        min-width: 0;
        min-height: 0;
      }
      .column {
        flex-direction: column;
      }
      .cell {
        flex: 1 1 0;
        min-width: 0;
        min-height: 0;
        overflow: hidden;
      }
      .border {
        position: relative;
        z-index: 1;
        flex: none;
        touch-action: none;
      }
      .row > .border {
        width: var(--space-half);
        cursor: col-resize;
      }
      .column > .border {
        height: var(--space-half);
        cursor: row-resize;
      }
      /* Wider to the hand than to the eye. */
      .border::before {
        content: "";
        position: absolute;
        inset: calc(-1 * var(--space-1));
      }
      .border:is(:hover, .held, :focus-visible) {
        background: var(--color-ion);
      }
      .hidden {
        display: none;
      }
      .float {
        position: absolute;
        z-index: 3;
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-control);
        box-shadow: var(--shadow-float);
        overflow: hidden;
      }
      .grip {
        position: absolute;
        right: 0;
        bottom: 0;
        width: var(--space-4);
        height: var(--space-4);
        cursor: nwse-resize;
        touch-action: none;
        background: linear-gradient(135deg, transparent 60%, var(--color-text-off) 60%);
      }
      .drop {
        position: absolute;
        z-index: 5;
        background: color-mix(in oklab, var(--color-ion) 14%, transparent);
        border: var(--size-hairline) solid var(--color-ion);
        pointer-events: none;
        transition: inset var(--motion-fast) ease-out;
      }
      /* Too narrow for areas beside each other, as at 400 %: they stand one under the other, each as high as can be read. */
      @media (width < 40rem) {
        .root {
          display: block;
          overflow-y: auto;
        }
        .split {
          display: block;
          height: auto;
        }
        .cell:has(> st-area) {
          height: 80vh;
        }
        .cell:has(> st-area):only-child,
        .split:has(> .hidden) > .cell:has(> st-area),
        .split:has(> .hidden),
        .cell:has(> .split > .hidden) {
          height: 100%;
        }
        .border {
          display: none;
        }
      }
      .shield {
        position: absolute;
        inset: 0;
        z-index: 4;
        cursor: grabbing;
      }
    `,
  ];

  @state()
  accessor drop: Drop | undefined;
  @state()
  accessor isDragging = false;
  readonly #hosts = new Map<string, PanelHost>();
  #wanted = keyboardWanted();
  #unfollow = () => {};

  override connectedCallback() {
    super.connectedCallback();
    this.#unfollow = follow(() => this.#handOver(keyboardWanted()));
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#unfollow();
  }

  override render() {
    const { layout, isFocused, active } = dock;
    if (!layout) return nothing;
    const only = isFocused ? active && areaOf(layout, active.id)?.id : layout.maximised;
    return html`
      <div class="root" @st-grab=${this.#grab} @focusin=${this.#activate} @pointerdown=${this.#activate}>
        ${this.#node(layout.root, only ?? undefined)}
      </div>
      ${repeat(layout.floats, ({ area }) => area.id, (float) => this.#float(float, only ?? undefined))}
      ${this.isDragging ? html`<div class="shield"></div>` : nothing}
      ${this.drop ? html`<div class="drop" .style=${boxStyle(this.drop.box)}></div>` : nothing}
    `;
  }

  #node(node: LayoutNode, only: string | undefined): TemplateResult {
    if (node.type === "area") return this.#area(node, false);
    const { children, sizes, direction } = node;
    return html`
      <div class="split ${direction}">
        ${repeat(children, ({ id }) => id, (child, index) => {
          const isHidden = only !== undefined && !holds(child, only);
          return html`
            ${index > 0 ? this.#border(node, index - 1, only !== undefined) : nothing}
            <div class=${isHidden ? "hidden" : "cell"} .style=${`flex-grow: ${sizes[index]}`}>
              ${this.#node(child, only)}
            </div>
          `;
        })}
      </div>
    `;
  }

  #area(area: AreaNode, floats: boolean): TemplateResult {
    const isActive = area.panels.some(({ id }) => id === dock.active?.id);
    return html`
      <st-area .area=${area} ?active=${isActive} ?floats=${floats} ?bare=${dock.isFocused || dock.isSolo}
        data-area=${area.id}>
        ${area.active ? html`<slot name=${area.active}></slot>` : nothing}
      </st-area>
    `;
  }

  #border(split: SplitNode, index: number, isHidden: boolean): TemplateResult {
    const share = split.sizes[index] ?? 0;
    return html`
      <div class=${isHidden ? "hidden" : "border"} role="separator" tabindex="0" aria-label=${w(
        "resizeAreas",
      )}
        aria-orientation=${split.direction === "row" ? "vertical" : "horizontal"}
        aria-valuemin=${Math.round(LEAST_SHARE * 100)} aria-valuemax="100"
        aria-valuenow=${Math.round(share * 100)}
        @pointerdown=${(event: PointerEvent) => this.#pull(event, split, index)}
        @keydown=${(event: KeyboardEvent) => this.#nudge(event, split, index)}
        @dblclick=${() => dock.change((layout) => setSizes(layout, split.id, even(split)))}></div>
    `;
  }

  #float(float: FloatNode, only: string | undefined): TemplateResult {
    const { area } = float;
    const isHidden = only !== undefined && only !== area.id;
    const place = only === area.id ? "inset: 0" : percent(float);
    return html`
      <div class=${isHidden ? "hidden" : "float"} .style=${place} @st-grab=${this.#grab}
        @focusin=${this.#activate} @pointerdown=${(event: PointerEvent) => {
          this.#activate(event);
          dock.change((layout) => raiseFloat(layout, area.id), { evenLocked: true });
        }}>
        ${this.#area(area, true)}
        <div class="grip" role="separator" tabindex="0" aria-label=${w("resizeFloat")}
          aria-valuenow=${Math.round(float.width * 100)}
          @pointerdown=${(event: PointerEvent) => this.#stretch(event, float)}
          @keydown=${(event: KeyboardEvent) => this.#stretchByKey(event, float)}></div>
      </div>
    `;
  }

  /** The panels of the screen that shows are this element's children: made once, gone when closed. */
  protected override willUpdate() {
    const { layout } = dock;
    const wanted = new Map((layout ? panelsOf(layout) : []).map((ref) => [ref.id, ref]));
    for (const ref of layout?.windows ?? []) wanted.delete(ref.id);
    for (const [id, host] of this.#hosts) {
      if (wanted.get(id)?.kind === host.ref.kind) continue;
      host.remove();
      this.#hosts.delete(id);
    }
    for (const [id, ref] of wanted) {
      if (this.#hosts.has(id) || !this.#isShown(id)) continue;
      const host = document.createElement("st-panel-host") as PanelHost; // What this tag makes.
      host.ref = ref;
      host.slot = id;
      this.#hosts.set(id, host);
      this.append(host);
    }
  }

  /** A tab that was never looked at costs nothing. */
  #isShown(panelId: string): boolean {
    return dock.layout !== undefined && areaOf(dock.layout, panelId)?.active === panelId;
  }

  /** Puts the focus into the panel of an area. */
  focusArea(areaId: string): void {
    const area = dock.layout && areasOf(dock.layout).find(({ id }) => id === areaId);
    if (!area) return;
    dock.setActive(area.active);
    void this.updateComplete.then(() => this.#hosts.get(area.active)?.focus());
  }

  /** Gives the keyboard to what shows the open thing, after a dialog that made it has given it back. */
  #handOver(wanted: number): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    setTimeout(() => {
      const { layout } = dock;
      const kind = entity()?.kind;
      if (!layout || !kind || !this.isConnected) return;
      const panel = panelsOf(layout).find((ref) => findPanelKind(ref.kind)?.shows?.includes(kind));
      const area = panel && areaOf(layout, panel.id);
      if (!area) return;
      dock.show(panel.id);
      this.focusArea(area.id);
    });
  }

  readonly #activate = (event: Event) => {
    for (const one of event.composedPath()) {
      if (!(one instanceof HTMLElement) || one.dataset.area === undefined) continue;
      const area = dock.layout && areasOf(dock.layout).find(({ id }) => id === one.dataset.area);
      if (area) dock.setActive(area.active);
      return;
    }
  };

  readonly #grab = (event: Event) => {
    if (!(event instanceof GrabEvent) || dock.isLocked) return;
    const { pointer, panelId, areaId } = event;
    const float = dock.layout?.floats.find(({ area }) => area.id === areaId);
    if (panelId !== undefined) this.#drag(pointer, panelId);
    else if (float) this.#carry(pointer, float);
  };

  #drag(pointer: PointerEvent, panelId: string): void {
    followPointer(pointer, {
      began: () => this.isDragging = true,
      moved: ({ clientX, clientY }) => {
        this.drop = dropAt(this, { x: clientX, y: clientY }, this.renderRoot.querySelectorAll("st-area"));
      },
      ended: (isDone) => {
        const { drop } = this;
        this.drop = undefined;
        this.isDragging = false;
        if (isDone && drop) dock.change((layout) => movePanel(layout, panelId, drop.target));
      },
    });
  }

  #carry(pointer: PointerEvent, float: FloatNode): void {
    const { width, height } = this.getBoundingClientRect();
    followPointer(pointer, {
      moved: ({ clientX, clientY }) => {
        const left = float.left + (clientX - pointer.clientX) / width;
        const top = float.top + (clientY - pointer.clientY) / height;
        dock.change((layout) => moveFloat(layout, float.area.id, { ...float, left, top }));
      },
    });
  }

  #stretch(pointer: PointerEvent, float: FloatNode): void {
    if (dock.isLocked) return;
    pointer.stopPropagation();
    const box = this.getBoundingClientRect();
    followPointer(pointer, {
      moved: ({ clientX, clientY }) => {
        const width = (clientX - box.left) / box.width - float.left;
        const height = (clientY - box.top) / box.height - float.top;
        dock.change((layout) => moveFloat(layout, float.area.id, { ...float, width, height }));
      },
    });
  }

  #stretchByKey(event: KeyboardEvent, float: FloatNode): void {
    const [right, down] = ARROWS[event.key] ?? [0, 0];
    if (right === 0 && down === 0) return;
    event.preventDefault();
    const to = event.shiftKey
      ? { ...float, left: float.left + right * KEY_STEP, top: float.top + down * KEY_STEP }
      : { ...float, width: float.width + right * KEY_STEP, height: float.height + down * KEY_STEP };
    dock.change((layout) => moveFloat(layout, float.area.id, to));
  }

  #pull(pointer: PointerEvent, split: SplitNode, index: number): void {
    if (pointer.button !== 0 || dock.isLocked) return;
    const border = pointer.currentTarget as HTMLElement; // The listener is on an element of this template.
    const box = border.parentElement!.getBoundingClientRect();
    const isRow = split.direction === "row";
    const length = isRow ? box.width : box.height;
    followPointer(pointer, {
      began: () => border.classList.add("held"),
      moved: ({ clientX, clientY }) => {
        const by = (isRow ? clientX - pointer.clientX : clientY - pointer.clientY) / length;
        dock.change((layout) => moveBorder(setSizes(layout, split.id, split.sizes), split.id, index, by));
      },
      ended: () => border.classList.remove("held"),
    });
  }

  #nudge(event: KeyboardEvent, split: SplitNode, index: number): void {
    const [right, down] = ARROWS[event.key] ?? [0, 0];
    const by = split.direction === "row" ? right : down;
    if (by === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    dock.change((layout) => moveBorder(layout, split.id, index, by * KEY_STEP));
  }
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function holds(node: LayoutNode, areaId: string): boolean {
  return node.type === "area" ? node.id === areaId : node.children.some((child) => holds(child, areaId));
}

function even({ children }: SplitNode): number[] {
  return children.map(() => 1 / children.length);
}

/** Set as a property: the page's policy forbids style attributes. */
function percent({ left, top, width, height }: FloatNode): string {
  return `left: ${share(left)}; top: ${share(top)}; width: ${share(width)}; height: ${share(height)}`;
}

function share(of: number): string {
  return `${(of * 100).toFixed(3)}%`;
}

function boxStyle({ left, top, width, height }: Drop["box"]): string {
  return `left: ${left}px; top: ${top}px; width: ${width}px; height: ${height}px`;
}
