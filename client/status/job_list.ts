import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { formatAgo, formatCount, formatDuration, formatPercent } from "#client/core/format.ts";
import type { JobProgress } from "#client/core/live.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import type { State } from "#client/ui/state_mark.ts";
import "#client/ui/state_mark.ts";
import type { Job } from "#server/jobs/contract.ts";
import "#client/app/st_action.ts";
import { sectionStyles } from "./section_styles.ts";
import { NOTHING_READ, type StatusFacts, waitingCount } from "./status_facts.ts";
import { w } from "./words.ts";

const WAITING: Readonly<
  Partial<Record<Job["status"], readonly [State, "waitsQueued" | "waitsBlocked" | "waitsHeld"]>>
> = {
  queued: ["queued", "waitsQueued"],
  blocked: ["waiting", "waitsBlocked"],
  held: ["waiting", "waitsHeld"],
};

/** The queue: what runs, with its pictures and how far it is; what failed, and why; what waits. */
@customElement("st-job-list")
export class JobList extends LitElement {
  static override styles = [
    formStyles,
    sectionStyles,
    css`
      .pictures {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--size-tile)), 1fr));
        gap: var(--space-2);
        padding: var(--space-3) 0;
      }
      figure {
        position: relative;
        margin: 0;
        border-radius: var(--radius-control);
        overflow: hidden;
        outline: var(--size-hairline) solid var(--color-plasma);
        box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-plasma) 25%, transparent);
      }
      figure img {
        display: block;
        width: 100%;
        aspect-ratio: 3 / 2;
        object-fit: cover;
      }
      figcaption {
        position: absolute;
        inset: auto var(--space-1) var(--space-1) auto;
      }
      .chip {
        padding: 0 var(--space-1);
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
        color: var(--color-text);
        border-radius: var(--radius-control);
        font-size: var(--size-label);
      }
      li {
        position: relative;
        display: grid;
        grid-template-columns: var(--size-mark) minmax(8ch, 14ch) minmax(0, 1fr) 5ch 9ch;
        column-gap: var(--space-3);
        align-items: center;
        min-height: var(--size-row);
        border-bottom: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
      }
      li:hover {
        background: var(--color-surface);
      }
      li.failed {
        grid-template-columns: var(--size-mark) minmax(0, 1fr) auto;
        padding: var(--space-2) 0;
        align-items: start;
        row-gap: var(--space-1);
      }
      li.failed st-state-mark {
        margin-top: var(--space-1);
      }
      .wide {
        grid-column: 2;
      }
      li.failed st-action {
        grid-area: 1 / 3 / span 3;
        align-self: start;
      }
      .line {
        display: flex;
        gap: var(--space-3);
        align-items: baseline;
        min-width: 0;
      }
      progress {
        position: absolute;
        inset: auto 0 0 0;
        width: 100%;
        height: var(--size-running-line);
        border: 0;
        background: none;
        appearance: none;
      }
      progress::-webkit-progress-bar {
        background: none;
      }
      progress::-webkit-progress-value {
        background: var(--color-plasma);
        transition: inline-size var(--motion-fast) ease-out;
      }
      progress::-moz-progress-bar {
        background: var(--color-plasma);
      }
      .id {
        font-family: var(--font-mono);
        user-select: all;
      }
      .part + .part {
        margin-top: var(--space-6);
      }
      @media (prefers-reduced-motion: reduce) {
        progress::-webkit-progress-value {
          transition: none;
        }
      }
      @media (width < 40rem) {
        li:not(.failed) {
          grid-template-columns: var(--size-mark) minmax(0, 1fr) 5ch;
        }
        li:not(.failed) > .about,
        li:not(.failed) > .since {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor facts: StatusFacts = NOTHING_READ;
  @property({ attribute: false })
  accessor progress: ReadonlyMap<string, JobProgress> = new Map();
  @property({ attribute: false })
  accessor previews: ReadonlyMap<string, string> = new Map();
  /** The time that durations are told for, in milliseconds. */
  @property({ type: Number })
  accessor now = 0;

  override render() {
    const { running, waiting, failed } = this.facts;
    const waits = waitingCount(this.facts);
    return html`
      <section class="part" aria-labelledby="running">
        <div class="head"><h2 id="running">${w("running")}</h2><span class="count">${formatCount(
          running.length,
        )}</span></div>
        ${this.#pictures()}
        ${running.length === 0 ? html`<p class="none">${w("noneRuns")}</p>` : nothing}
        <ul>${repeat(running, ({ id }) => id, (job) => this.#running(job))}</ul>
      </section>
      ${failed.length === 0 ? nothing : html`
        <section class="part" aria-labelledby="failed">
          <div class="head"><h2 id="failed">${w("failed")}</h2><span class="count">${formatCount(
            failed.length,
          )}</span></div>
          <ul>${repeat(failed, ({ id }) => id, (job) => this.#failed(job))}</ul>
        </section>
      `}
      <section class="part" aria-labelledby="waiting">
        <div class="head"><h2 id="waiting">${w("waiting")}</h2><span class="count">${formatCount(
          waits,
        )}</span></div>
        ${waits === 0 ? html`<p class="none">${w("noJobWaits")}</p>` : nothing}
        <ul>${repeat(waiting, ({ id }) => id, (job) => this.#waiting(job))}</ul>
        ${waits > waiting.length && waiting.length > 0
          ? html`<p class="none small">${w("andEarlier", { count: formatCount(waits - waiting.length) })}</p>`
          : nothing}
      </section>
    `;
  }

  #pictures() {
    const shown = this.facts.running.flatMap((job) => {
      const address = this.previews.get(job.id);
      return address === undefined ? [] : [{ job, address }];
    });
    if (shown.length === 0) return nothing;
    return html`<div class="pictures">${
      repeat(shown, ({ job }) => job.id, ({ job, address }) =>
        html`
          <figure>
            <img src=${address} alt=${w("pictureSoFar", { label: job.label })}>
            ${this.#isCpuPreview(job) ? html`<figcaption class="chip">CPU preview</figcaption>` : nothing}
          </figure>
        `)
    }</div>`;
  }

  #isCpuPreview(job: Job): boolean {
    return this.facts.workers?.find(({ id }) => id === job.workerId)?.kind === "cpu_engine";
  }

  #running(job: Job) {
    const told = this.progress.get(job.id);
    const ratio = told?.ratio ?? job.progressRatio;
    const note = job.isCancelAsked ? w("cancelling") : told?.note || job.progressNote || "";
    return html`
      <li>
        <st-state-mark state="running"></st-state-mark>
        <span class="cut">${job.label}</span>
        <span class="about cut quiet small">${this.#about(job, note)}</span>
        <span class="number">${ratio === null ? "" : formatPercent(ratio)}</span>
        <span class="since number quiet small">${job.startedAt
          ? formatDuration(this.now - Date.parse(job.startedAt))
          : ""}</span>
        <progress aria-label=${w("howFar", { label: job.label })} max="1" .value=${ratio ?? 0}></progress>
      </li>
    `;
  }

  #waiting(job: Job) {
    const [state, why] = WAITING[job.status] ?? ["queued", "waitsQueued"];
    return html`
      <li>
        <st-state-mark state=${state}></st-state-mark>
        <span class="cut">${job.label}</span>
        <span class="about cut quiet small">${this.#about(job, w(why))}</span>
        <span></span>
        <span class="since number quiet small">${formatDuration(this.now - Date.parse(job.createdAt))}</span>
      </li>
    `;
  }

  #failed(job: Job) {
    return html`
      <li class="failed">
        <st-state-mark state="failed"></st-state-mark>
        <span class="line">
          <span class="cut">${job.label}</span>
          <span class="cut quiet small">${this.#about(
            job,
            job.finishedAt ? formatAgo(job.finishedAt, this.now) : "",
          )}</span>
        </span>
        <st-action command="status.retry" .target=${job.id}></st-action>
        <p class="reason wide">${job.error ?? w("noReason")}</p>
        <p class="reason wide quiet small">${w("job")} <span class="id">${job.id}</span></p>
      </li>
    `;
  }

  #about(job: Job, rest: string): string {
    const project = job.projectId === null ? undefined : this.facts.projects.get(job.projectId);
    return [rest, project].filter(Boolean).join(" · ");
  }
}
