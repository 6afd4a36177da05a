import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { tell, tellError } from "#client/core/notices.ts";
import { fleet } from "#client/fleet/fleet_store.ts";
import { session } from "#client/auth/session_store.ts";
import type { Field } from "#client/ui/field.ts";
import type { Select } from "#client/ui/select.ts";
import type { JobChange, JobDetail, QueueJob } from "#server/jobs/contract.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/field.ts";
import "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import { noteJobChange } from "./changes.ts";
import { nameOf } from "./describe_job.ts";
import { askForJob } from "./job_asked.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";

const MINUTE_MS = 60_000;
const TEXTS = ["prompt", "negative"] as const;
const FIELDS: ReadonlySet<string> = new Set([...TEXTS, "seed", "priority", "runAt", "pinnedWorkerId"]);

/** Changes a job that waits: what it is to make, where, when and how urgent. */
@customElement("st-job-form")
export class JobForm extends SignalWatcher(LitElement) {
  static override styles = css`
    form {
      display: grid;
      gap: var(--space-3);
      min-width: min(100%, var(--size-form));
    }
    .row {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 16ch), 1fr));
      gap: var(--space-3);
    }
  `;

  @property({ attribute: false })
  accessor job: QueueJob | undefined = undefined;
  @state()
  accessor detail: JobDetail | undefined = undefined;
  /** What was typed, by field. */
  @state()
  accessor typed: Readonly<Record<string, string>> = {};
  @state()
  accessor faults: Readonly<Record<string, string>> = {};
  @state()
  accessor isBusy = false;
  #close: (() => void) | undefined;

  protected override willUpdate(changed: PropertyValues<this>) {
    // The queue gives another object at each news of the same job: what was typed stays.
    if (!changed.has("job") || changed.get("job")?.id === this.job?.id) return;
    this.detail = undefined;
    this.typed = {};
    this.faults = {};
    this.#close?.();
    this.#close = this.job && session.may("worker.read") ? fleet.open() : undefined;
    if (this.job) void this.#read(this.job.id);
  }

  protected override updated(changed: PropertyValues<this>) {
    // The dialog was shown before there was anything to fill in.
    if (!changed.has("detail") || !this.detail) return;
    const field = this.renderRoot.querySelector<Field>("st-field");
    void field?.updateComplete.then(() => field.focus());
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
    this.#close = undefined;
  }

  override render() {
    const { job } = this;
    return html`
      <st-dialog heading=${w("editHeading", { name: job ? nameOf(job) : "" })} .open=${job !== undefined}
        @st-close=${() => askForJob(undefined)}>
        ${this.detail ? this.#form(this.detail) : html`<st-skeleton count="4"></st-skeleton>`}
        <st-button slot="actions" variant="quiet" @click=${() => askForJob(undefined)}>${w(
          "dismiss",
        )}</st-button>
        <st-button slot="actions" variant="primary" .busy=${this.isBusy} ?disabled=${!this.detail}
          @click=${() => void this.#send()}>${w("save")}</st-button>
      </st-dialog>
    `;
  }

