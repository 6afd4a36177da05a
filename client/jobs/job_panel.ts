import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "#client/app/st_action.ts";
import { ApiError } from "#client/core/call.ts";
import type { Panel } from "#client/core/panels.ts";
import { entity, selection } from "#client/core/place.ts";
import { locale } from "#client/core/words.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/copy_text.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import type { JobDetail, QueueJob } from "#server/jobs/contract.ts";
import { timeNow, watchTime } from "./clock.ts";
import { ago, markOf, nameOf, spanOf, statusName, timeOf } from "./describe_job.ts";
import { kindName, laneName } from "./names.ts";
import { jobAsked } from "./job_asked.ts";
import "./job_form.ts";
import "./job_line.ts";
import "./job_picture.ts";
import { isEnded, isWaiting } from "./queue_order.ts";
import { waitOf } from "./describe_wait.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";

/** A log has no event of its own: while its job runs it is read this often. */
const LOG_MS = 2_000;
const OUTCOMES = {
  done: "outcomeDone",
  failed: "outcomeFailed",
  cancelled: "outcomeCancelled",
  lease_lost: "outcomeLost",
  handed_back: "outcomeBack",
} as const;

/** One job: its picture so far, what it waits for, its log and attempts, and what can be done with it. */
@customElement("st-job-panel")
export class JobPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        height: 100%;
        overflow: auto;
        padding: var(--space-3);
        background: var(--color-surface);
      }
      .head {
        display: grid;
        gap: var(--space-2);
      }
      st-job-picture {
        width: 100%;
        max-height: 40vh;
      }
      h2 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-medium);
        overflow-wrap: anywhere;
      }
      h3 {
        margin: var(--space-4) 0 var(--space-1);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-weight: var(--font-weight-regular);
      }
      .quiet {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      li > .quiet {
        flex: none;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1);
        margin-top: var(--space-1);
      }
      .fault {
        margin: 0;
        padding-inline-start: var(--space-2);
        border-inline-start: var(--size-running-line) solid var(--color-ember);
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: var(--space-half) var(--space-3);
        margin: 0;
        font-size: var(--size-text-small);
      }
      dt {
        color: var(--color-text-quiet);
      }
      dd {
        margin: 0;
        min-width: 0;
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
      ul,
      ol {
        display: grid;
        gap: var(--space-half);
        margin: 0;
        padding: 0;
        list-style: none;
        font-size: var(--size-text-small);
      }
      li {
        display: flex;
        gap: var(--space-2);
        align-items: baseline;
        min-width: 0;
      }
      .log {
        max-height: 40vh;
        overflow: auto;
        padding: var(--space-2);
        background: var(--color-ground);
        border-radius: var(--radius-control);
        font: var(--font-weight-regular) var(--size-label) / 1.6 var(--font-mono);
      }
      .log li {
        gap: var(--space-2);
      }
      .log time {
        flex: none;
        color: var(--color-text-quiet);
      }
      .log span {
        overflow-wrap: anywhere;
      }
      .log .warn {
        color: var(--color-amber);
      }
      .log .error {
        color: var(--color-ember);
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @state()
  accessor detail: JobDetail | undefined;
  @state()
  accessor problem: ApiError | undefined;
  #shown = "";
  #seen = "";
  #leave: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#leave = [queue.open(), watchTime()];
    this.#timer = setInterval(() => this.detail?.status === "running" && void this.#read(), LOG_MS);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
    clearInterval(this.#timer);
  }

  override render() {
    const jobId = selection("job")?.ids.at(-1) ?? entity("job")?.id;
    if (jobId === undefined) {
      return html`<st-empty icon="activity" heading=${w("emptyJob")} text=${w("emptyJobText")}></st-empty>`;
    }
    const row = queue.find(jobId);
    this.#follow(jobId, row);
    if (this.problem?.status === 404) {
      return html`<st-empty icon="ghost" heading=${w("gone")} text=${w("goneText")}></st-empty>`;
    }
    const detail = this.detail?.id === jobId ? this.detail : undefined;
    return html`
      ${row ? this.#head(row, detail) : nothing}
      ${this.problem
        ? html`
          <st-error heading=${w("unreadJob")} text=${this.problem.message}
            id-to-copy=${this.problem.requestId}></st-error>
        `
        : nothing}
      ${detail
        ? this.#facts(detail, row)
        : this.problem
        ? nothing
        : html`<st-skeleton count="6"></st-skeleton>`}
      <st-job-form .job=${queue.find(jobAsked() ?? "")}></st-job-form>
    `;
  }

  #head(row: QueueJob, detail: JobDetail | undefined) {
    return html`
      <div class="head">
        <st-job-picture large .job=${row}></st-job-picture>
        <div>
          <h2><st-state-mark state=${markOf(row)}></st-state-mark> ${nameOf(row)}</h2>
          <span class="quiet">${[kindName(row), row.userName ?? w("studioItself"), row.projectName].filter(
            Boolean,
          )
            .join(" · ")}</span>
        </div>
        ${row.error && row.status === "failed"
          ? html`<p class="fault">${row.error}</p>`
          : this.#line(detail) ?? html`<st-job-line wrap .job=${row}></st-job-line>`}
        ${detail && row.waitsFor === null ? this.#estimate(detail) : nothing}
        <div class="actions">
          ${isOver(row) ? html`<st-action command="jobs.retry" .target=${row.id}></st-action>` : nothing}
          ${isWaiting(row)
            ? html`
              <st-action command="jobs.hold" .target=${row.id}></st-action>
              <st-action command="jobs.edit" .target=${row.id}></st-action>
            `
            : nothing}
          <st-action command="jobs.duplicate" .target=${row.id} look="quiet" icon-only></st-action>
          ${isEnded(row)
            ? nothing
            : html`<st-action command="jobs.pause_after" .target=${row.id} look="quiet" icon-only></st-action>`}
          ${isEnded(row) ? nothing : html`<st-action command="jobs.cancel" .target=${row.id}></st-action>`}
          ${row.dependents > 0
            ? html`<st-action command="jobs.cancel_with_dependents" .target=${row.id}></st-action>`
            : nothing}
        </div>
        ${row.dependents > 0
          ? html`<span class="quiet">${w("dependents", { n: row.dependents })}</span>`
          : nothing}
      </div>
    `;
  }

  /** Whose jobs come first, and who is busy: the table tells only how many. */
  #line(detail: JobDetail | undefined) {
    const sentence = detail?.wait?.code === "in_line" ? waitOf(detail.wait, timeNow()) : undefined;
    return sentence === undefined ? undefined : html`<span class="quiet">${sentence}</span>`;
  }

  #estimate({ startsIn, endsIn }: JobDetail) {
    const parts = [
      startsIn && startsIn.p50Ms > 0 ? w("startsIn", { time: spanOf(startsIn) }) : "",
      endsIn ? w("endsIn", { time: spanOf(endsIn) }) : "",
    ].filter(Boolean);
    return parts.length === 0 ? nothing : html`<span class="quiet">${parts.join(" · ")}</span>`;
  }

  #facts(detail: JobDetail, row: QueueJob | undefined) {
    const now = timeNow();
    return html`
      ${this.#related(w("needs"), detail.needs)} ${this.#related(w("neededBy"), detail.dependents)}
      <h3>${w("log")}</h3>
      ${detail.log.length === 0 ? html`<span class="quiet">${w("noLog")}</span>` : html`
        <ol class="log" tabindex="0" aria-label=${w("log")}>${repeat(
          detail.log,
          ({ id }) => id,
          (line) =>
            html`
              <li class=${line.level}><time>${clockOf(line.at)}</time><span>${line.message}${factsOf(
                line.fields,
              )}</span></li>
            `,
        )}</ol>
      `}
      ${detail.attempts.length === 0 ? nothing : html`
        <h3>${w("attempts")}</h3>
        <ol>${detail.attempts.map((attempt) =>
          html`
            <li><span class="quiet">${w("attempt", { n: attempt.number })}</span>
              <span>${attempt.outcome ? w(OUTCOMES[attempt.outcome]) : w("outcomeOpen")}${attempt.error
                ? `: ${attempt.error}`
                : ""}</span></li>
          `
        )}</ol>
      `}
      <h3>${w("facts")}</h3>
      <dl>
        <dt>${w("state")}</dt><dd>${statusName((row ?? detail).status)}</dd>
        <dt>${w("filterLane")}</dt><dd>${laneName(detail.lane)}</dd>
        ${row?.workerName
          ? html`
            <dt>${w("worker")}</dt>
            <dd>${row.workerName}</dd>
          `
          : nothing}
        <dt>${w("age")}</dt><dd>${ago(detail.createdAt, now)}</dd>
        ${row && timeOf(row, now)
          ? html`
            <dt>${w("takes")}</dt>
            <dd>${timeOf(row, now)}</dd>
          `
          : nothing}
        <dt>${w("priority")}</dt><dd>${(row ?? detail).priority}</dd>
        <dt>${w("id")}</dt><dd><st-copy-text text=${detail.id}></st-copy-text></dd>
      </dl>
    `;
  }

  #related(title: string, jobs: JobDetail["needs"]) {
    if (jobs.length === 0) return nothing;
    return html`
      <h3>${title}</h3>
      <ul>${jobs.map(({ jobId, kind, status }) => {
        const row = queue.find(jobId);
        return html`<li>
          <st-state-mark state=${row ? markOf(row) : status === "done" ? "good" : "queued"}></st-state-mark>
          <span class="cut">${
          row ? `${nameOf(row)} · ${kindName(row)}` : kindName({ kind, label: kind })
        }</span>
          <span class="quiet">${statusName(status)}</span></li>`;
      })}</ul>
    `;
  }

  /** Read again when another job shows, or when what the queue knows of this one has changed. */
  #follow(jobId: string, row: QueueJob | undefined): void {
    // What is shown before the studio has done it is read again when it has.
    const seen = row ? `${row.status} ${row.attempt} ${row.isCancelAsked} ${queue.isPending(jobId)}` : "";
    if (jobId === this.#shown && seen === this.#seen) return;
    this.#shown = jobId;
    this.#seen = seen;
    queueMicrotask(() => void this.#read());
  }

  async #read(): Promise<void> {
    const jobId = this.#shown;
    try {
      const detail = await queue.readDetail(jobId);
      if (jobId !== this.#shown) return;
      this.detail = detail;
      this.problem = undefined;
    } catch (error) {
      if (jobId !== this.#shown || !(error instanceof ApiError)) return;
      this.problem = error;
    }
  }
}

function isOver({ status }: QueueJob): boolean {
  return status === "failed" || status === "cancelled";
}

function clockOf(instant: string): string {
  return new Date(instant).toLocaleTimeString(locale(), { hour12: false });
}

function factsOf(fields: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(fields).map(([name, value]) =>
    `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
  );
  return parts.length === 0 ? "" : ` ${parts.join(" ")}`;
}
