import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { session } from "#client/auth/session_store.ts";
import "#client/app/st_action.ts";
import { fleet } from "#client/fleet/fleet_store.ts";
import { markOfWorker, statusOfWorker } from "#client/fleet/describe_worker.ts";
import "#client/ui/badge.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/state_mark.ts";
import { Lane } from "#server/core/job_kind.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import { nameOf } from "./describe_job.ts";
import { workerState } from "./describe_wait.ts";
import { kindName, laneName } from "./names.ts";
import "./job_line.ts";
import "./job_picture.ts";
import { EVERYTHING_OPEN, filterJobs, type QueueFilter } from "./queue_order.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";

const NEXT_SHOWN = 6;

/** Who runs what and what comes next: one column for each worker, one for each lane of the studio itself. */
@customElement("st-lane-board")
export class LaneBoard extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: minmax(calc(var(--size-tile) * 1.1), 1fr);
        height: 100%;
        overflow: auto;
      }
      section {
        display: flex;
        flex-direction: column;
        gap: var(--space-3);
        min-width: 0;
        padding: var(--space-3);
        border-inline-end: var(--size-hairline) solid var(--color-line);
        overflow-y: auto;
      }
      header {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        min-width: 0;
      }
      h2 {
        margin: 0;
        min-width: 0;
        font-size: var(--size-text);
        font-weight: var(--font-weight-medium);
      }
      h3 {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-weight: var(--font-weight-regular);
      }
      p {
        margin: 0;
      }
      p {
        flex: none;
      }
      .quiet {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      article {
        display: grid;
        gap: var(--space-2);
      }
      article st-job-picture {
        width: 100%;
      }
      .name {
        font-weight: var(--font-weight-medium);
      }
      ol {
        display: grid;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: 2ch calc(var(--size-control) * 1.2) minmax(0, 1fr);
        gap: var(--space-2);
        align-items: center;
        min-height: var(--size-row);
        border-top: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
      }
      .turn {
        color: var(--color-text-quiet);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: false })
  accessor filter: QueueFilter = EVERYTHING_OPEN;
  #close: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    if (session.may("worker.read")) this.#close = fleet.open();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
  }

  override render() {
    const { lane, text } = this.filter;
    const jobs = filterJobs(queue.all, { show: "open", lane: "", text });
    const ofStudio = Lane.options.filter((one) => one !== "gpu" && (lane === "" || lane === one));
    return html`
      ${lane === "" || lane === "gpu"
        ? repeat(fleet.all, ({ id }) => id, (worker) => {
          const running = jobs.filter((job) => job.workerId === worker.id && job.status === "running");
          const state = worker.isPaused && worker.status === "online" ? "paused" : worker.status;
          const loaded = queue.state?.loaded.find(({ workerId }) => workerId === worker.id);
          return html`
            <section aria-label=${worker.name}>
              <header>
                <st-state-mark state=${markOfWorker(worker)}></st-state-mark>
                <h2 class="cut" title=${worker.name}>${worker.name}</h2>
                ${worker.kind === "cpu_engine" ? html`<st-badge>${w("cpuPreview")}</st-badge>` : nothing}
              </header>
              ${running.length === 0
                ? html`<p class="quiet">${statusOfWorker(worker)}</p>`
                : running.map(showRunning)}
              ${loaded
                ? html`<p class="quiet cut" title=${loaded.models.join(", ") || loaded.workflow}>${
                  loaded.models.length > 0
                    ? w("loadedHere", { names: loaded.models.join(", ") })
                    : w("modelLoaded", { name: loaded.workflow })
                }</p>`
                : nothing}
              ${state === "online"
                ? this.#next("gpu", jobs.filter((job) => job.lane === "gpu" && mayRun(job, worker.name)))
                : html`<p class="quiet">${w("nothingNext", { state: workerState(state) })}</p>`}
            </section>
          `;
        })
        : nothing}
      ${ofStudio.map((one) => {
        const mine = jobs.filter((job) => job.lane === one);
        const running = mine.filter(({ status }) => status === "running");
        const isPaused = queue.isLanePaused(one);
        return html`
          <section aria-label=${laneName(one)}>
            <header>
              <st-state-mark state=${isPaused
                ? "attention"
                : running.length > 0
                ? "running"
                : "off"}></st-state-mark>
              <h2>${laneName(one)}</h2>
            </header>
            ${running.length === 0
              ? html`<p class="quiet">${w(isPaused ? "lanePaused" : "idle")}</p>`
              : running.map(showRunning)}
            ${this.#next(one, mine)}
          </section>
        `;
      })}
    `;
  }

  #next(lane: Lane, jobs: readonly QueueJob[]) {
    const next = jobs.filter(({ id }) => queue.turnOf(id) !== undefined).slice(0, NEXT_SHOWN);
    return html`
      <div>
        <h3>${w("nextHere")}</h3>
        ${next.length === 0
          ? html`<p class="quiet">${w(queue.isLanePaused(lane) ? "lanePaused" : "noNext")}</p>`
          : html`
            <ol>${next.map((job) =>
              html`
                <li>
                  <span class="turn">${queue.turnOf(job.id)}</span>
                  <st-job-picture .job=${job}></st-job-picture>
                  <span class="cut" title=${nameOf(job)}>${nameOf(job)}
                    <span class="quiet">${job.userName ?? w("studioItself")}</span></span>
                </li>
              `
            )}</ol>
          `}
      </div>
    `;
  }
}

/** Held up by nothing but its turn, and this worker is one of those that can run it. */
function mayRun({ wait }: QueueJob, name: string): boolean {
  return wait?.code === "in_line" && wait.ready.includes(name);
}

function showRunning(job: QueueJob) {
  return html`
    <article>
      <st-job-picture large .job=${job}></st-job-picture>
      <div><span class="name cut">${nameOf(job)}</span> <span class="quiet">${kindName(job)}</span></div>
      <st-job-line .job=${job}></st-job-line>
      <div class="quiet">${[job.userName ?? w("studioItself"), job.projectName].filter(Boolean).join(
        " · ",
      )}</div>
    </article>
  `;
}
