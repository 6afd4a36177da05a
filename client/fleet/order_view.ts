import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { formatAgo } from "#client/core/format.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { factStyles } from "#client/ui/side_styles.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { WorkerImpact, WorkerOrder, WorkerOrderKind } from "#server/fleet/contract.ts";
import { cw } from "./care_words.ts";
import { askedOrder } from "./order_asked.ts";

const WAYS = { manager: "byManager", command: "byCommand", supervisor: "bySupervisor" } as const;
const OUTCOMES: Readonly<Record<string, State>> = { worked: "good", failed: "failed", impossible: "off" };

/** What an order would affect, before one presses, and what was done to the worker lately. */
@customElement("st-worker-orders")
export class OrderView extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    factStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-2);
      }
      strong {
        font-weight: var(--font-weight-medium);
      }
      ol {
        display: grid;
        gap: var(--space-1);
        margin: 0;
        padding: 0;
        list-style: none;
        font-size: var(--size-text-small);
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: var(--space-1) var(--space-2);
        align-items: center;
      }
      li p {
        grid-column: 2 / -1;
      }
      .outcome {
        color: var(--color-text-quiet);
      }
    `,
  ];

  @property({ attribute: "worker-id" })
  accessor workerId = "";
  @property({ attribute: false })
  accessor orders: readonly WorkerOrder[] = [];

  override render() {
    const asked = askedOrder();
    return html`
      ${asked?.workerId === this.workerId ? this.#ask(asked.order, asked.impact) : nothing}
      <h3>${cw("orders")}</h3>
      ${this.orders.length === 0
        ? html`<p>${cw("noOrders")}</p>`
        : html`<ol>${this.orders.slice(0, 8).map(showOrder)}</ol>`}
    `;
  }

  #ask(order: WorkerOrderKind, impact: WorkerImpact | undefined) {
    return html`
      <div class="impact" role="alert">
        <strong>${cw(`${order}Sure`)}</strong>
        <p>${cw(`${order}What`)}</p>
        ${!impact
          ? html`<st-skeleton></st-skeleton>`
          : impact.whyNot !== null
          ? html`<p>${impact.whyNot}</p>`
          : html`
            ${impact.way ? html`<p>${cw(WAYS[impact.way])}</p>` : nothing}
            ${showRunning(impact)}
            ${impact.foreign === null
              ? html`<p>${cw("foreignUnknown")}</p>`
              : impact.foreign > 0
              ? html`<strong>${cw("foreign", { n: impact.foreign })}</strong>`
              : nothing}
          `}
        <div class="actions">
          <st-action command="workers.order_now"></st-action>
          <st-action command="workers.leave_it" look="quiet"></st-action>
        </div>
      </div>
    `;
  }
}

function showRunning({ running, isInterrupting }: WorkerImpact) {
  const n = running.length;
  if (n === 0) return html`<p>${cw("nothingRuns")}</p>`;
  return html`
    <strong>${cw(isInterrupting ? "requeued" : "kept", { n })}</strong>
    ${running.slice(0, 5).map(({ label, userName }) =>
      html`<p>${[label, userName].filter(Boolean).join(" · ")}</p>`
    )}
  `;
}

function showOrder({ order, askedBy, askedAt, outcome, note, reason }: WorkerOrder) {
  const who = askedBy ?? cw("byDog");
  return html`
    <li>
      <st-state-mark state=${outcome === null ? "running" : OUTCOMES[outcome] ?? "off"}></st-state-mark>
      <span>${cw("orderLine", { order: cw(order), who, ago: formatAgo(askedAt, Date.now()) })}</span>
      <span class="outcome">${outcome === null ? cw("underWay") : cw(outcome)}</span>
      ${askedBy === null ? html`<p>${reason}</p>` : nothing}
      ${note === null ? nothing : html`<p>${note}</p>`}
    </li>
  `;
}
