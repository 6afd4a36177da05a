import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { formatPercent } from "#client/core/format.ts";
import { live, type LiveState } from "#client/core/live.ts";
import { go } from "#client/core/place.ts";
import { type UploadProgress, uploadProgress } from "#client/core/upload_progress.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/state_mark.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { Worker } from "#server/fleet/contract.ts";
import { shell } from "./shell_facts.ts";
import "./workspace_mark.ts";
import { w } from "./words.ts";

const CONNECTION: Readonly<Record<LiveState, State>> = {
  off: "off",
  connecting: "waiting",
  live: "good",
  lost: "attention",
};
/** Few enough to stand beside each other. */
const NAMED = 3;
/** From here on the disk needs somebody. */
const DISK_FULL = 0.9;

/** The bar at the bottom: workers, queue, disk, connection. Ambient: nothing here asks for anything. */
@customElement("st-status-bar")
export class StatusBar extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: var(--space-4);
        height: var(--size-control-small);
        padding: 0 var(--space-3);
        overflow: hidden;
        background: var(--color-raised);
        border-top: var(--size-hairline) solid var(--color-line);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        white-space: nowrap;
      }
      a {
        color: inherit;
        text-decoration: none;
      }
      a:hover {
        color: var(--color-text);
      }
      a:focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      a,
      span {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
      }
      a {
        gap: var(--space-4);
      }
      .gap {
        flex: 1;
      }
      /* The first to give way. */
      .cut {
        display: block;
      }
      @media (width < 40rem) {
        :host {
          gap: var(--space-3);
          overflow-x: auto;
          scrollbar-width: none;
        }
      }
      .attention {
        color: var(--color-amber);
      }
      .stale {
        opacity: 0.6;
      }
    `,
  ];

  override render() {
    const { workers, queue, studio, silentSince } = shell.facts;
    const waiting = (queue?.lanes ?? []).reduce(
      (sum, lane) => sum + lane.queued + lane.blocked + lane.held,
      0,
    );
    const isStale = silentSince !== undefined;
    return html`
      <a href="/status" class=${isStale ? "stale" : ""} @click=${showStatus}>
        ${workers.length <= NAMED ? workers.map(worker) : on(workers)}
        ${queue
          ? html`<span>${waiting === 0 ? w("queueEmpty") : w("queueOf", { n: waiting })}</span>`
          : nothing}
        ${disk(studio?.disk)}
      </a>
      <span class="gap"></span>
      ${sending(uploadProgress())}
      <st-workspace-mark></st-workspace-mark>
      <span role="status"><st-state-mark state=${CONNECTION[live.state]}></st-state-mark>${w(
        live.state,
      )}</span>
      ${studio ? html`<span class="cut">${w("version", { version: studio.version })}</span>` : nothing}
    `;
  }
}

function sending(uploads: UploadProgress | undefined) {
  if (!uploads) return nothing;
  const { count, ratio, isLost } = uploads;
  const said = isLost
    ? w("uploadsWait", { n: count })
    : w("uploads", { n: count, percent: formatPercent(ratio) });
  return html`<span class="cut"><st-state-mark state=${
    isLost ? "attention" : "running"
  }></st-state-mark>${said}</span>`;
}

function worker({ name, status, running, isPaused }: Worker) {
  const mark: State = status === "online"
    ? running > 0 ? "running" : isPaused ? "waiting" : "good"
    : status === "unknown" || status === "draining" || status === "resting"
    ? "waiting"
    : status === "suspect"
    ? "attention"
    : status === "disabled"
    ? "off"
    : "failed";
  return html`<span title=${name}><st-state-mark state=${mark}></st-state-mark>${name}${
    running > 0 ? ` ${running}` : ""
  }</span>`;
}

function on(workers: readonly Worker[]) {
  const count = workers.filter(({ status }) => status === "online").length;
  return html`<span class=${count === 0 ? "attention" : ""}>${
    count === 0 ? w("noWorkerOn") : w("workersOn", { n: count })
  }</span>`;
}

function disk(disk: { readonly freeBytes: number; readonly totalBytes: number } | null | undefined) {
  if (!disk || disk.totalBytes === 0) return nothing;
  const used = 1 - disk.freeBytes / disk.totalBytes;
  return html`<span class=${used > DISK_FULL ? "attention" : ""}>${
    w("diskUsed", { percent: formatPercent(used) })
  }</span>`;
}

function showStatus(event: MouseEvent): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({ screen: "status" });
}
