import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/ui/badge.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { hintsFor, type SeedHints } from "./hints.ts";
import { showLikeness, showPercent } from "./seed_facts.ts";
import "./seed_picture.ts";
import { w } from "./words.ts";

/** One frame of the contact sheet: the picture, and over its foot quiet glyphs of what was noticed and decided. */
@customElement("st-seed-tile")
export class SeedTile extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        position: relative;
        width: 100%;
        height: 100%;
        background: var(--color-ground);
        container-type: inline-size;
      }
      .foot {
        position: absolute;
        inset: auto 0 0 0;
        display: flex;
        align-items: center;
        gap: var(--space-2);
        padding: var(--space-1);
        color: var(--color-text);
        font: var(--font-weight-regular) var(--size-label) / 1.4 var(--font-ui);
        font-variant-numeric: tabular-nums;
        pointer-events: none;
      }
      .foot st-badge {
        margin-inline-start: auto;
        flex: none;
      }
      @container (width < 13rem) {
        .foot .less {
          display: none;
        }
      }
      /* A ground of its own, as the chip has: the picture may be of any colour. */
      .said {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        padding: 0 var(--space-1);
        border-radius: var(--radius-control);
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
      }
      .glyph {
        display: inline-flex;
        align-items: center;
        gap: var(--space-1);
        white-space: nowrap;
      }
      .glyph.best {
        color: var(--color-lime);
      }
      .icon {
        width: var(--size-mark);
        height: var(--size-mark);
      }
      .bar {
        display: inline-block;
        width: var(--space-1);
        height: var(--size-mark);
        background: linear-gradient(
          to top,
          currentColor var(--part),
          color-mix(in oklab, currentColor 25%, transparent) var(--part)
        );
      }
      .stars {
        display: inline-flex;
        gap: var(--size-running-line);
      }
      .stars i {
        width: var(--space-1);
        height: var(--space-1);
        border-radius: 50%;
        background: var(--color-amber);
      }
      .corner {
        position: absolute;
        inset: var(--space-1) auto auto var(--space-1);
        display: grid;
        place-content: center;
        width: calc(var(--size-icon) + var(--space-1));
        height: calc(var(--size-icon) + var(--space-1));
        border-radius: var(--radius-control);
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
        color: var(--color-text-quiet);
      }
      .corner.kept,
      .corner.hero {
        color: var(--color-lime);
      }
      .corner.rejected {
        color: var(--color-ember);
      }
      .corner.waiting {
        color: var(--color-amber);
      }
    `,
  ];

  @property({ attribute: false })
  accessor seed!: Seed;
  @property({ attribute: false })
  accessor hints: ReadonlyMap<string, SeedHints> = new Map();

  override render() {
    const { seed } = this;
    return html`
      <st-seed-picture .seed=${seed} ?bare=${seed.measures !== null}></st-seed-picture>
      ${this.#corner(seed)}${seed.measures ? this.#foot(seed, seed.measures) : nothing}
    `;
  }

  #corner({ status, approvedAt }: Seed) {
    switch (status) {
      case "hero":
        return html`<span class="corner hero ${approvedAt ? "" : "waiting"}">${icon("crown")}</span>`;
      case "kept":
        return html`<span class="corner kept">${icon("check")}</span>`;
      case "rejected":
        return html`<span class="corner rejected">${icon("close")}</span>`;
      default:
        return nothing;
    }
  }

  #foot(seed: Seed, { likeness }: NonNullable<Seed["measures"]>) {
    const { likenessRank, sharpness, twins } = hintsFor(this.hints, seed.id);
    if (likeness === null && sharpness === undefined) return nothing;
    return html`
      <div class="foot"><span class="said">
        ${likeness === null
          ? nothing
          : html`<span class="glyph ${likenessRank === 1 ? "best" : ""}">${icon("face")}${
            showLikeness(likeness)
          }</span>`}
        ${sharpness === undefined
          ? nothing
          : html`<span class="glyph less"><span class="bar" .style=${`--part: ${
            sharpness * 100
          }%`}></span></span>`}
        ${twins === 0 ? nothing : html`<span class="glyph less">${icon("copy")}${twins}</span>`}
        ${seed.rating === null
          ? nothing
          : html`<span class="stars">${Array.from({ length: seed.rating }, () => html`<i></i>`)}</span>`}
        </span>${seed.madeWith?.isCpuPreview ? html`<st-badge over>${w("cpuPreview")}</st-badge>` : nothing}
      </div>
    `;
  }
}

/** A tile's facts as words: what a screen reader says, and the line under the sheet. */
export function describeSeed(seed: Seed, hints: ReadonlyMap<string, SeedHints>, word: string): string {
  const { likenessRank, sharpness, twins } = hintsFor(hints, seed.id);
  const likeness = seed.measures?.likeness;
  return [
    word,
    likeness == null || likenessRank === undefined
      ? seed.measures?.likenessReason ?? ""
      : w("rankGlyph", { score: showLikeness(likeness), rank: likenessRank }),
    sharpness === undefined ? "" : w("sharpnessGlyph", { percent: showPercent(sharpness) }),
    twins === 0 ? "" : w("twinsGlyph", { n: twins }),
    seed.rating === null ? "" : w("ratingGlyph", { n: seed.rating }),
    seed.staleAt === null ? "" : w("stale"),
    seed.madeWith?.isCpuPreview ? w("cpuPreview") : "",
    seed.randomSeed === null ? "" : w("randomSeed", { n: String(seed.randomSeed) }),
  ].filter(Boolean).join(" · ");
}
