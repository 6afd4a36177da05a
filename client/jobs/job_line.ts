import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { formatPercent } from "#client/core/format.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/progress.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import { nameOf, stateOf } from "./describe_job.ts";
import { timeNow } from "./clock.ts";
import { queue } from "./queue_store.ts";

/** How a job is, as a sentence; while it runs, how far it is, live. */
@customElement("st-job-line")
export class JobLine extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        min-width: 0;
        color: var(--color-text-quiet);
      }
      :host([status="failed"]) {
        color: var(--color-text);
      }
      .line {
        display: flex;
        gap: var(--space-2);
        align-items: baseline;
        justify-content: space-between;
        min-width: 0;
      }
      .number {
        flex: none;
        color: var(--color-text);
        font-variant-numeric: tabular-nums;
      }
      st-progress {
        margin-top: var(--space-half);
      }
      :host([wrap]) .cut {
        white-space: normal;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false })
  accessor job: QueueJob | undefined;
  /** The sentence may take several lines. */
  @property({ type: Boolean, reflect: true })
  accessor wrap = false;
  @property({ reflect: true })
  accessor status = "";

  override render() {
    const { job } = this;
    if (!job) return nothing;
    const facts = { note: queue.noteOf(job), turn: queue.turnOf(job.id), now: timeNow() };
    const sentence = stateOf(job, facts);
    if (job.status !== "running") return html`<div class="cut" title=${sentence}>${sentence}</div>`;
    const ratio = queue.ratioOf(job);
    return html`
      <div class="line"><span class="cut" title=${sentence}>${sentence}</span>
        ${ratio === undefined ? nothing : html`<span class="number">${formatPercent(ratio)}</span>`}</div>
      <st-progress .ratio=${ratio} label=${nameOf(job)}></st-progress>
    `;
  }

  protected override willUpdate() {
    this.status = this.job?.status ?? "";
  }
}
