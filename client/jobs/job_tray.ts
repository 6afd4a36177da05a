import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "#client/app/st_action.ts";
import { runCommand } from "#client/core/commands.ts";
import type { Panel } from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import { timeNow, watchTime } from "./clock.ts";
import { markOf, nameOf, timeOf } from "./describe_job.ts";
import "./job_line.ts";
import "./job_picture.ts";
import { kindName } from "./names.ts";
import { isWaiting } from "./queue_order.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";

const WAITING_SHOWN = 10;
const FAILED_SHOWN = 4;

/** The job tray, which the top bar opens over the right edge: what runs with its pictures, what failed, what waits and why. */
@customElement("st-job-tray")
export class JobTray extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100%;
        overflow: hidden;
        background: var(--color-surface);
      }
      .head,
      .foot {
        display: flex;
        flex: none;
        gap: var(--space-2);
        align-items: center;
        padding: var(--space-2) var(--space-3);
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      .foot {
        border-block: var(--size-hairline) solid var(--color-line);
        border-bottom: 0;
      }
      h2 {
        flex: 1;
        margin: 0;
        font-size: var(--size-text);
        font-weight: var(--font-weight-medium);
      }
      h2 .quiet {
        font-weight: var(--font-weight-regular);
      }
      .scroll {
        flex: 1;
        min-height: 0;
        overflow: auto;
      }
      h3 {
        position: sticky;
        top: 0;
        z-index: 1;
        margin: 0;
        padding: var(--space-2) var(--space-3) var(--space-1);
        background: var(--color-surface);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-weight: var(--font-weight-regular);
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        position: relative;
        display: grid;
        grid-template-columns: calc(var(--space-12) * 1.5) minmax(0, 1fr);
        gap: 0 var(--space-3);
        align-items: center;
        padding: var(--space-2) var(--space-3);
      }
      li:hover,
      li:focus-within {
        background: var(--color-raised);
      }
      li.small {
        grid-template-columns: var(--space-12) minmax(0, 1fr);
        padding-block: var(--space-1);
      }
      .title {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        min-width: 0;
      }
      .title st-state-mark {
        flex: none;
      }
      a {
        color: inherit;
        text-decoration: none;
      }
      a:hover {
        text-decoration: underline;
      }
      .quiet {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .title a {
        flex: 0 1 auto;
      }
      .title .label {
        flex: 1 3 0;
      }
      .time {
        flex: none;
        margin-inline-start: auto;
        font-variant-numeric: tabular-nums;
      }
      st-job-line {
        font-size: var(--size-text-small);
      }
      .actions {
        position: absolute;
        inset: 0 var(--space-2) 0 auto;
        display: flex;
        align-items: center;
        padding-inline-start: var(--space-4);
        background: linear-gradient(to right, transparent, var(--color-raised) var(--space-4));
      }
      li:not(:hover, :focus-within) .actions {
        opacity: 0;
      }
      .stale {
        margin: 0;
        padding: var(--space-1) var(--space-3);
        border-inline-start: var(--size-running-line) solid var(--color-amber);
        font-size: var(--size-text-small);
      }
      .none {
        margin: 0;
        padding: 0 var(--space-3) var(--space-2);
      }
      @media (hover: none) {
        li .actions {
          opacity: 1 !important;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel: Panel | undefined;
  #leave: (() => void)[] = [];

  override connectedCallback() {
    super.connectedCallback();
    this.#leave = [queue.open(), watchTime()];
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const leave of this.#leave) leave();
  }

  override render() {
    const { running, waiting } = queue.counts;
    return html`
      <div class="head">
        <h2>${w("jobs")} <span class="quiet">${w("traySummary", { running, waiting })}</span></h2>
      </div>
      ${queue.reading.isStale ? html`<p class="stale" role="status">${w("stale")}</p>` : nothing}
      <div class="scroll">${this.#content()}</div>
      <div class="foot">
        <st-action command="jobs.open_queue" look="quiet"></st-action>
        <st-action command="jobs.retry_failed" look="quiet"></st-action>
      </div>
    `;
  }

  #content() {
    const { problem, isKnown } = queue.reading;
    if (!isKnown) {
      return problem
        ? html`<st-error heading=${
          w("unread")
        } text=${problem.message} id-to-copy=${problem.requestId}></st-error>`
        : html`<st-skeleton count="5"></st-skeleton>`;
    }
    const running = queue.all.filter(({ status }) => status === "running");
    const waiting = queue.all.filter(isWaiting);
    const failed = queue.all.filter(({ status }) => status === "failed").slice(0, FAILED_SHOWN);
    if (running.length + waiting.length + failed.length === 0) {
      return html`<st-empty icon="checks" heading=${w("emptyQueue")} text=${w("emptyQueueText")}></st-empty>`;
    }
    return html`
      <h3>${w("running")}</h3>
      ${running.length === 0 ? html`<p class="none quiet">${w("nothingRuns")}</p>` : nothing}
      <ul>${repeat(running, ({ id }) => id, (job) => this.#row(job, false))}</ul>
      ${failed.length === 0 ? nothing : html`
        <h3>${w("failedRecently")}</h3>
        <ul>${repeat(failed, ({ id }) => id, (job) => this.#row(job, true))}</ul>
      `}
      ${waiting.length === 0 ? nothing : html`
        <h3>${w("waiting")}</h3>
        <ul>${repeat(waiting.slice(0, WAITING_SHOWN), ({ id }) => id, (job) => this.#row(job, true))}</ul>
        ${waiting.length > WAITING_SHOWN
          ? html`<p class="none quiet">${w("seeAll", { n: waiting.length })}</p>`
          : nothing}
      `}
    `;
  }

  #row(job: QueueJob, isSmall: boolean) {
    return html`
      <li class=${isSmall ? "small" : ""}>
        <st-job-picture .job=${job}></st-job-picture>
        <div>
          <div class="title">
            ${isSmall ? html`<st-state-mark state=${markOf(job)}></st-state-mark>` : nothing}
            <a class="cut" href=${`/jobs/${job.id}`} @click=${this.#open(job.id)}>${nameOf(job)}</a>
            <span class="quiet label cut">${job.subject ? kindName(job) : nothing}</span>
            <span class="quiet time">${timeOf(job, timeNow())}</span>
          </div>
          <st-job-line .job=${job}></st-job-line>
        </div>
        <div class="actions">
          ${job.status === "failed"
            ? html`<st-action command="jobs.retry" .target=${job.id} look="quiet" icon-only></st-action>`
            : html`
              ${isSmall
                ? html`<st-action command="jobs.hold" .target=${job.id} look="quiet" icon-only></st-action>`
                : nothing}
              <st-action command="jobs.cancel" .target=${job.id} look="quiet" icon-only></st-action>
            `}
        </div>
      </li>
    `;
  }

  #open(jobId: string) {
    return (event: MouseEvent) => {
      if (event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      void runCommand("jobs.open", jobId);
    };
  }
}
