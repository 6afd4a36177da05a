import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { session } from "#client/auth/session_store.ts";
import { runCommand } from "#client/core/commands.ts";
import { formatCount } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import { tellError } from "#client/core/notices.ts";
import { select, selection } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import {
  type MenuEvent,
  type MoveEvent,
  type OpenEvent,
  PickEvent,
  type SelectEvent,
} from "#client/ui/list_events.ts";
import "#client/ui/menu.ts";
import type { Menu } from "#client/ui/menu.ts";
import "#client/ui/select.ts";
import type { Select } from "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/table.ts";
import type { Table } from "#client/ui/table.ts";
import { Lane } from "#server/core/job_kind.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import { watchTime } from "./clock.ts";
import { queueCellStyles, queueColumns } from "./columns.ts";
import { commandItems } from "./command_items.ts";
import { moveTo } from "./commands.ts";
import { spanOf } from "./describe_job.ts";
import { laneName } from "./names.ts";
import "./import_form.ts";
import { jobAsked } from "./job_asked.ts";
import "./job_form.ts";
import "./lane_board.ts";
import "./lane_meter.ts";
import {
  EVERYTHING_OPEN,
  filterJobs,
  groupJobs,
  isGroup,
  type QueueFilter,
  type QueueGroup,
  type QueueRow,
} from "./queue_order.ts";
import { queue } from "./queue_store.ts";
import { type QueueView, useQueueView } from "./queue_view.ts";
import { w } from "./words.ts";

const GROUPS: readonly QueueGroup[] = ["none", "user", "worker", "project"];
/** In a panel of fewer pixels its bars show signs without words, so that each stays one line. */
const ROOM_FOR_LABELS = 1080;
const MENU: readonly string[] = [
  "jobs.open",
  "jobs.retry",
  "jobs.hold",
  "jobs.edit",
  "jobs.duplicate",
  "jobs.pause_after",
  "jobs.move_up",
  "jobs.move_down",
  "jobs.move_first",
  "jobs.raise",
  "jobs.lower",
  "jobs.cancel",
  "jobs.cancel_with_dependents",
];

