import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { formatDecimal, formatDuration, formatPercent } from "#client/core/format.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { Cut, Take } from "#server/clips/contract.ts";
import "#client/player/filmstrip.ts";
import "#client/ui/progress.ts";
import "#client/ui/state_mark.ts";
import { addressesOf, type ClipDesk } from "./clip_desk.ts";
import { cutToShow, type LaneSegment, takeMark } from "./clip_facts.ts";
import { showSegment } from "./commands.ts";
import { w } from "./words.ts";

const SEAM_MARKS: Readonly<
  Record<Cut["seams"][number]["verdict"], readonly [State, "seamPass" | "seamWarn" | "seamFail"]>
> = {
  pass: ["good", "seamPass"],
  warn: ["attention", "seamWarn"],
  fail: ["failed", "seamFail"],
};

/** The segments of a clip side by side: filmstrips of what was made, pictures of what runs, ghosts of what is planned. */
@customElement("st-segment-lane")
export class SegmentLane extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        position: relative;
        display: block;
        height: 100%;
        border-block: var(--size-hairline) solid var(--color-line);
      }
      .segment {
        position: absolute;
        inset-block: var(--space-3) var(--space-2);
        display: flex;
        flex-direction: column;
        min-width: 0;
        padding: 0 var(--size-hairline);
        cursor: pointer;
        outline: none;
      }
      /* Other takes peek out behind the chosen one. */
      .behind {
        position: absolute;
        inset: calc(-1 * var(--space-1)) var(--space-1) auto;
        height: var(--space-2);
        background: var(--color-hover);
        border: var(--size-hairline) solid var(--color-line);
        border-bottom: none;
        border-radius: var(--radius-control) var(--radius-control) 0 0;
      }
      .behind + .behind {
        inset: calc(-2 * var(--space-1)) var(--space-2) auto;
      }
      .card {
        container-type: inline-size;
        position: relative;
        flex: 1;
        display: flex;
        flex-direction: column;
        min-height: 0;
        overflow: hidden;
        background: var(--color-raised);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-control);
      }
      .ghost .card {
        background: none;
        border-style: dashed;
      }
      .stale .card {
        border-style: dashed;
      }
      .segment:hover .card {
        background: var(--color-hover);
      }
      .segment[aria-selected="true"] .card {
        border-color: var(--color-ion);
      }
      .segment:focus-visible .card {
        border-color: var(--color-ion);
        box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-ion) 25%, transparent);
      }
      .running .card {
        border-color: var(--color-plasma);
        box-shadow: 0 0 var(--space-2) color-mix(in oklab, var(--color-plasma) 25%, transparent);
      }
      .head {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        min-width: 0;
        height: var(--space-6);
        flex: none;
        padding: 0 var(--space-1) 0 var(--space-2);
        overflow: hidden;
        font-size: var(--size-label);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .head b {
        font-weight: var(--font-weight-strong);
      }
      .head .quiet {
        overflow: hidden;
        text-overflow: ellipsis;
        color: var(--color-text-quiet);
      }
      /* In a narrow segment the number alone: the unit stands in the others, and in what is read aloud. */
      @container (inline-size < 8rem) {
        .head .unit {
          display: none;
        }
      }
      @container (inline-size >= 8rem) {
        .head .bare {
          display: none;
        }
      }
      .head .end {
        margin-inline-start: auto;
        display: flex;
        align-items: center;
        gap: var(--space-1);
      }
      .head .icon {
        width: var(--size-mark);
        height: var(--size-mark);
      }
      st-filmstrip {
        flex: 1;
        min-height: 0;
      }
      .preview {
        flex: 1;
        min-height: 0;
        width: 100%;
        object-fit: cover;
      }
      .plan {
        flex: 1;
        display: grid;
        place-content: center;
        justify-items: center;
        min-height: 0;
        padding: var(--space-1);
        overflow: hidden;
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        font-variant-numeric: tabular-nums;
        text-align: center;
        white-space: nowrap;
      }
      .reach {
        position: absolute;
        inset-block: var(--space-3) var(--space-2);
        background: linear-gradient(
          90deg,
          transparent,
          color-mix(in oklab, var(--color-ion) 22%, transparent) 50%,
          transparent
        );
        pointer-events: none;
      }
      .seam {
        position: absolute;
        bottom: 0;
        display: grid;
        place-items: center;
        width: var(--space-4);
        height: var(--space-4);
        margin-left: calc(-0.5 * var(--space-4));
        background: var(--color-surface);
        border-radius: var(--radius-control);
      }
      st-progress {
        flex: none;
      }
    `,
  ];

  @property({ attribute: false })
  accessor desk!: ClipDesk;

  override render() {
    const { desk } = this;
    const facts = desk.store.facts;
    if (!facts) return nothing;
    const { lane } = desk;
    return html`
      <div role="listbox" aria-label=${w("lane")} aria-orientation="horizontal">
        ${repeat(lane, ({ number }) => number, (each) => this.#segment(each))}
      </div>
      ${lane.map((each) => this.#reach(each))}
      ${this.#seams(cutToShow(facts.clip))}
    `;
  }

  #segment(each: LaneSegment) {
    const { desk } = this;
    const { span } = desk;
    const { segment, running, take, isPlanned } = each;
    const isPicked = desk.picked?.number === each.number;
    const others = Math.min(2, (segment?.takes.length ?? 0) - 1);
    const looks = [
      running ? "running" : !take ? "ghost" : "",
      take?.staleAt || (isPlanned && take) ? "stale" : "",
    ].join(" ");
    const x = `left: ${100 * each.firstFrame / span}%; width: ${100 * each.frames / span}%`;
    return html`
      <div class="segment ${looks}" role="option" .style=${x} tabindex=${isPicked ? "0" : "-1"}
        aria-selected=${String(isPicked)}
        @click=${() => showSegment(desk, each)} @focus=${() => isPicked || desk.pick(each.number)}>
        ${Array.from({ length: Math.max(0, others) }, () => html`<div class="behind"></div>`)}
        <span class="unseen">${this.#describe(each)}</span>
        <div class="card" aria-hidden="true">
          <div class="head">
            <b>V${each.number}</b>${this.#head(each)}
          </div>
          ${this.#body(each)}
        </div>
      </div>
    `;
  }

  #head({ segment, take, running, frames }: LaneSegment) {
    const shown = running ?? take ?? this.#undecided(segment);
    const takes = segment?.takes.length ?? 0;
    return html`
      <span class="quiet unit">${w("ghost", { frames })}</span><span class="quiet bare">${frames}</span>
      <span class="end">
        ${takes > 1 && shown
          ? html`<span class="quiet">${w("takeOf", { number: shown.number, n: takes })}</span>`
          : nothing}
        ${segment?.prompt ? icon("fileText") : nothing} ${segment?.lockedAt ? icon("lock") : nothing}
        ${shown ? html`<st-state-mark state=${takeMark(shown)}></st-state-mark>` : nothing}
      </span>
    `;
  }

  /** The take on which the clip waits for a person: it is to be seen, though it is not chosen. */
  #undecided(segment: LaneSegment["segment"]): Take | undefined {
    if (this.desk.store.facts?.clip.status !== "needs_attention") return undefined;
    return segment?.takes.findLast(({ assetId, frameCount }) => assetId !== null && frameCount !== null);
  }

  #body({ segment, take: chosen, running, firstFrame, generateFrames }: LaneSegment) {
    const { store } = this.desk;
    const take = chosen ?? this.#undecided(segment);
    if (running) {
      const job = store.jobOf(running.id);
      const preview = store.previewOf(running.id);
      const ratio = store.ratioOf(job);
      return html`
        ${preview ? html`<img class="preview" src=${preview} alt="">` : html`<div class="plan">${
          [
            w(running.status === "generating" ? "generating" : "measuring"),
            ratio === undefined ? "" : formatPercent(ratio),
          ].filter(Boolean)
            .join(" · ")
        }</div>`}
        <st-progress .ratio=${ratio} label=${w("segment", { number: segment?.index ?? 0 })}></st-progress>
      `;
    }
    if (take?.assetId && take.frameCount) {
      const { src, poster } = addressesOf(take.assetId);
      const cut = store.facts && cutToShow(store.facts.clip);
      return html`
        <st-filmstrip .src=${src} .poster=${poster} .rate=${take.rate} .first=${0}
          .last=${take.endFrame ?? take.frameCount - 1} .numberedFrom=${firstFrame}
          .ratio=${cut ? cut.widthPx / cut.heightPx : 16 / 9}></st-filmstrip>
      `;
    }
    const failure = segment?.takes.findLast(({ failure }) => failure)?.failure;
    if (failure) return html`<div class="plan" title=${failure}>${failure}</div>`;
    return html`
      <div class="plan">
        <span>${w("ghostGenerates", { frames: generateFrames ?? 0 })}</span>
        ${this.#time()}
      </div>
    `;
  }

  /** What one of the planned takes would take, of the plan's whole. */
  #time() {
    const plan = this.desk.store.facts?.plan;
    const left = plan?.segments.filter(({ state }) => state !== "accepted").length ?? 0;
    if (!plan?.estimate || left === 0) return nothing;
    return html`<span>${w("about", { time: formatDuration(plan.estimate.p50Ms / left) })}</span>`;
  }

  #reach({ reach, firstFrame, frames, isPlanned }: LaneSegment) {
    if (reach <= 0 || !isPlanned) return nothing;
    const { span } = this.desk;
    const end = firstFrame + frames;
    const [first, last] = [Math.round(end - reach), Math.round(end + reach)];
    const x = `left: ${100 * first / span}%; width: ${100 * (last - first) / span}%`;
    return html`<div class="reach" .style=${x} title=${w("elasticEnd", { first, last })}></div>`;
  }

  #seams(cut: Cut | undefined) {
    const { span } = this.desk;
    return (cut?.seams ?? []).map((seam) => {
      const [state, words] = SEAM_MARKS[seam.verdict];
      const two = (value: number) => formatDecimal(value, 2);
      const facts = w("seamFacts", {
        jump: two(seam.jump),
        color: two(seam.colorStep),
        luma: two(seam.lumaStep),
        sharpness: two(seam.sharpnessRatio),
      });
      const text = [`${w("seam", { frame: seam.frame })}: ${w(words)}`, facts, ...seam.reasons].join("\n");
      return html`
        <div class="seam" role="img" .style=${`left: ${100 * seam.frame / span}%`} title=${text}
          aria-label=${text}>
          <st-state-mark state=${state}></st-state-mark>
        </div>
      `;
    });
  }

  #describe({ number, segment, take, running, frames }: LaneSegment): string {
    const shown = running ?? take;
    return [
      w("segment", { number }),
      w("ghost", { frames }),
      shown ? w("take", { number: shown.number }) : "",
      segment ? w("takes", { n: segment.takes.length }) : "",
      segment?.lockedAt ? w("locked") : "",
      shown ? describeGate(shown) : "",
    ].filter((part) => part !== "").join(", ");
  }
}

/** What a take's gate says, in its own sentences. */
export function describeGate({ gate, failure }: Take): string {
  return failure ?? (gate?.reasons ?? []).join("; ");
}
