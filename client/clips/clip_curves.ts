import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { formatDecimal } from "#client/core/format.ts";
import "#client/player/curve.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { ClipDesk } from "./clip_desk.ts";
import { curvesOf, levelAt, valueAt } from "./curve_facts.ts";
import { describeCurve } from "./curve_text.ts";
import { w } from "./words.ts";

const rowStyles = css`
  .row {
    height: var(--curve-height, var(--space-12));
    box-sizing: border-box;
    border-bottom: var(--size-hairline) solid var(--color-line);
  }
`;

/** The measures under the lane: motion, likeness, colour, each on its own scale with its limits. */
@customElement("st-clip-curves")
export class ClipCurves extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    rowStyles,
    css`
      :host {
        display: block;
      }
      st-curve {
        width: 100%;
      }
      p {
        margin: 0;
        padding: var(--space-3);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
    `,
  ];

  @property({ attribute: false })
  accessor desk!: ClipDesk;

  override render() {
    const rows = curvesOf(this.desk);
    if (rows.every(({ parts }) => parts.length === 0)) return html`<p>${w("curvesEmpty")}.</p>`;
    return rows.map((row) => {
      const text = describeCurve(row);
      return html`
        <st-curve class="row" role="img" aria-label=${text} title=${text} .parts=${row.parts}
          .thresholds=${row.limits} .marks=${row.marks} .span=${this.desk.span} .low=${row.low}
          .high=${row.high}></st-curve>
      `;
    });
  }
}

/** The names of the curves, and what each is at the playhead. */
@customElement("st-clip-curve-heads")
export class ClipCurveHeads extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    rowStyles,
    css`
      :host {
        display: block;
        padding: 0 !important;
      }
      .row {
        display: grid;
        align-content: center;
        padding: 0 var(--space-2);
        font-size: var(--size-label);
      }
      .value {
        color: var(--color-text);
        font: var(--font-weight-regular) var(--size-label) / 1.3 var(--font-mono);
      }
      .value.warn {
        color: var(--color-amber);
      }
      .value.fail {
        color: var(--color-ember);
      }
    `,
  ];

  @property({ attribute: false })
  accessor desk!: ClipDesk;

  override render() {
    const { desk } = this;
    const rows = curvesOf(desk);
    if (rows.every(({ parts }) => parts.length === 0)) return nothing;
    const { offset, scale } = desk.mapping;
    const at = offset + desk.playback.frame * scale;
    return rows.map((row) => {
      const value = valueAt(row.parts, at);
      const level = value === undefined || value === null ? "" : levelAt(row, value, at);
      return html`
        <div class="row"
          title=${`${row.name} · ${row.source}: ${row.meaning}`}><span>${row
            .name}</span><span class="value ${level}">${value === undefined ||
              value === null && !row.isOfFaces
            ? "–"
            : value === null
            ? w("noFace")
            : formatDecimal(value, 2)}</span></div>
      `;
    });
  }
}
