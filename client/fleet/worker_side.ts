import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { session } from "#client/auth/session_store.ts";
import { ApiError } from "#client/core/call.ts";
import { formatDuration } from "#client/core/format.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { factStyles } from "#client/ui/side_styles.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import "#client/ui/tabs.ts";
import type { Worker, WorkerDetail, WorkerOrder } from "#server/fleet/contract.ts";
import "./care_view.ts";
import { cw } from "./care_words.ts";
import { markOfWorker, statusOfWorker } from "./describe_worker.ts";
import { fleet } from "./fleet_store.ts";
import "./order_view.ts";
import "./probe_facts.ts";
import "./profile_view.ts";
import { removalAsked } from "./removal.ts";
import "./vitals_view.ts";
import { w } from "./words.ts";

type Tab = "now" | "made" | "care";
const chosenTab = keptSignal<Tab>("workers_tab", "now");

/** One worker: how it is, what is done to it, what it can run, what it is made of, and its care. */
@customElement("st-worker-side")
export class WorkerSide extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    factStyles,
    css`
      :host,
      .stack {
        display: grid;
        gap: var(--space-3);
        align-content: start;
      }
      .impact strong {
        font-weight: var(--font-weight-medium);
        color: var(--color-text);
      }
      code {
        font: var(--font-weight-regular) var(--size-text-small) / 1.5 var(--font-mono);
        user-select: all;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false })
  accessor worker: Worker | undefined;
  @state()
  accessor detail: WorkerDetail | undefined;
  @state()
  accessor orders: readonly WorkerOrder[] = [];
  @state()
  accessor problem: ApiError | undefined;
  #shown: Worker | undefined;

  override render() {
    const { worker } = this;
    if (!worker) return nothing;
    this.#follow(worker);
    const seen = worker.lastSeenAt === null
      ? w("neverSeen")
      : w("lastSeen", { time: formatDuration(Math.max(0, Date.now() - Date.parse(worker.lastSeenAt))) });
    const isAdmin = session.may("worker.admin");
    const tab = chosenTab.get() === "care" && !isAdmin ? "now" : chosenTab.get();
    return html`
      <h2><st-state-mark state=${markOfWorker(worker)}></st-state-mark>${worker.name}</h2>
      <p>${statusOfWorker(worker)} · ${seen}</p>
      <code>${worker.url}</code>
      ${removalAsked()?.workerId === worker.id ? this.#removal() : this.#actions(worker)}
      ${this.problem
        ? html`<st-error heading=${w("unreadOne")} text=${this.problem.message}></st-error>`
        : nothing}
      <st-tabs label=${cw("sideLabel")} selected=${tab} .tabs=${[
        { id: "now", label: cw("nowTab") },
        { id: "made", label: cw("madeTab") },
        ...(isAdmin ? [{ id: "care", label: cw("careTab") }] : []),
      ]} @change=${this.#chooseTab}></st-tabs>
      ${tab === "now" ? this.#now(worker) : tab === "made"
        ? html`
          <st-worker-profile worker-id=${worker
            .id} version=${`${worker.status} ${worker.version}`}></st-worker-profile>
        `
        : html`
          <st-worker-care .worker=${this.detail?.id === worker.id ? this.detail : undefined}></st-worker-care>
        `}
    `;
  }

  #actions({ id, status, kind }: Worker) {
    const isOff = status === "draining" || status === "disabled";
    const isKept = this.detail?.id === id ? this.detail.isWanted : null;
    const action = (name: string) => html`<st-action command=${`workers.${name}`} .target=${id}></st-action>`;
    return html`
      <div class="actions">
        ${isOff ? action("enable") : [action("drain"), action("disable")]}
        ${kind === "comfyui" ? action("remove") : nothing}
      </div>
      <div class="actions">
        ${action("interrupt")} ${action("free")}
        ${kind === "comfyui" ? action("restart") : nothing}
        ${isKept === null ? nothing : isKept ? [action("kill"), action("stop")] : action("start")}
      </div>
    `;
  }

  #now(worker: Worker) {
    const detail = this.detail?.id === worker.id ? this.detail : undefined;
    return html`
      <st-worker-orders worker-id=${worker.id} .orders=${this.orders}></st-worker-orders>
      <st-vitals worker-id=${worker.id} ?is-remote=${isElsewhere(
        worker.url,
      )} .pauseAtCelsius=${detail?.rules.pauseAtCelsius ?? null}></st-vitals>
      ${!detail ? nothing : detail.capabilities.length === 0 ? html`<p>${w("notChecked")}</p>` : html`
        <st-probe-facts .facts=${{
          isReachable: true,
          heading: "",
          problem: null,
          devices: [],
          abilities: latest(detail.capabilities),
        }}></st-probe-facts>
      `}
      <st-vitals></st-vitals>
    `;
  }

  #removal() {
    const impact = removalAsked()?.impact;
    return html`
      <div class="impact" role="alert">
        ${!impact ? html`<st-skeleton></st-skeleton>` : html`
          ${impact.running.length > 0
            ? html`
              <strong>${w("impactRunning", { n: impact.running.length })}</strong>
              <p>${w("impactRunningMend")}</p>
            `
            : nothing}
          ${impact.waitingOnlyHere > 0
            ? html`<strong>${w("impactWaiting", { n: impact.waitingOnlyHere })}</strong>`
            : nothing}
          ${impact.running.length + impact.waitingOnlyHere === 0 ? html`<p>${w("impactNone")}</p>` : nothing}
          <p>${w("removeWhy")}</p>
        `}
        <div class="actions">
          <st-action command="workers.remove_now"></st-action>
          <st-action command="workers.keep" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  readonly #chooseTab = (event: Event) => {
    // The target is this template's own tabs.
    chosenTab.set((event.target as HTMLElement & { selected: Tab }).selected);
  };

  /** The store puts another object in place whenever the studio said that the worker has changed. */
  #follow(worker: Worker): void {
    if (worker === this.#shown) return;
    this.#shown = worker;
    queueMicrotask(() => void this.#read(worker.id));
  }

  async #read(workerId: string): Promise<void> {
    try {
      const [detail, orders] = await Promise.all([fleet.readDetail(workerId), fleet.readOrders(workerId)]);
      if (this.worker?.id !== workerId) return;
      this.detail = detail;
      this.orders = orders;
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = session.me && error.status !== 404 ? error : undefined;
    }
  }
}

/** A workflow's versions come in order: the last one counts. */
function latest(capabilities: WorkerDetail["capabilities"]) {
  const byCode = new Map(capabilities.map((one) => [one.workflowCode, one]));
  return [...byCode.values()].map(({ workflowTitle, isAble, missing }) => ({
    title: workflowTitle,
    isAble,
    missing,
  }));
}

/** Whether its address is another machine's, as far as a browser can tell. */
function isElsewhere(url: string): boolean {
  const host = new URL(url).hostname;
  return host !== "localhost" && host !== "[::1]" && !host.startsWith("127.") && host !== location.hostname;
}
