import { SignalWatcher } from "@lit-labs/signals";
import { LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { QueueJob } from "#server/jobs/contract.ts";
import { timeNow } from "./clock.ts";
import { timeOf } from "./describe_job.ts";

/** How long a job has run, live, ran, or is expected to take. */
@customElement("st-job-time")
export class JobTime extends SignalWatcher(LitElement) {
  @property({ attribute: false })
  accessor job: QueueJob | undefined;

  override render() {
    return this.job && timeOf(this.job, timeNow());
  }
}
