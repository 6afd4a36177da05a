import { isolate } from "#client/core/words.ts";
import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { follow } from "#client/core/follow.ts";
import { tellError } from "#client/core/notices.ts";
import type { Panel } from "#client/core/panels.ts";
import { seedsOf } from "#client/seeds/seed_store.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import type { ClipChange } from "#server/clips/contract.ts";
import type { Knob } from "#server/workflows/manifest.ts";
import "#client/ui/field.ts";
import "#client/ui/select.ts";
import "#client/ui/slider.ts";
import "#client/ui/switch.ts";
import { noteClip } from "./changes.ts";
import { type ClipDesk, openDesk } from "./clip_desk.ts";
import type { ClipFacts } from "./clip_store.ts";
import { rateText } from "./clip_panel.ts";
import "./segment_settings.ts";
import { manifestOf, videoWorkflows } from "./workflow_facts.ts";
import { w } from "./words.ts";

/** What the likeness gate starts with when it is switched on; the net's own limit between two people. */
const FLOOR_AT_FIRST = 0.5;

/** What the open clip is asked to be: length, prompts, hero, workflow, its power knobs; the rest in drawers. */
@customElement("st-clip-settings-panel")
export class ClipSettingsPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .all {
        display: flex;
        flex-direction: column;
        gap: var(--space-2);
        box-sizing: border-box;
        height: 100%;
        padding: var(--space-3);
        overflow: hidden auto;
        background: var(--color-surface);
      }
      .pair {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: var(--space-2);
      }
      .hint {
        display: flex;
        gap: var(--space-2);
        align-items: baseline;
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      details {
        border-top: var(--size-hairline) solid var(--color-line);
      }
      details > div {
        display: grid;
        gap: var(--space-3);
        padding-bottom: var(--space-3);
      }
      summary {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        height: var(--size-row);
        color: var(--color-text);
        font-weight: var(--font-weight-medium);
        cursor: pointer;
        list-style: none;
      }
      summary .icon {
        transition: rotate var(--motion-fast) var(--ease-out);
      }
      details[open] > summary .icon {
        rotate: 90deg;
      }
      .hero {
        display: grid;
        grid-template-columns: calc(2 * var(--space-12)) minmax(0, 1fr);
        gap: var(--space-2);
        align-items: center;
      }
      .hero img {
        width: 100%;
        aspect-ratio: 16 / 9;
        object-fit: cover;
        border-radius: var(--radius-control);
        background: var(--color-ground);
      }
      @media (prefers-reduced-motion: reduce) {
        summary .icon {
          transition: none;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #desk: ClipDesk | undefined;
  #closers: (() => void)[] = [];
  #seedsOfCharacter = "";
  #unfollow: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#unfollow = follow(() => this.#take(openDesk()));
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#unfollow?.();
    this.#release();
  }

  override render() {
    const desk = openDesk();
    const facts = desk?.store.facts;
    // The picture's panel says what to do; saying it in each would only be noise.
    if (!desk || !facts) return nothing;
    const why = whyNot(facts);
    return html`
      <div class="all">
      ${why ? html`<p class="hint">${icon("info")}${why}.</p>` : nothing}
      ${desk.isPicked
        ? this.#drawer(
          "segment",
          w("segment", { number: desk.picked?.number ?? 0 }),
          html`<st-segment-settings .desk=${desk}></st-segment-settings>`,
        )
        : nothing}
      ${this.#drawer("clip", w("clip"), this.#shot(facts, why !== undefined))}
      ${this.#drawer("knobs", w("knobs"), this.#knobs(facts, why !== undefined))}
      ${this.#drawer("gates", w("gates"), this.#gates(facts, why !== undefined))}
      </div>
    `;
  }

  /** Which drawers are open is remembered. */
  #drawer(key: string, title: string, content: unknown) {
    return html`
      <details ?open=${this.panel?.state.get(key, true) ?? true}
        @toggle=${(event: ToggleEvent) => this.panel?.state.set(key, event.newState === "open")}>
        <summary>${icon("chevronRight")}${title}</summary>
        <div>${content}</div>
      </details>
    `;
  }

  #shot(facts: ClipFacts, isOff: boolean) {
    const { clip, plan } = facts;
    const { num, den } = clip.rate;
    const seconds = Math.round((100 * clip.frames * den) / num) / 100;
    return html`
      <st-field label=${w("length")} type="number" unit=${w("frames")} min="1" step="1" ?disabled=${isOff}
        .value=${String(clip.frames)} hint=${w("seconds", { value: seconds, rate: rateText(clip.rate) })}
        @change=${this.#send((text) => ({ frames: Math.round(Number(text)) }))}></st-field>
      <st-field label=${w("prompt")} .rows=${3} ?disabled=${isOff} .value=${clip.prompt}
        @change=${this.#send((prompt) => ({ prompt }))}></st-field>
      <st-field label=${w("negativePrompt")} .rows=${2} ?disabled=${isOff} .value=${clip.negativePrompt}
        @change=${this.#send((negativePrompt) => ({ negativePrompt }))}></st-field>
      ${this.#hero(facts, isOff)}
      ${this.#workflow(clip.workflowVersionId ?? "", plan?.blocked !== null && plan !== undefined, isOff)}
      <st-field label=${w("randomSeed")} type="number" min="0" step="1" ?disabled=${isOff}
        .value=${String(clip.randomSeed)}
        @change=${this.#send((text) => ({ randomSeed: Math.round(Number(text)) }))}></st-field>
    `;
  }

  #hero({ clip, hero: shown }: ClipFacts, isOff: boolean) {
    const seeds = seedsOf(clip.projectId, clip.characterId).all.filter(({ kind, status, id }) =>
      kind === "foundation" && (status === "hero" || id === clip.heroSeedId)
    );
    const hero = seeds.find(({ id }) => id === clip.heroSeedId);
    const options = [
      ...(hero
        ? []
        : [{ value: "", label: w(seeds.some(({ approvedAt }) => approvedAt) ? "heroAny" : "noHero") }]),
      ...seeds.map(({ id, approvedAt, createdAt }) => ({
        value: id,
        label: `${w("hero")} ${createdAt.slice(0, 10)} · ${
          w(approvedAt ? "heroApproved" : "heroNotApproved")
        }`,
      })),
    ];
    return html`
      <div class="hero">
        ${shown?.assetId
          ? html`<img src="/api/assets/${shown.assetId}/derivatives/thumbnail" alt=${w("hero")}>`
          : html`<span></span>`}
        <st-select label=${w("hero")} .options=${options} .value=${hero?.id ?? ""} ?disabled=${isOff}
          @change=${this.#send((heroSeedId) => ({
            heroSeedId: heroSeedId as ClipChange["heroSeedId"],
          }))}></st-select>
      </div>
    `;
  }

  #workflow(chosen: string, isBlocked: boolean, isOff: boolean) {
    const workflows = videoWorkflows() ?? [];
    const options = [
      { value: "", label: w("workflowAny") },
      ...workflows.filter(({ status, versionId }) => status === "active" || versionId === chosen).map((
        { versionId, title, workers },
      ) => ({ value: versionId, label: workers.length > 0 ? title : `${title} · ${w("noWorker")}` })),
    ];
    return html`
      <st-select label=${w("workflow")} .options=${options} .value=${chosen} ?disabled=${isOff}
        fault=${isBlocked ? `${w("noWorker")}.` : ""}
        @change=${this.#send((id) => ({
          workflowVersionId: id === "" ? null : id as ClipChange["workflowVersionId"],
        }))}></st-select>
    `;
  }

  #knobs({ clip, plan }: ClipFacts, isOff: boolean) {
    const manifest = manifestOf(plan?.workflowVersionId);
    return manifest?.knobs.map((knob) =>
      this.#knob(knob, clip.knobs[knob.parameter] ?? knob.default, isOff, (value) => ({
        knobs: { ...clip.knobs, [knob.parameter]: value },
      }))
    ) ?? nothing;
  }

  #knob(
    knob: Knob,
    value: string | number | boolean,
    isOff: boolean,
    changeOf: (value: string | number | boolean) => ClipChange,
  ) {
    switch (knob.kind) {
      case "choice":
        return html`
          <st-select label=${knob.label} hint=${knob.help} .options=${knob.options} .value=${String(value)}
            ?disabled=${isOff} @change=${this.#send(changeOf)}></st-select>
        `;
      case "toggle":
        return html`
          <st-switch .checked=${value === true} hint=${knob.help} ?disabled=${isOff}
            @change=${this.#switch(changeOf)}>${knob.label}</st-switch>
        `;
      case "text":
        return html`
          <st-field label=${knob.label} hint=${knob.help} maxlength=${knob.maxLength} .value=${String(
            value,
          )} ?disabled=${isOff}
            @change=${this.#send(changeOf)}></st-field>
        `;
      default:
        return html`
          <st-slider label=${knob.label} hint=${knob.help} unit=${knob.unit ?? ""} .min=${knob.min}
            .max=${knob.max} .step=${knob.step} .initial=${knob.default} .value=${Number(
              value,
            )} ?disabled=${isOff}
            @change=${this.#slide(changeOf)}></st-slider>
        `;
    }
  }

  #gates({ clip }: ClipFacts, isOff: boolean) {
    const { likenessFloor } = clip;
    return html`
      <st-switch .checked=${likenessFloor !== null} hint="${w("likenessFloorHint")}." ?disabled=${isOff}
        @change=${this.#switch((isOn) => ({ likenessFloor: isOn ? FLOOR_AT_FIRST : null }))}>${w(
          "likenessGate",
        )}</st-switch>
      ${likenessFloor === null ? nothing : html`
        <st-slider label=${w("likenessFloor")} .min=${0} .max=${1}
          .step=${0.01} .initial=${FLOOR_AT_FIRST} .value=${likenessFloor} ?disabled=${isOff}
          @change=${this.#slide((value) => ({ likenessFloor: value }))}></st-slider>
      `}
      <st-slider label=${w("rerollLimit")} hint="${w("rerollLimitHint")}." .min=${0} .max=${20} .step=${1}
        .initial=${2} .value=${clip.rerollLimit} ?disabled=${isOff}
        @change=${this.#slide((value) => ({ rerollLimit: value }))}></st-slider>
      <st-slider label=${w("retimeLimit")} hint="${w(
        "retimeLimitHint",
      )}." unit="%" .min=${0} .max=${4} .step=${0.5}
        .initial=${0} .value=${Math.round(clip.retimeLimit * 1000) / 10} ?disabled=${isOff}
        @change=${this.#slide((value) => ({ retimeLimit: value / 100 }))}></st-slider>
    `;
  }

  #send(changeOf: (value: string) => ClipChange) {
    return (event: Event) => {
      // Fields and selects hold texts.
      const { value } = event.currentTarget as HTMLElement & { value: string };
      void this.#change(changeOf(value));
    };
  }

  #slide(changeOf: (value: number) => ClipChange) {
    return (event: Event) => {
      const { value } = event.currentTarget as HTMLElement & { value: number };
      void this.#change(changeOf(value));
    };
  }

  #switch(changeOf: (isOn: boolean) => ClipChange) {
    return (event: Event) => {
      const { checked } = event.currentTarget as HTMLElement & { checked: boolean };
      void this.#change(changeOf(checked));
    };
  }

  async #change(change: ClipChange): Promise<void> {
    const store = openDesk()?.store;
    const clip = store?.facts?.clip;
    try {
      if (store && clip) {
        await noteClip(`${w("clip")} · ${isolate(clip.name)}`, clip, change).settle(store.change(change));
      }
    } catch (error) {
      tellError(error);
    }
    // What was refused shows again as it is.
    this.requestUpdate();
  }

  #take(desk: ClipDesk | undefined): void {
    const clip = desk?.store.facts?.clip;
    const character = clip ? `${clip.projectId}/${clip.characterId}` : "";
    if (desk === this.#desk && character === this.#seedsOfCharacter) return;
    this.#release();
    this.#desk = desk;
    this.#seedsOfCharacter = character;
    if (desk) this.#closers.push(desk.store.open());
    if (clip) this.#closers.push(seedsOf(clip.projectId, clip.characterId).open());
  }

  #release(): void {
    for (const close of this.#closers) close();
    this.#closers = [];
    this.#desk = undefined;
    this.#seedsOfCharacter = "";
  }
}

/** Why nothing can be changed now; undefined: it can. */
function whyNot({ clip }: ClipFacts): string | undefined {
  if (!session.may("clip.edit")) return w("readOnlyHint");
  if (clip.status === "final") return w("finalHint");
  return clip.status === "generating" || clip.status === "stitching" ? w("busyHint") : undefined;
}
