import { isolate } from "#client/core/words.ts";
import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { formatDecimal } from "#client/core/format.ts";
import { tellError } from "#client/core/notices.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Segment, Take } from "#server/clips/contract.ts";
import "#client/app/st_action.ts";
import { spriteOf } from "#client/ui/scrub.ts";
import "#client/ui/field.ts";
import "#client/ui/state_mark.ts";
import { noteSegment } from "./changes.ts";
import { addressesOf, type ClipDesk } from "./clip_desk.ts";
import { takeMark } from "./clip_facts.ts";
import type { ClipStore } from "./clip_store.ts";
import { describeGate } from "./segment_lane.ts";
import { w } from "./words.ts";

/** The picked segment: its takes with what their gates said, its own words, and what can be done with it. */
@customElement("st-segment-settings")
export class SegmentSettings extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-3);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1);
      }
      ul {
        display: grid;
        gap: var(--space-1);
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        position: relative;
        display: grid;
        grid-template-columns: calc(2 * var(--space-12)) minmax(0, 1fr) auto;
        gap: var(--space-2);
        align-items: center;
        padding: var(--space-1);
        border: var(--size-hairline) solid transparent;
        border-radius: var(--radius-control);
        cursor: pointer;
      }
      li:hover {
        background: var(--color-hover);
      }
      li.shown {
        border-color: var(--color-ion);
      }
      .picture {
        position: relative;
        aspect-ratio: 16 / 9;
        overflow: hidden;
        border-radius: var(--radius-control);
        background: var(--color-ground);
      }
      .picture img {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      .name {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        font-variant-numeric: tabular-nums;
      }
      .facts {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      .stale {
        opacity: 0.6;
      }
      p.none {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @property({ attribute: false })
  accessor desk!: ClipDesk;

  override render() {
    const { desk } = this;
    const lane = desk.picked;
    const segment = lane?.segment;
    if (!lane || !segment) return html`<p class="none">${w("notMade")}.</p>`;
    return html`
      <div class="actions">
        <st-action command="clips.reroll" .target=${lane}></st-action>
        <st-action command="clips.lock" .target=${lane} look="quiet"></st-action>
        <st-action command="clips.extend" .target=${lane} look="quiet" icon-only></st-action>
        <st-action command="clips.reroll-keep" .target=${lane} look="quiet" icon-only></st-action>
      </div>
      <ul>${repeat(segment.takes.toReversed(), ({ id }) => id, (take) => this.#take(take))}</ul>
      ${this.#own(segment)}
    `;
  }

  #take(take: Take) {
    const { desk } = this;
    const { shown } = desk;
    const isShown = shown?.kind === "take" && shown.take.id === take.id;
    const gate = describeGate(take);
    const facts = [
      take.isChosen ? w("chosen") : "",
      take.likeness?.median ? w("likenessShort", { value: formatDecimal(take.likeness.median, 2) }) : "",
      take.stability === null ? "" : w("stabilityShort", { value: formatDecimal(take.stability, 2) }),
      take.retimedFrames === null ? "" : w("retimed", { frames: take.retimedFrames }),
      take.meetsNext ? w("meetsNext") : "",
      take.staleAt ? w("staleTake") : "",
    ].filter((part) => part !== "");
    return html`
      <li class="${isShown ? "shown" : ""} ${take.staleAt ? "stale" : ""}" @click=${() =>
        desk.audition(take.id)}>
        ${take.assetId
          ? html`
            <div class="picture">
              <img src=${addressesOf(take.assetId).poster} alt="" loading="lazy" draggable="false">
              <st-scrub .sprite=${spriteOf(
                take.assetId,
                take.sprite,
                take.endFrame ?? Infinity,
              )}></st-scrub>
            </div>
          `
          : html`<span class="picture"></span>`}
        <div>
          <span class="name"><st-state-mark state=${takeMark(take)}></st-state-mark>${w("take", {
            number: take.number,
          })}</span>
          <p class="facts">${facts.join(" · ")}</p>
          ${gate ? html`<p class="facts">${gate}</p>` : nothing}
        </div>
        ${take.isChosen || !take.assetId
          ? nothing
          : html`<st-action command="clips.choose" .target=${take} look="quiet" icon-only></st-action>`}
      </li>
    `;
  }

  #own(segment: Segment) {
    const { store } = this.desk;
    const isOff = store.facts?.clip.status === "final";
    return html`
      <st-field label=${w("segmentPrompt")} hint="${w("segmentPromptHint")}." .rows=${2} ?disabled=${isOff}
        .value=${segment.prompt ?? ""}
        @change=${this.#change(
          store,
          segment,
          (text) => ({ prompt: text.trim() === "" ? null : text }),
        )}></st-field>
      <st-field label=${w("segmentSeed")} type="number" min="0" step="1" ?disabled=${isOff}
        placeholder=${w("asPlanned")} .value=${segment.randomSeed === null ? "" : String(segment.randomSeed)}
        @change=${this.#change(store, segment, (text) => ({ randomSeed: numberOrNull(text) }))}></st-field>
      <st-field label=${w("segmentLength")} type="number" unit=${w(
        "frames",
      )} min="1" step="1" ?disabled=${isOff}
        placeholder=${w("asPlanned")} .value=${segment.askedFrames === null
          ? ""
          : String(segment.askedFrames)}
        @change=${this.#change(store, segment, (text) => ({ askedFrames: numberOrNull(text) }))}></st-field>
    `;
  }

  #change(
    store: ClipStore,
    segment: Segment,
    changeOf: (text: string) => Parameters<ClipStore["changeSegment"]>[1],
  ) {
    return async (event: Event) => {
      const { value } = event.currentTarget as HTMLElement & { value: string };
      const clip = store.facts?.clip;
      try {
        if (clip) {
          const label = `${w("segment", { number: segment.index })} · ${isolate(clip.name)}`;
          const change = changeOf(value);
          await noteSegment(label, clip, segment, change).settle(store.changeSegment(segment.id, change));
        }
      } catch (error) {
        tellError(error);
      }
      this.requestUpdate();
    };
  }
}

function numberOrNull(text: string): number | null {
  return text.trim() === "" || !Number.isFinite(Number(text)) ? null : Math.round(Number(text));
}
