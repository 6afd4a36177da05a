import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { charactersOf } from "#client/characters/character_store.ts";
import { openCharacterId } from "#client/characters/open_character.ts";
import { ApiError } from "#client/core/call.ts";
import { formatDuration } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import { projectId } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Field } from "#client/ui/field.ts";
import type { Select } from "#client/ui/select.ts";
import type { Slider } from "#client/ui/slider.ts";
import type { Switch } from "#client/ui/switch.ts";
import type { Seed, VariationEstimate } from "#server/seeds/contract.ts";
import type { Workflow } from "#server/workflows/contract.ts";
import type { Knob, WorkflowManifest } from "#server/workflows/manifest.ts";
import "#client/app/st_action.ts";
import "#client/ui/badge.ts";
import "#client/ui/button.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/field.ts";
import "#client/ui/select.ts";
import "#client/ui/slider.ts";
import "#client/ui/switch.ts";
import {
  type BatchDraft,
  draftFaults,
  type KnobValue,
  onResetKnobs,
  readEstimate,
  readManifest,
  readWorkflows,
  setBatchDraft,
} from "./batch_draft.ts";
import { isReady, openPair, openSeeds, showSeed } from "./open_pair.ts";
import { seedsOf } from "./seed_store.ts";
import "./seed_picture.ts";
import { w } from "./words.ts";

/** Knobs that show at once; the rest waits in the drawer (PRD-23). */
const POWER_KNOBS = 5;
const ESTIMATE_MS = 250;
const DEFAULT_COUNT = 8;

