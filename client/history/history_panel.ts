import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { runCommand } from "#client/core/commands.ts";
import { formatAgo } from "#client/core/format.ts";
import { history, HISTORY_START } from "#client/core/history.ts";
import type { Panel, PanelElement } from "#client/core/panels.ts";
import { controlStyles, inputStyles } from "#client/ui/control_styles.ts";
import "#client/ui/empty_state.ts";
import { VirtualRows } from "#client/ui/virtual_rows.ts";
import { choosePoint, chosenPoint, namePoint, pointNaming, titleOfPoint } from "./commands.ts";
import { type HistoryRow, layOutHistory, MAX_LANES } from "./history_rows.ts";
import { w } from "./words.ts";

/** Units of the drawing: a row is ROW high and a lane LANE wide, whatever that is in pixels. */
const ROW = 32;
const LANE = 12;

/** The history as a tree, the newest at the top: arrows move, Enter goes there, F2 names. */
@customElement("st-history-panel")
export class HistoryPanel extends SignalWatcher(LitElement) implements PanelElement {
  static override styles = [
    controlStyles,
    inputStyles,
    css`
      :host {
        display: block;
        position: relative;
        height: 100%;
        overflow: auto;
      }
      .tree {
        position: relative;
      }
      /* The chosen row shows the focus. */
      .tree:focus-visible {
        outline: none;
        box-shadow: none;
      }
      .row {
        position: absolute;
        inset-inline: 0;
        display: flex;
        align-items: center;
        gap: var(--space-2);
        height: var(--size-row);
        padding-inline-end: var(--space-3);
        cursor: default;
      }
      .row:hover {
        background: var(--color-hover);
      }
      .row[aria-selected="true"] {
        background: var(--color-raised);
      }
      .tree:focus-visible .row[aria-selected="true"] {
        outline: var(--size-hairline) solid var(--color-ion);
        outline-offset: calc(-1 * var(--size-hairline));
      }
      svg {
        flex: none;
        height: 100%;
        margin-inline-start: var(--space-1);
      }
      path {
        fill: none;
        stroke: var(--color-text-off);
        stroke-width: var(--size-hairline);
      }
      circle {
        fill: var(--color-surface);
        stroke: var(--color-text-quiet);
        stroke-width: var(--size-hairline);
      }
      .here circle {
        fill: var(--color-ion);
        stroke: var(--color-ion);
      }
      .label {
        flex: 1;
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .undone .label {
        color: var(--color-text-quiet);
      }
      .named .label {
        font-weight: var(--font-weight-medium);
      }
      .what,
      .when {
        flex: none;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .what {
        flex: 0 1 auto;
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      input {
        flex: 1;
        min-width: 0;
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @state()
  accessor now = Date.now();
  readonly #virtual = new VirtualRows(this);
  #rows: readonly HistoryRow[] = [];
  #laidOut: readonly unknown[] = [];
  #tick: ReturnType<typeof setInterval> | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#tick = setInterval(() => this.now = Date.now(), 60_000);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#tick);
  }

  override render() {
    if (history.nodes.size === 0) {
      return html`<st-empty icon="history" heading=${w("emptyTitle")} text=${w("emptyText")}></st-empty>`;
    }
    this.#layOut();
    const rowHeight = this.#virtual.length("--size-row") || ROW;
    const range = this.#virtual.range(this.#rows.length, rowHeight);
    const lanes = Math.min(MAX_LANES, 1 + this.#rows.reduce((most, { lane }) => Math.max(most, lane), 0));
    const line = new Set([...lineTo(history.at), HISTORY_START]);
    const chosen = chosenPoint() ?? history.at;
    return html`
      <div class="tree" role="listbox" tabindex="0" aria-label=${w("history")}
        aria-activedescendant=${`point-${chosen}`} .style=${`height: calc(${this.#rows.length} * var(--size-row))`}
        @keydown=${this.#move}>
        ${repeat(
          this.#virtual.inOrder(range),
          (at) => this.#rows[at]?.id,
          (at) => this.#row(at, lanes, line, chosen),
        )}
      </div>
    `;
  }

  protected override updated() {
    this.renderRoot.querySelector("input")?.focus();
  }

  #row(at: number, lanes: number, line: ReadonlySet<string>, chosen: string) {
    const row = this.#rows[at];
    if (!row) return nothing;
    const { id, node } = row;
    const name = history.nameOf(id);
    const isHere = id === history.at;
    const classes = ["row", isHere ? "here" : "", line.has(id) ? "" : "undone", name ? "named" : ""];
    const hints = [
      isHere ? w("here") : wayTo(id),
      row.branches > 1 ? w("branches", { n: row.branches }) : "",
    ];
    return html`
      <div class=${classes.join(" ")} id=${`point-${id}`} role="option" aria-selected=${id === chosen}
        title=${hints.filter(Boolean).join(" · ")} .style=${`top: calc(${at} * var(--size-row))`}
        @click=${() => choosePoint(id)} @dblclick=${() => void runCommand("history.go_to", id)}>
        ${drawRow(row, lanes)}
        ${pointNaming()?.id === id
          ? this.#nameInput(id, pointNaming()?.text ?? "")
          : html`<span class="label">${titleOfPoint(id)}</span>
          ${name && node ? html`<span class="what">${node.label}</span>` : nothing}
          ${isHere ? html`<span class="what">${w("here")}</span>` : nothing}
          <span class="when">${node ? formatAgo(node.at, this.now) : ""}</span>`}
      </div>
    `;
  }

  #nameInput(id: string, name: string) {
    const keep = (event: Event) => {
      if (pointNaming()?.id !== id || !(event.target instanceof HTMLInputElement)) return;
      history.name(id, event.target.value);
      this.#endNaming();
    };
    return html`
      <input .value=${name} maxlength="120" aria-label=${w("namePrompt")} @blur=${keep}
        @input=${(event: Event) => namePoint(id, (event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => {
          event.stopPropagation();
          if (event.key === "Enter") keep(event);
          else if (event.key === "Escape") this.#endNaming();
        }}>
    `;
  }

  #endNaming(): void {
    namePoint(undefined);
    this.renderRoot.querySelector<HTMLElement>(".tree")?.focus();
  }

  #layOut(): void {
    const now = [history.nodes, history.at];
    if (now.every((one, at) => one === this.#laidOut[at])) return;
    this.#laidOut = now;
    this.#rows = layOutHistory(history.nodes, history.children, history.at);
  }

  readonly #move = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: -1,
      ArrowDown: 1,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const before = this.#rows.findIndex(({ id }) => id === (chosenPoint() ?? history.at));
    const at = Math.max(0, Math.min(this.#rows.length - 1, before + step));
    choosePoint(this.#rows[at]?.id);
    this.#virtual.reveal(at);
  };
}

/** Ids from a point up to the start. */
function lineTo(id: string): string[] {
  const line: string[] = [];
  for (let node = history.nodes.get(id); node; node = history.nodes.get(node.parentId)) line.push(node.id);
  return line;
}

function wayTo(id: string): string {
  const { undone, redone } = history.pathTo(id);
  return w("back", { undone: undone.length, redone: redone.length });
}

function drawRow({ lane, through, hasNext, parting, id }: HistoryRow, lanes: number) {
  const x = (one: number) => one * LANE + LANE / 2;
  const middle = ROW / 2;
  const lines = [
    ...through.filter((one) => one !== lane).map((one) => `M${x(one)} 0V${ROW}`),
    ...(through.includes(lane) || hasNext ? [`M${x(lane)} 0V${middle}`] : []),
    ...(id === HISTORY_START ? [] : [`M${x(lane)} ${middle}V${ROW}`]),
    ...parting.map((one) => `M${x(lane)} ${middle}C${x(lane)} 0 ${x(one)} ${middle} ${x(one)} 0`),
  ];
  return html`<svg viewBox=${`0 0 ${lanes * LANE} ${ROW}`} aria-hidden="true">${svg`
    <path d=${lines.join("")}></path>
    <circle cx=${x(lane)} cy=${middle} r="4"></circle>
  `}</svg>`;
}