  #form(detail: JobDetail) {
    const values = valuesOf(detail);
    const hasSeed = typeof values.seed === "number" && !detail.takeId && !detail.seedId;
    return html`
      <form @submit=${(event: Event) => event.preventDefault()}>
        ${TEXTS.map((name) =>
          typeof values[name] === "string" || name === "prompt" && Object.keys(values).length > 0
            ? html`
              <st-field ?autofocus=${name === "prompt"} label=${w(name)} rows="3" .value=${this.#shown(
                name,
                values[name],
              )} fault=${this.faults[name] ?? ""}
                @input=${this.#type(name)}></st-field>
            `
            : nothing
        )}
        <div class="row">
          ${hasSeed
            ? html`
              <st-field label=${w("randomSeed")} type="number" min="0" .value=${this.#shown(
                "seed",
                values.seed,
              )} fault=${this.faults.seed ?? ""}
                @input=${this.#type("seed")}></st-field>
            `
            : nothing}
          <st-field label=${w("priority")} type="number" min="-10" max=${session.may("queue.admin")
            ? "10"
            : "0"} .value=${this.#shown("priority", detail.priority)} fault=${this.faults.priority ??
            ""} @input=${this.#type("priority")}></st-field>
          <st-field label=${w("startIn")} type="number" min="0" unit=${w("minutes")} hint=${w(
            "startInHint",
          )} .value=${this.#shown("startIn", minutesUntil(detail.runAt))} fault=${this.faults.runAt ??
            ""} @input=${this.#type("startIn")}></st-field>
        </div>
        ${detail.lane === "gpu" ? this.#workers(detail) : nothing}
      </form>
    `;
  }

  #workers(detail: JobDetail) {
    const options = [
      { value: "", label: w("anyWorker") },
      ...fleet.all.map(({ id, name }) => ({ value: id as string, label: name })),
    ];
    return html`
      <st-select label=${w("runOn")} .options=${options} .value=${this.#shown(
        "pinnedWorkerId",
        detail.pinnedWorkerId ?? "",
      )} fault=${this.faults.pinnedWorkerId ?? ""}
        @change=${this.#type("pinnedWorkerId")}></st-select>
    `;
  }

  #shown(name: string, value: unknown): string {
    return this.typed[name] ?? String(value ?? "");
  }

  // The targets are this template's own.
  #type(name: string) {
    return (event: Event) => {
      this.typed = { ...this.typed, [name]: (event.target as Field | Select).value };
    };
  }

  async #read(jobId: string): Promise<void> {
    try {
      const detail = await queue.readDetail(jobId);
      if (this.job?.id === jobId) this.detail = detail;
    } catch (error) {
      tellError(error);
      askForJob(undefined);
    }
  }

  async #send(): Promise<void> {
    const { job, detail } = this;
    if (!job || !detail || this.isBusy) return;
    const { before, after } = changesOf(detail, this.typed);
    if (Object.keys(after).length === 0) return askForJob(undefined);
    this.isBusy = true;
    try {
      await queue.change(job.id, after);
      askForJob(undefined);
      const text = w("changedJob", { name: nameOf(job) });
      tell({ kind: "done", text, undo: noteJobChange(text, { jobId: job.id, before, after }) });
    } catch (error) {
      const fields = error instanceof ApiError ? error.fields : [];
      this.faults = Object.fromEntries(
        fields.map(({ field, message }) => [field.replace(/^\/body\/(values\/)?/, ""), message]),
      );
      // What is wrong with something that the form does not show is said beside it.
      if (Object.keys(this.faults).some((name) => !FIELDS.has(name)) || fields.length === 0) tellError(error);
    } finally {
      this.isBusy = false;
    }
  }
}

/** What was bound to a generation; nothing of other work. */
function valuesOf({ input }: JobDetail): Readonly<Record<string, unknown>> {
  const { values } = Object(input) as { values?: Record<string, unknown> };
  return values ?? {};
}

function minutesUntil(instant: string): number {
  return Math.max(0, Math.ceil((Date.parse(instant) - Date.now()) / MINUTE_MS));
}

/** Only what differs, and what was there instead. */
function changesOf(detail: JobDetail, typed: Readonly<Record<string, string>>) {
  const before: JobChange = {};
  const after: JobChange = {};
  const values = valuesOf(detail);
  const [old, now]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const name of [...TEXTS, "seed"]) {
    const text = typed[name];
    if (text === undefined || text === String(values[name] ?? "")) continue;
    old[name] = values[name] ?? "";
    now[name] = name === "seed" ? Number(text) : text;
  }
  if (Object.keys(now).length > 0) {
    Object.assign(before, { values: old }), Object.assign(after, { values: now });
  }
  const { priority, startIn, pinnedWorkerId } = typed;
  if (priority !== undefined && Number(priority) !== detail.priority) {
    before.priority = detail.priority;
    after.priority = Number(priority);
  }
  if (startIn !== undefined && Number(startIn) !== minutesUntil(detail.runAt)) {
    before.runAt = detail.runAt;
    after.runAt = new Date(Date.now() + Number(startIn) * MINUTE_MS).toISOString();
  }
  if (pinnedWorkerId !== undefined && pinnedWorkerId !== (detail.pinnedWorkerId ?? "")) {
    before.pinnedWorkerId = detail.pinnedWorkerId;
    // One of the workers that the studio has named.
    after.pinnedWorkerId = (pinnedWorkerId || null) as JobChange["pinnedWorkerId"];
  }
  return { before, after };
}