/** What a new batch of variations is to be: how many, from which portrait, by which workflow, and what it takes. */
@customElement("st-batch-panel")
export class BatchPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .page {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
      }
      .form {
        flex: 1;
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-3);
        align-content: start;
        min-height: 0;
        overflow: auto;
        padding: var(--space-3);
      }
      .label {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .portraits {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1);
      }
      .thumb {
        display: block;
        width: var(--space-12);
        aspect-ratio: 3 / 4;
        border-radius: var(--radius-control);
        overflow: hidden;
      }
      details {
        border-top: var(--size-hairline) solid var(--color-line);
        padding-top: var(--space-2);
      }
      summary {
        cursor: pointer;
        color: var(--color-text-quiet);
        border-radius: var(--radius-control);
      }
      details .inner {
        display: grid;
        gap: var(--space-3);
        padding-top: var(--space-3);
      }
      .row {
        display: grid;
        grid-template-columns: 2fr 3fr;
        align-items: center;
      }
      .portraits st-button::part(button) {
        min-height: 0;
        padding: var(--size-hairline);
      }
      .line {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: var(--space-2);
      }
      .end-bar {
        flex: none;
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-2);
        padding: var(--space-3);
        border-top: var(--size-hairline) solid var(--color-line);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0 var(--space-3);
        margin: 0;
        font-size: var(--size-text-small);
        font-variant-numeric: tabular-nums;
      }
      dt {
        color: var(--color-text-quiet);
      }
      dd {
        margin: 0;
        text-align: end;
      }
      .fault {
        margin: 0;
        padding-left: var(--space-2);
        border-left: var(--size-running-line) solid var(--color-ember);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  /** They could not be read; they are asked for again once the studio answers. */
  #areUnread = false;
  @state()
  accessor workflows: readonly Workflow[] | undefined = undefined;
  @state()
  accessor manifest: WorkflowManifest | undefined = undefined;
  @state()
  accessor estimate: VariationEstimate | undefined = undefined;
  @state()
  accessor problem: ApiError | undefined = undefined;
  #key = "";
  #closers: (() => void)[] = [];
  #asked = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback() {
    super.connectedCallback();
    onResetKnobs(() => this.#keep({ knobs: {} }));
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#follow("", "");
    clearTimeout(this.#timer);
    this.#asked = "";
    setBatchDraft(undefined);
    onResetKnobs(undefined);
  }

  #follow(project: string, character: string): void {
    const key = `${project}/${character}`;
    if (key === this.#key) return;
    for (const close of this.#closers) close();
    this.#closers = [];
    this.#key = key;
    if (project === "") return;
    this.#closers.push(charactersOf(project).open());
    if (character !== "") this.#closers.push(seedsOf(project, character).open());
  }

  override render() {
    return html`<div class="page"><h2 class="unseen">${w("batch")}</h2>${this.#page()}</div>`;
  }

  #page() {
    const project = projectId();
    const character = openCharacterId();
    this.#follow(project ?? "", character ?? "");
    if (project === undefined || character === undefined) {
      return html`<st-empty icon="sparkles" heading=${w("batch")} text=${w("needsCharacter")}></st-empty>`;
    }
    const draft = this.#draft(character);
    const portraits = seedsOf(project, character).all.filter((seed) =>
      seed.kind === "portrait" && isReady(seed) && seed.status !== "rejected"
    );
    const knobs = this.manifest?.knobs ?? [];
    return html`
      <div class="form">
        ${this.#portraits(portraits, draft.portraitSeedId)}
        <st-slider label=${w("count")} min="1" max="64" step="1" .value=${draft.count}
          @input=${(event: Event) => this.#keep({ count: (event.target as Slider).value })}></st-slider>
        ${this.#workflow()}
        ${this.manifest?.bindings["prompt"]
          ? html`
            <st-field label=${w("prompt")} rows="3" hint=${w("promptHint")} .value=${draft.prompt}
              @input=${(event: Event) => this.#keep({ prompt: (event.target as Field).value })}></st-field>
          `
          : nothing}
        ${repeat(
          knobs.slice(0, POWER_KNOBS),
          ({ parameter }) => parameter,
          (knob) => this.#knob(knob, draft),
        )}
        <details ?open=${this.panel.state.get("isOpen", false)} @toggle=${this.#toggle}>
          <summary>${w("moreKnobs")}</summary>
          <div class="inner">
            ${repeat(
              knobs.slice(POWER_KNOBS),
              ({ parameter }) => parameter,
              (knob) => this.#knob(knob, draft),
            )}
            <st-field label=${w("baseSeed")} hint=${w("baseSeedHint")} type="number" min="0" step="1" mono
              fault=${this.#fault("/body/baseRandomSeed")}
              .value=${draft.baseRandomSeed === undefined ? "" : String(draft.baseRandomSeed)}
              @input=${this.#setSeed}></st-field>
            <st-action command="seeds.reset_knobs" look="quiet"></st-action>
          </div>
        </details>
      </div>
      ${this.#foot()}
    `;
  }

  #portraits(portraits: readonly Seed[], chosen: string | undefined) {
    if (portraits.length === 0) return html`<p class="label">${w("needsPortrait")}</p>`;
    return html`
      <div>
        <div class="label" id="portraits">${w("fromPortrait")}</div>
        <div class="portraits" role="group" aria-labelledby="portraits">
          ${repeat([...portraits].reverse(), ({ id }) => id, (seed, index) =>
            html`
              <st-button variant="quiet" .pressed=${seed.id === chosen} @click=${() => showSeed(seed)}><span
                class="thumb"><st-seed-picture bare .seed=${seed}></st-seed-picture></span><span class="unseen">${w(
                  "tile",
                  {
                    name: w("portrait"),
                    index: index + 1,
                  },
                )}</span></st-button>
            `)}
        </div>
      </div>
    `;
  }

  #workflow() {
    const { workflows } = this;
    if (!workflows) return nothing;
    // Out of reach of the studio nobody has said that there are none.
    if (workflows.length === 0) {
      return this.#areUnread ? nothing : html`<p class="fault">${w("noWorkflow")}</p>`;
    }
    const best = this.estimate?.workflowTitle ?? "";
    return html`
      <st-select label=${w("workflow")} .value=${this.panel.state.get("workflow", "")} .options=${[
        { value: "", label: w("workflowAuto", { title: best }) },
        ...workflows.map(({ versionId, title, workers }) => ({
          value: versionId,
          label: workers.length > 0 ? title : `${title} (${w("noWorkers")})`,
        })),
      ]} @change=${(event: Event) => {
        this.panel.state.set("workflow", (event.target as Select).value);
        this.#keep({ knobs: {} });
      }}></st-select>
    `;
  }

  #knob(knob: Knob, draft: BatchDraft) {
    const value = draft.knobs[knob.parameter] ?? knob.default;
    const fault = this.#fault(`/parameters/${knob.parameter}`);
    const set = (next: KnobValue) => this.#keep({ knobs: { ...draft.knobs, [knob.parameter]: next } });
    switch (knob.kind) {
      case "toggle":
        return html`
          <st-switch .checked=${Boolean(value)} hint=${knob.help}
            @change=${(event: Event) => set((event.target as Switch).checked)}>${knob.label}</st-switch>
        `;
      case "choice":
        return html`
          <div class="row" title=${knob.help}>
            <span class="label" aria-hidden="true">${knob.label}</span>
            <st-select label=${knob.label} label-unseen fault=${fault} .value=${String(value)}
              .options=${knob.options} @change=${(event: Event) =>
                set((event.target as Select).value)}></st-select>
          </div>
        `;
      case "text":
        return html`
          <st-field label=${knob.label} hint=${knob.help} fault=${fault} maxlength=${knob
            .maxLength} .value=${String(
              value,
            )}
            @input=${(event: Event) => set((event.target as Field).value)}></st-field>
        `;
      default:
        return html`
          <st-slider label=${knob.label} title=${knob.help} min=${knob.min} max=${knob.max} step=${knob.step}
            unit=${knob.unit ?? ""} .value=${Number(value)} .initial=${knob.default}
            @input=${(event: Event) => set((event.target as Slider).value)}></st-slider>
          ${fault ? html`<p class="fault" role="alert">${fault}</p>` : nothing}
        `;
    }
  }

  #foot() {
    const { estimate, problem } = this;
    const faults = draftFaults();
    return html`
      <div class="end-bar">
        ${problem ? html`<p class="fault" role="alert">${problem.message}</p>` : nothing}
        ${faults ? html`<p class="fault" role="alert">${w("badFields")}: ${faults.message}</p>` : nothing}
        ${estimate
          ? html`
            <dl>
              <dt>${w("size")}</dt>
              <dd>${estimate.widthPx} × ${estimate.heightPx}</dd>
              <dt>${w("eta")}</dt>
              <dd>${this.#eta(estimate)}</dd>
              ${estimate.aheadCount > 0
                ? html`
                  <dt></dt>
                  <dd>${w("etaAhead", { n: estimate.aheadCount })}</dd>
                `
                : nothing}
            </dl>
            <div class="line">
              <span class="label cut">${estimate.workers.length > 0
                ? w("estimateOn", { workers: estimate.workers.join(", ") })
                : w("noWorkers")}</span>
              ${estimate.isCpuPreview ? html`<st-badge>${w("cpuPreview")}</st-badge>` : nothing}
            </div>
          `
          : nothing}
        <st-action command="seeds.generate" look="primary"></st-action>
      </div>
    `;
  }

  #eta({ total }: VariationEstimate): string {
    if (!total) return w("etaUnknown");
    const [low, high] = [formatDuration(total.p50Ms), formatDuration(total.p90Ms)];
    return low === high ? low : w("etaRange", { low, high });
  }

  #fault(field: string): string {
    return draftFaults()?.fields.find((one) => one.field === field)?.message ?? "";
  }

  /** The form as it is kept with the layout, so that it is there again tomorrow. */
  #draft(characterId: string): BatchDraft {
    const { state } = this.panel;
    const { a } = openPair();
    const versions = new Set<string>(this.workflows?.map(({ versionId }) => versionId));
    const workflow = state.get("workflow", "");
    return {
      characterId,
      portraitSeedId: isReady(a) ? a.id : undefined,
      count: state.get("count", DEFAULT_COUNT),
      workflowVersionId: versions.has(workflow) ? workflow as Workflow["versionId"] : undefined,
      baseRandomSeed: state.get<number | undefined>("baseRandomSeed", undefined),
      prompt: state.get("prompt", ""),
      knobs: state.get<BatchDraft["knobs"]>("knobs", {}),
    };
  }

  #keep(change: Partial<BatchDraft>): void {
    for (const [key, value] of Object.entries(change)) this.panel.state.set(key, value);
  }

  protected override updated() {
    const character = openCharacterId();
    if (!this.workflows && projectId() !== undefined) void this.#readWorkflows();
    if (character === undefined) return;
    const draft = this.#draft(character);
    // What a batch takes is known better once one has ended.
    const making = openSeeds()?.all.filter(({ status }) => status === "making").length ?? 0;
    const text = JSON.stringify([draft, making]);
    if (text === this.#asked) return;
    this.#asked = text;
    setBatchDraft(draft);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#readEstimate(draft), this.estimate ? ESTIMATE_MS : 0);
  }

  async #readWorkflows(): Promise<void> {
    this.workflows = [];
    try {
      this.workflows = await readWorkflows();
    } catch (error) {
      this.#areUnread = true;
      this.#fail(error);
    }
  }

  async #readEstimate(draft: BatchDraft): Promise<void> {
    try {
      const before = this.estimate?.workflowVersionId;
      const estimate = await readEstimate(draft);
      if (this.#areUnread) {
        this.#areUnread = false;
        this.workflows = undefined;
      }
      if (estimate.workflowVersionId !== before) {
        this.manifest = await readManifest(estimate.workflowVersionId);
      }
      this.estimate = estimate;
      this.problem = undefined;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.problem = error;
  }

  readonly #toggle = (event: Event) => {
    this.panel.state.set("isOpen", (event.target as HTMLDetailsElement).open);
  };

  readonly #setSeed = (event: Event) => {
    const text = (event.target as Field).value;
    const seed = Number(text);
    this.#keep({ baseRandomSeed: text === "" || !Number.isSafeInteger(seed) ? undefined : seed });
  };
}
