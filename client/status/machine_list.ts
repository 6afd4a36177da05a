import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { formatAgo, formatBytes, formatCount, formatDuration, formatPercent } from "#client/core/format.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import type { State } from "#client/ui/state_mark.ts";
import "#client/ui/state_mark.ts";
import type { Worker } from "#server/fleet/contract.ts";
import { sectionStyles } from "./section_styles.ts";
import type { HealthStatus, ThreadHealth } from "#server/health/contract.ts";
import { NOTHING_READ, type StatusFacts } from "./status_facts.ts";
import { w } from "./words.ts";

const WORKER: Readonly<Record<Worker["status"], State>> = {
  unknown: "waiting",
  online: "good",
  offline: "failed",
  unhealthy: "attention",
  suspect: "attention",
  resting: "waiting",
  draining: "waiting",
  disabled: "off",
};

const THREAD: Readonly<Record<ThreadHealth["status"], readonly [State, `thread_${ThreadHealth["status"]}`]>> =
  {
    starting: ["waiting", "thread_starting"],
    running: ["good", "thread_running"],
    waiting: ["failed", "thread_waiting"],
    stopped: ["off", "thread_stopped"],
  };

/** What the studio runs on: workers, threads, disk, media engine. */
@customElement("st-machine-list")
export class MachineList extends LitElement {
  static override styles = [
    formStyles,
    sectionStyles,
    css`
      .part + .part {
        margin-top: var(--space-6);
      }
      li {
        display: grid;
        grid-template-columns: var(--size-mark) minmax(0, 1fr) auto;
        column-gap: var(--space-3);
        align-items: center;
        padding: var(--space-1) 0;
        min-height: var(--size-row);
        border-bottom: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
      }
      li:hover {
        background: var(--color-surface);
      }
      .below {
        grid-column: 2 / -1;
      }
      dl {
        margin: 0;
      }
      dl > div {
        position: relative;
        display: flex;
        justify-content: space-between;
        align-items: center;
        gap: var(--space-4);
        min-height: var(--size-row);
        border-bottom: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
      }
      dt {
        flex: none;
        color: var(--color-text-quiet);
      }
      dd {
        margin: 0;
        text-align: right;
        overflow-wrap: anywhere;
      }
      .meter {
        position: absolute;
        inset: auto 0 0 0;
        width: 100%;
        height: var(--size-running-line);
      }
      .meter .track {
        fill: var(--color-line);
      }
      .meter .used {
        fill: var(--color-text-quiet);
      }
      .meter .used.low {
        fill: var(--color-amber);
      }
    `,
  ];

  @property({ attribute: false })
  accessor facts: StatusFacts = NOTHING_READ;
  @property({ type: Number })
  accessor now = 0;

  override render() {
    const { workers, studio } = this.facts;
    return html`
      ${workers === undefined ? nothing : html`
        <section class="part" aria-labelledby="workers">
          <div class="head"><h2 id="workers">${w("workers")}</h2><span class="count">${formatCount(
            workers.length,
          )}</span></div>
          ${workers.length === 0 ? html`<p class="none">${w("noWorkerYet")}</p>` : nothing}
          <ul>${workers.map((worker) => this.#worker(worker))}</ul>
        </section>
      `}
      ${studio === undefined ? nothing : html`
        <section class="part" aria-labelledby="threads">
          <div class="head"><h2 id="threads">${w("threads")}</h2><span class="count">${formatCount(
            studio.threads.length,
          )}</span></div>
          <ul>${studio.threads.map((thread) => this.#thread(thread))}</ul>
        </section>
        ${this.#machine(studio)}
      `}
    `;
  }

  #worker(worker: Worker) {
    const software = [
      worker.software ?? (worker.kind === "cpu_engine" ? "CPU engine" : "ComfyUI"),
      worker.version,
    ]
      .filter(Boolean).join(" ");
    const seen = worker.status !== "online" && worker.lastSeenAt
      ? w("seen", { ago: formatAgo(worker.lastSeenAt, this.now) })
      : "";
    const queue = worker.running === 0
      ? w("workerIdle")
      : w("workerRuns", { running: worker.running, parallel: worker.maxParallel });
    const isBusy = worker.running > 0 && worker.status === "online";
    return html`
      <li>
        <st-state-mark state=${isBusy ? "running" : WORKER[worker.status]}></st-state-mark>
        <span class="cut" title=${worker.url}>${worker.name}</span>
        <span class="quiet small">${w(worker.isPaused ? "paused" : `worker_${worker.status}`)}</span>
        <span class="below cut quiet small">${[software, queue, seen].filter(Boolean).join(" · ")}</span>
        ${worker.lastError && worker.status !== "online"
          ? html`<p class="below reason small">${worker.lastError}</p>`
          : nothing}
      </li>
    `;
  }

  #thread(thread: ThreadHealth) {
    const [state, word] = THREAD[thread.status];
    const restarts = thread.restarts === 0 ? "" : ` · ${w("restarts", { n: thread.restarts })}`;
    return html`
      <li>
        <st-state-mark state=${state}></st-state-mark>
        <span class="cut">${thread.name}</span>
        <span class="quiet small">${w(word)} · ${formatDuration(
          this.now - Date.parse(thread.since),
        )}${restarts}</span>
        ${thread.lastError && thread.status !== "running"
          ? html`<p class="below reason small">${thread.lastError}</p>`
          : nothing}
      </li>
    `;
  }

  #machine({ disk, media, database, version, startedAt, machine }: HealthStatus) {
    const used = disk === null ? 0 : 1 - disk.freeBytes / disk.totalBytes;
    return html`
      <section class="part" aria-labelledby="machine">
        <div class="head"><h2 id="machine">${w("machine")}</h2><span class="count cut">${machine
          .host}</span></div>
        <dl>
          <div>
            <dt>${w("disk")}</dt>
            <dd>${disk === null ? w("notKnown") : w("freeOf", {
              free: formatBytes(disk.freeBytes),
              total: formatBytes(disk.totalBytes),
            })}${disk === null ? nothing : diskMeter(used)}</dd>
          </div>
          <div>
            <dt>${w("memory")}</dt>
            <dd>${w("freeOf", {
              free: formatBytes(machine.freeMemoryBytes),
              total: formatBytes(machine.memoryBytes),
            })}</dd>
          </div>
          <div>
            <dt>${w("processor")}</dt>
            <dd>${w("cores", { n: machine.cores })} · ${machine.os}</dd>
          </div>
          <div>
            <dt>${w("mediaEngine")}</dt>
            <dd>${media ?? w("isLookedFor")}</dd>
          </div>
          <div>
            <dt>${w("database")}</dt>
            <dd>${database ?? w("noAnswer")}</dd>
          </div>
          <div>
            <dt>Seedloop</dt>
            <dd>${version} · ${w("up", { time: formatDuration(this.now - Date.parse(startedAt)) })}</dd>
          </div>
        </dl>
      </section>
    `;
  }
}

function diskMeter(used: number) {
  return html`
    <svg class="meter" viewBox="0 0 100 1" preserveAspectRatio="none" role="img"
      aria-label=${w("diskUsed", { percent: formatPercent(used) })}>
      <rect class="track" width="100" height="1" />
      <rect class=${used > 0.9 ? "used low" : "used"} width=${(used * 100).toFixed(1)} height="1" />
    </svg>
  `;
}
