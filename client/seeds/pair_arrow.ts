import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Popover } from "#client/ui/popover.ts";
import type { Seed } from "#server/seeds/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/button.ts";
import "#client/ui/popover.ts";
import "./face_crop.ts";
import { type Direction, openDirection } from "./open_pair.ts";
import { measuredOf } from "./pair_commands.ts";
import { showLikeness, type Verdict, verdictOf } from "./seed_facts.ts";
import { w } from "./words.ts";

const DERIVE: Readonly<Record<Direction, string>> = {
  forward: "seeds.derive_forward",
  backward: "seeds.derive_backward",
  by_hand: "seeds.compare_pair",
};

/** The arrow between A and B: which way it points is how the other half is made, and on it stands how alike they are. */
@customElement("st-pair-arrow")
export class PairArrow extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        justify-items: stretch;
        align-content: center;
        gap: var(--space-4);
        min-width: 0;
      }
      .shaft {
        position: relative;
        display: grid;
        place-items: center;
        min-height: calc(2 * var(--space-12));
      }
      svg.arrow {
        position: absolute;
        inset-inline: 0;
        width: 100%;
        height: var(--space-6);
        overflow: visible;
        fill: none;
        stroke: var(--color-line);
        stroke-width: 1.5;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .head {
        position: absolute;
        width: var(--size-mark);
        height: var(--space-6);
        fill: none;
        stroke: var(--color-line);
        stroke-width: 1.5;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .head.start {
        inset-inline-start: 0;
      }
      .head.end {
        inset-inline-end: 0;
      }
      .lit :is(.arrow, .head) {
        stroke: var(--color-text-quiet);
      }
      .score {
        position: relative;
        display: grid;
        justify-items: center;
        padding: var(--space-2);
        background: var(--color-surface);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: 50%;
        width: calc(2 * var(--space-12));
        aspect-ratio: 1;
        align-content: center;
      }
      .score.same {
        border-color: var(--color-lime);
      }
      .score.perhaps {
        border-color: var(--color-amber);
      }
      .score.another {
        border-color: var(--color-ember);
      }
      .number {
        color: var(--color-text);
        font-size: var(--size-title);
        font-weight: var(--font-weight-strong);
        font-variant-numeric: tabular-nums;
        line-height: 1.2;
      }
      .caption {
        color: var(--color-text-quiet);
        font-size: var(--size-label);
        text-align: center;
      }
      .way {
        display: flex;
        justify-content: center;
        gap: var(--space-1);
      }
      .do {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-2);
        justify-items: center;
      }
      p {
        margin: 0;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        text-align: center;
        text-wrap: balance;
      }
      .faces {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: var(--space-2) var(--space-3);
        width: calc(var(--size-side) - var(--space-8));
        padding: var(--space-3);
      }
      .faces p {
        grid-column: 1 / -1;
        text-align: start;
      }
      figure {
        display: grid;
        gap: var(--space-1);
        margin: 0;
      }
      figcaption {
        color: var(--color-text-quiet);
        font-size: var(--size-label);
      }
    `,
  ];

  @property({ attribute: false })
  accessor a: Seed | undefined = undefined;
  @property({ attribute: false })
  accessor b: Seed | undefined = undefined;
  @query("st-popover")
  accessor faces!: Popover | null;

  override render() {
    const direction = openDirection({ a: this.a, b: this.b });
    const measured = measuredOf(this.a, this.b)?.measures;
    const likeness = measured?.likeness;
    const verdict = likeness == null ? undefined : verdictOf(likeness);
    return html`
      <div class="shaft ${this.a && this.b ? "lit" : ""}">
        ${arrow(direction)}
        <div class="score ${verdict ?? ""}">${this.#score(likeness, measured?.likenessReason)}</div>
      </div>
      ${this.#note(verdict)}
      <div class="way" role="group" aria-label=${w("identity")}>
        <st-action command="seeds.direction_forward" icon-only look="quiet"></st-action>
        <st-action command="seeds.direction_by_hand" icon-only look="quiet"></st-action>
        <st-action command="seeds.direction_backward" icon-only look="quiet"></st-action>
      </div>
      <div class="do">
        <st-action command=${DERIVE[direction]} look=${direction === "by_hand" || this.b
          ? "plain"
          : "primary"}></st-action>
        <st-action command="seeds.vary" look="quiet"></st-action>
        ${this.b?.approvedAt ? html`<st-action command="clips.begin" look="primary"></st-action>` : nothing}
      </div>
    `;
  }

  #score(likeness: number | null | undefined, reason: string | null | undefined) {
    if (likeness == null) {
      const word = this.a && this.b ? w(reason ? "notComparable" : "noScore") : w("identity");
      return html`<span class="number" aria-hidden="true">–</span><span class="caption" title=${
        reason ??
          ""
      }>${word}</span>`;
    }
    return html`
      <st-popover label=${w("identity")} @pointerenter=${() => this.faces?.show()}
        @pointerleave=${() => this.faces?.hide()}>
        <st-button slot="trigger" variant="quiet"><span class="number">${showLikeness(
          likeness,
        )}</span></st-button>
        ${this.#aligned()}
      </st-popover>
      <span class="caption">${w("identity")}</span>
    `;
  }

  #aligned() {
    const measured = measuredOf(this.a, this.b);
    return html`
      <div class="faces">
        <figure><st-face-crop .seed=${this.a} label=${w("alignedA")}></st-face-crop>
          <figcaption>${w("alignedA")}</figcaption></figure>
        <figure><st-face-crop .seed=${this.b} label=${w("alignedB")}></st-face-crop>
          <figcaption>${w("alignedB")}</figcaption></figure>
        ${measured?.measures?.model
          ? html`<p>${w("modelNote", { model: measured.measures.model.name })}</p>`
          : nothing}
      </div>
    `;
  }

  #note(verdict: Verdict | undefined) {
    const faces = this.b?.measures?.faces ?? 0;
    const measured = measuredOf(this.a, this.b)?.measures;
    if (this.a?.measures && this.b?.measures && !measured) return html`<p>${w("comparedWithOther")}</p>`;
    if (measured?.likeness == null && measured?.likenessReason) {
      return html`<p>${measured.likenessReason}</p>`;
    }
    if (!verdict) return nothing;
    return html`<p>${w(verdict)}${faces > 1 ? html`<br>${w("manyFaces", { n: faces })}` : nothing}</p>`;
  }
}

function arrow(direction: Direction) {
  return html`
    <svg class="arrow" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <path d="M1 12h98" vector-effect="non-scaling-stroke"></path>
    </svg>
    ${direction === "backward" ? nothing : head("end", "M4 6l7 6-7 6")}
    ${direction === "forward" ? nothing : head("start", "M8 6l-7 6 7 6")}
  `;
}

function head(side: "start" | "end", path: string) {
  return html`
    <svg class="head ${side}" viewBox="0 0 12 24" aria-hidden="true">
      <path d=${path}></path>
    </svg>
  `;
}