/** All jobs in one dense table with live rows, or as the lanes of the workers. */
@customElement("st-queue-panel")
export class QueuePanel extends SignalWatcher(LitElement) implements QueueView {
  static override styles = [
    controlStyles,
    css`
      .frame {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        grid-template-rows: auto auto minmax(0, 1fr) auto;
        height: 100%;
        background: var(--color-ground);
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-2);
        align-items: center;
        padding: var(--space-2) var(--space-3);
      }
      .bar st-field {
        flex: 1 1 12ch;
        max-width: 32ch;
      }
      .gap {
        flex: 1;
      }
      .lanes {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 18ch), 1fr));
        border-block: var(--size-hairline) solid var(--color-line);
      }
      .content {
        position: relative;
        min-height: 0;
        overflow: auto;
      }
      st-error {
        margin: var(--space-3);
      }
      st-skeleton {
        padding: var(--space-2) var(--space-3);
      }
      .stale {
        margin: 0;
        padding: var(--space-1) var(--space-3);
        border-inline-start: var(--size-running-line) solid var(--color-amber);
        background: var(--color-surface);
        color: var(--color-text);
        font-size: var(--size-text-small);
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-2);
        align-items: center;
        min-height: var(--size-row);
        padding: var(--space-half) var(--space-3);
        border-top: var(--size-hairline) solid var(--color-line);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @state()
  accessor width = 0;
  @query("st-table")
  accessor table: Table<QueueRow> | null = null;
  @query("st-menu")
  accessor menu!: Menu;
  @query("st-field")
  accessor find!: Field;
  readonly #observer = new ResizeObserver(([entry]) =>
    this.width = Math.round(entry?.contentRect.width ?? 0)
  );
  #leave: (() => void)[] = [];

  override connectedCallback() {
    super.connectedCallback();
    this.#leave = [queue.open(), watchTime(), useQueueView(this), queue.openForecast()];
    this.#observer.observe(this);
    this.addEventListener("focusin", this.#use);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
    this.#observer.disconnect();
    this.removeEventListener("focusin", this.#use);
  }

  override render() {
    const filter = this.#filter();
    const jobs = filterJobs(queue.all, filter);
    const isBoard = this.panel.state.get<"table" | "lanes">("view", "table") === "lanes";
    return html`
      <div class="frame"><h1 class="unseen">${w("queue")}</h1>${this.#bar(filter, isBoard)}
      <div>
        <div class="lanes">${Lane.options.map((lane) =>
          html`<st-lane-meter lane=${lane}></st-lane-meter>`
        )}</div>
        ${queue.reading.isStale ? html`<p class="stale" role="status">${w("stale")}</p>` : nothing}
      </div>
      <div class="content">${this.#content(jobs, filter, isBoard)}</div>
      ${this.#foot(jobs, filter, isBoard)}
      <st-menu label=${w("job")} @st-pick=${this.#pick}><span slot="trigger"></span></st-menu>
      <st-job-form .job=${queue.find(jobAsked() ?? "")}></st-job-form>
      <st-import-form></st-import-form></div>
    `;
  }

  #bar(filter: QueueFilter, isBoard: boolean) {
    const isNarrow = this.width < ROOM_FOR_LABELS;
    const { counts, totals } = queue;
    const shows = [
      ["open", `${w("allOpen")} · ${formatCount(totals.open)}`],
      ["running", `${w("running")} · ${formatCount(counts.running)}`],
      ["waiting", `${w("waiting")} · ${formatCount(counts.waiting)}`],
      ["failed", `${w("failed")} · ${formatCount(totals.failed)}`],
      ["ended", `${w("ended")} · ${formatCount(totals.ended)}`],
    ] as const;
    return html`
      <div class="bar">
        <st-select label=${w("filterStatus")} label-unseen .value=${filter.show}
          .options=${shows.map(([value, label]) => ({ value, label }))} @change=${this.#show}></st-select>
        <st-select label=${w("filterLane")} label-unseen .value=${filter.lane}
          .options=${[
            { value: "", label: w("allLanes") },
            ...Lane.options.map((lane) => ({ value: lane, label: laneName(lane) })),
          ]} @change=${this.#chooseLane}></st-select>
        ${isBoard ? nothing : html`
          <st-select label=${w("groupBy")} label-unseen .value=${this.#group()}
            .options=${GROUPS.map((value) => ({ value, label: w(GROUP_WORDS[value]) }))}
            @change=${this.#chooseGroup}></st-select>
        `}
        <st-field label=${w("filterText")} label-unseen type="search" icon="search" placeholder=${w(
          "findHint",
        )}
          .value=${filter.text} @input=${this.#search} @keydown=${this.#leaveFind}></st-field>
        <span class="gap"></span>
        <st-action command="jobs.retry_failed" look="quiet" ?icon-only=${isNarrow}></st-action>
        <st-action command="jobs.view" look="quiet" ?icon-only=${isNarrow} label=${w(
          isBoard ? "viewTable" : "viewLanes",
        )}></st-action>
      </div>
    `;
  }

  #content(jobs: readonly QueueJob[], filter: QueueFilter, isBoard: boolean) {
    const { problem, isKnown } = queue.reading;
    if (!isKnown) {
      return problem
        ? html`
          <st-error heading=${w("unread")} text=${problem.message} id-to-copy=${problem.requestId}>
            <st-action command="jobs.read_again"></st-action>
          </st-error>
        `
        : html`<st-skeleton count="12"></st-skeleton>`;
    }
    if (isBoard) return html`<st-lane-board .filter=${filter}></st-lane-board>`;
    if (jobs.length === 0) return this.#empty(filter);
    const rows = this.#rows(jobs);
    return html`
      <st-table reorder label=${w("queue")} .rows=${rows} .columns=${queueColumns(this.width)}
        .cellStyles=${queueCellStyles} .selected=${new Set(selection("job")?.ids ?? [])}
        @st-select=${this.#select} @st-open=${this.#open} @st-move=${this.#move} @st-menu-wanted=${this
          .#wantMenu}
        @click=${this.#fold}></st-table>
    `;
  }

  #empty(filter: QueueFilter) {
    const isAll = filter.show === "open" && filter.lane === "" && filter.text === "";
    return isAll
      ? html`<st-empty icon="checks" heading=${w("emptyQueue")} text=${w("emptyQueueText")}></st-empty>`
      : html`
        <st-empty icon="filter" heading=${w("emptyFilter")} text=${w("emptyFilterText")}>
          <st-action command="jobs.show_open"></st-action>
        </st-empty>
      `;
  }

  #foot(jobs: readonly QueueJob[], filter: QueueFilter, isBoard: boolean) {
    const isNarrow = this.width < ROOM_FOR_LABELS;
    const chosen = selection("job")?.ids ?? [];
    // Where only some of them could be read it says so.
    const { counts, totals } = queue;
    const [read, total] = filter.show === "ended"
      ? [counts.ended, totals.ended]
      : filter.show === "failed"
      ? [counts.failed, totals.failed]
      : [counts.running + counts.waiting, totals.open];
    const beyond = total > read ? w("more", { shown: jobs.length, total }) : w("counted", { n: jobs.length });
    return html`
      <div class="foot">
        <span role="status">${beyond}${this.#ends(filter.show)}${chosen.length > 1
          ? ` · ${w("selectedCount", { n: chosen.length })}`
          : ""}</span>
        <span class="gap"></span>
        <st-action command="jobs.export" look="quiet" icon-only></st-action>
        <st-action command="jobs.import" look="quiet" icon-only></st-action>
        ${isBoard || chosen.length === 0 ? nothing : html`
          <st-action command="jobs.retry" look="quiet" ?icon-only=${isNarrow}></st-action>
          <st-action command="jobs.move_first" look="quiet" icon-only></st-action>
          <st-action command="jobs.move_up" look="quiet" icon-only></st-action>
          <st-action command="jobs.move_down" look="quiet" icon-only></st-action>
          <st-action command="jobs.hold" look="quiet" ?icon-only=${isNarrow}></st-action>
          <st-action command="jobs.edit" look="quiet" ?icon-only=${isNarrow}></st-action>
          <st-action command="jobs.cancel" look="quiet" ?icon-only=${isNarrow}></st-action>
        `}
      </div>
    `;
  }

  /** When all that waits is to be done, as far as can be told. */
  #ends(show: QueueFilter["show"]): string {
    const ends = queue.forecast?.endsIn;
    const isOpen = queue.counts.running + queue.counts.waiting > 0;
    const isPaused = queue.state?.paused.some(({ isInForce }) => isInForce) ?? false;
    // A lane of which nobody can tell when it is through: that of all is not known either.
    const isHalf = queue.forecast?.lanes.some(({ lane, endsIn }) =>
      endsIn === null && queue.isLaneBusy(lane)
    );
    return ends && isOpen && !isPaused && !isHalf && show === "open"
      ? ` · ${w("throughIn", { time: spanOf(ends) })}`
      : "";
  }

  #rows(jobs: readonly QueueJob[]): QueueRow[] {
    const by = this.#group();
    return groupJobs(jobs, by, (job) => {
      if (by === "user") return job.userName ?? w("studioItself");
      if (by === "worker") return job.workerName ?? w("noWorkerYet");
      return job.projectName ?? w("noProject");
    }, this.panel.state.get<readonly string[]>("folded", []));
  }

  #filter(): QueueFilter {
    return { ...EVERYTHING_OPEN, ...this.panel.state.get<Partial<QueueFilter>>("filter", {}) };
  }

  #group(): QueueGroup {
    return this.panel.state.get<QueueGroup>("group", "none");
  }

  /** What no longer shows is no longer selected: nobody cancels what he does not see. */
  #setFilter(change: Partial<QueueFilter>): void {
    const filter = { ...this.#filter(), ...change };
    this.panel.state.set("filter", filter);
    const chosen = selection("job")?.ids;
    if (!chosen) return;
    const shown = new Set<string>(filterJobs(queue.all, filter).map(({ id }) => id));
    const left = chosen.filter((id) => shown.has(id));
    if (left.length < chosen.length) select("job", left);
  }

  cycleGroup(): void {
    this.panel.state.set("group", GROUPS[(GROUPS.indexOf(this.#group()) + 1) % GROUPS.length]);
  }

  switchView(): void {
    this.panel.state.set(
      "view",
      this.panel.state.get<"table" | "lanes">("view", "table") === "table" ? "lanes" : "table",
    );
  }

  focusFilter(): void {
    this.find.focus();
  }

  clearFilter(): void {
    this.#setFilter(EVERYTHING_OPEN);
  }

  override focus(): void {
    if (this.table) this.table.focus();
    else this.find?.focus();
  }

  readonly #use = () => {
    this.#leave[2]?.();
    this.#leave[2] = useQueueView(this);
  };

  // The targets are this template's own.
  readonly #show = (event: Event) =>
    this.#setFilter({ show: (event.target as Select).value as QueueFilter["show"] });
  readonly #chooseLane = (event: Event) => this.#setFilter({ lane: (event.target as Select).value });
  readonly #chooseGroup = (event: Event) => this.panel.state.set("group", (event.target as Select).value);
  readonly #search = (event: Event) => this.#setFilter({ text: (event.target as Field).value });

  readonly #leaveFind = (event: KeyboardEvent) => {
    if (event.key !== "Escape" && event.key !== "ArrowDown") return;
    event.preventDefault();
    if (event.key === "Escape") this.#setFilter({ text: "" });
    this.table?.focus();
  };

  /** A heading stands for all of its jobs. */
  readonly #select = ({ ids }: SelectEvent) => {
    const rows = new Map((this.table?.rows ?? []).map((row) => [row.id as string, row]));
    const jobs = ids.flatMap((id) => {
      const row = rows.get(id);
      return !row ? [] : isGroup(row) ? row.jobIds : [row.id];
    });
    select("job", [...new Set(jobs)]);
  };

  readonly #open = ({ itemId }: OpenEvent) => {
    if (itemId.startsWith("group:")) this.#toggle(itemId);
    else void runCommand("jobs.open", itemId);
  };

  readonly #move = ({ itemId, beforeId }: MoveEvent) => {
    if (!session.may("job.control")) return;
    void moveTo(this.table?.rows ?? [], itemId, beforeId).catch((error) => tellError(error));
  };

  readonly #fold = (event: MouseEvent) => {
    const { active } = this.table ?? {};
    const isChevron = event.composedPath().some((one) => one instanceof SVGElement);
    if (isChevron && active?.startsWith("group:")) this.#toggle(active);
  };

  #toggle(groupId: string): void {
    const folded = this.panel.state.get<readonly string[]>("folded", []);
    this.panel.state.set(
      "folded",
      folded.includes(groupId) ? folded.filter((id) => id !== groupId) : [...folded, groupId],
    );
  }

  readonly #wantMenu = ({ itemId, x, y }: MenuEvent) => {
    if (itemId.startsWith("group:") && (selection("job")?.ids.length ?? 0) === 0) return;
    this.menu.items = commandItems(MENU);
    this.menu.openAt(x, y);
  };

  readonly #pick = (event: Event) => {
    if (event instanceof PickEvent) void runCommand(event.itemId);
  };
}

const GROUP_WORDS = {
  none: "groupNone",
  user: "groupUser",
  worker: "groupWorker",
  project: "groupProject",
} as const;
