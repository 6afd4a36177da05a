import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { select, selection } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/app/st_action.ts";
import type { Seed } from "#server/seeds/contract.ts";
import type { SeedHints } from "./hints.ts";
import { showLikeness, showPercent } from "./seed_facts.ts";
import "./seed_picture.ts";
import { describeSeed } from "./seed_tile.ts";
import { type CompareView, compareView, fitCompare, showCompare, zoomCompare } from "./sheet_state.ts";
import { w } from "./words.ts";

/** How much a notch of the wheel zooms. */
const STEP = 1.25;

/** Two to nine pictures beside each other; zooming and panning one moves them all. */
@customElement("st-seed-compare")
export class SeedCompare extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        height: 100%;
        min-height: 0;
        background: var(--color-ground);
      }
      .cells {
        display: grid;
        gap: var(--size-hairline);
        min-height: 0;
        grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
        grid-auto-rows: minmax(0, 1fr);
        touch-action: none;
        cursor: grab;
      }
      .cells:active {
        cursor: grabbing;
      }
      .cell {
        position: relative;
        overflow: hidden;
        contain: strict;
      }
      .cell.active::after {
        content: "";
        position: absolute;
        inset: 0;
        border: var(--size-running-line) solid var(--color-ion);
        pointer-events: none;
      }
      .cells:focus-visible {
        outline: none;
        box-shadow: none;
      }
      .cells:focus-visible .cell.active::after {
        box-shadow: inset 0 0 var(--space-2) color-mix(in oklab, var(--color-ion) 40%, transparent);
      }
      .moved {
        position: absolute;
        inset: 0;
        transform-origin: 0 0;
        will-change: transform;
      }
      .facts {
        position: absolute;
        inset: var(--space-2) auto auto var(--space-2);
        display: flex;
        gap: var(--space-2);
        align-items: center;
        padding: 0 var(--space-2);
        min-height: var(--space-6);
        border-radius: var(--radius-control);
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
        font-size: var(--size-text-small);
        font-variant-numeric: tabular-nums;
        pointer-events: none;
      }
      .facts span {
        display: inline-flex;
        gap: var(--space-1);
        align-items: center;
      }
      .hero {
        color: var(--color-lime);
      }
      .rejected {
        color: var(--color-ember);
      }
      .zoom {
        position: absolute;
        inset: var(--space-2) var(--space-2) auto auto;
        display: flex;
        align-items: center;
        padding: 0 var(--space-1);
        border-radius: var(--radius-control);
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-variant-numeric: tabular-nums;
      }
      :host {
        position: relative;
      }
    `,
  ];

  @property({ attribute: false })
  accessor seeds: readonly Seed[] = [];
  @property({ attribute: false })
  accessor hints: ReadonlyMap<string, SeedHints> = new Map();
  #dragged: { x: number; y: number; view: CompareView } | undefined;

  override render() {
    const { seeds } = this;
    const columns = Math.ceil(Math.sqrt(seeds.length));
    const active = this.#active();
    return html`
      <div class="cells" role="listbox" tabindex="0" aria-label=${w(
        "compareView",
      )} .style=${`--columns: ${columns}`}
        aria-activedescendant=${active ? `cell-${active.id}` : nothing}
        @keydown=${this.#press} @wheel=${this.#wheel} @pointerdown=${this.#grab} @pointermove=${this.#drag}
        @pointerup=${this.#drop} @dblclick=${fitCompare}>
        ${repeat(seeds, ({ id }) => id, (seed, index) => this.#cell(seed, index, seed.id === active?.id))}
      </div>
      <div class="zoom">
        <st-action command="seeds.zoom_out" icon-only look="quiet" small></st-action>
        <span aria-live="polite">${showPercent(compareView().zoom)}</span>
        <st-action command="seeds.zoom_in" icon-only look="quiet" small></st-action>
        <st-action command="seeds.fit" icon-only look="quiet" small></st-action>
      </div>
    `;
  }

  #cell(seed: Seed, index: number, isActive: boolean) {
    const { zoom, x, y } = compareView();
    const move = `transform: translate(${(0.5 - x * zoom) * 100}%, ${
      (0.5 - y * zoom) * 100
    }%) scale(${zoom})`;
    const likeness = seed.measures?.likeness;
    return html`
      <div class="cell ${isActive ? "active" : ""}" id=${`cell-${seed.id}`} role="option" data-id=${seed.id}
        aria-selected=${isActive ? "true" : "false"}>
        <span class="unseen">${describeSeed(
          seed,
          this.hints,
          w("tile", { name: w("foundation"), index: index + 1 }),
        )}</span>
        <div class="moved" aria-hidden="true" .style=${move}>
          <st-seed-picture .seed=${seed} size="large" fit="contain"></st-seed-picture>
        </div>
        <div class="facts" aria-hidden="true">
          <span>${index + 1}</span>
          ${seed.status === "hero" ? html`<span class="hero">${icon("crown")}</span>` : nothing}
          ${seed.status === "rejected" ? html`<span class="rejected">${icon("close")}</span>` : nothing}
          ${likeness == null ? nothing : html`<span>${icon("face")} ${showLikeness(likeness)}</span>`}
          ${seed.rating === null ? nothing : html`<span>★ ${seed.rating}</span>`}
        </div>
      </div>
    `;
  }

  protected override firstUpdated() {
    this.renderRoot.querySelector<HTMLElement>(".cells")?.focus();
  }

  #active(): Seed | undefined {
    const id = selection("seed")?.ids[0];
    return this.seeds.find((seed) => seed.id === id) ?? this.seeds[0];
  }

  readonly #press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = Math.ceil(Math.sqrt(this.seeds.length));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (step !== undefined && event.shiftKey) this.#pan(event.key);
    else if (step !== undefined) this.#go(step);
    else return;
    event.preventDefault();
  };

  #go(step: number): void {
    const at = this.seeds.findIndex(({ id }) => id === this.#active()?.id);
    const next = this.seeds[at + step];
    if (next) select("seed", [next.id]);
  }

  #pan(key: string): void {
    const view = compareView();
    const by = 0.15 / view.zoom;
    const x = key === "ArrowRight" ? by : key === "ArrowLeft" ? -by : 0;
    const y = key === "ArrowDown" ? by : key === "ArrowUp" ? -by : 0;
    showCompare({ ...view, x: view.x + x, y: view.y + y });
  }

  readonly #wheel = (event: WheelEvent) => {
    event.preventDefault();
    const cell = cellOf(event);
    if (!cell) return;
    const { left, top, width, height } = cell.getBoundingClientRect();
    const at = { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
    zoomCompare(STEP ** (-event.deltaY / 100), at);
  };

  readonly #grab = (event: PointerEvent) => {
    const cell = cellOf(event);
    if (!cell || event.button !== 0) return;
    this.#dragged = { x: event.clientX, y: event.clientY, view: compareView() };
    select("seed", [cell.dataset["id"] ?? ""]);
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };

  readonly #drag = (event: PointerEvent) => {
    const { width, height } = this.renderRoot.querySelector(".cell")?.getBoundingClientRect() ?? {};
    const dragged = this.#dragged;
    if (!dragged || !width || !height) return;
    const { view } = dragged;
    showCompare({
      zoom: view.zoom,
      x: view.x - (event.clientX - dragged.x) / width / view.zoom,
      y: view.y - (event.clientY - dragged.y) / height / view.zoom,
    });
  };

  readonly #drop = () => this.#dragged = undefined;
}

function cellOf(event: Event): HTMLElement | undefined {
  return event.composedPath().find((one): one is HTMLElement =>
    one instanceof HTMLElement && one.classList.contains("cell")
  );
}
