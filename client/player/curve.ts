import { css, html, LitElement, nothing, svg } from "lit";
import { customElement, property } from "lit/decorators.js";

/** A run of values, one a frame from `from` on in frames of the line it lies on; null where nothing was measured. */
export interface CurvePart {
  readonly from: number;
  /** Frames of the line that the values cover. */
  readonly span: number;
  readonly values: readonly (number | null)[];
}

/** A limit over the frames of the line in which it counts. */
export interface Threshold {
  readonly value: number;
  readonly level: "warn" | "fail";
  readonly from: number;
  readonly to: number;
}

/** A place on the line that is at fault, whatever the values there are. */
export interface CurveMark {
  readonly at: number;
  readonly level: "warn" | "fail";
  readonly text: string;
}

/** A measure over time on the line's own scale: its course, and where it warns or fails. */
@customElement("st-curve")
export class Curve extends LitElement {
  static override styles = css`
    :host {
      position: relative;
      display: block;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
      overflow: hidden;
    }
    path {
      fill: none;
      stroke: var(--color-text-quiet);
      stroke-width: 1.25;
      stroke-linejoin: round;
      vector-effect: non-scaling-stroke;
    }
    .limit,
    .mark {
      stroke-width: var(--size-hairline);
      vector-effect: non-scaling-stroke;
    }
    .limit {
      stroke-dasharray: 3 3;
    }
    .limit.fail,
    .mark {
      stroke-dasharray: none;
    }
    .warn {
      stroke: var(--color-amber);
    }
    .fail {
      stroke: var(--color-ember);
    }
  `;

  @property({ attribute: false })
  accessor parts: readonly CurvePart[] = [];
  @property({ attribute: false })
  accessor thresholds: readonly Threshold[] = [];
  @property({ attribute: false })
  accessor marks: readonly CurveMark[] = [];
  /** Frames from edge to edge. */
  @property({ type: Number })
  accessor span = 1;
  @property({ type: Number })
  accessor low = 0;
  @property({ type: Number })
  accessor high = 1;

  override render() {
    const { span, low, high } = this;
    const y = (value: number) => 90 - 80 * Math.max(0, Math.min(1, (value - low) / (high - low || 1)));
    return html`
      <svg viewBox="0 0 ${span} 100" preserveAspectRatio="none" aria-hidden="true">
        ${this.thresholds.map(({ value, level, from, to }) =>
          value < low || value > high
            ? nothing
            : svg`<line class="limit ${level}" x1=${from} x2=${to} y1=${y(value)} y2=${y(value)} />`
        )}
        ${this.marks.map(({ at, level }) =>
          svg`<line class="mark ${level}" x1=${at} x2=${at} y1="0" y2="100" />`
        )}
        ${this.parts.map((part) => svg`<path d=${course(part, y)} />`)}
      </svg>
    `;
  }
}

/** Nothing is drawn where nothing was measured, but a single value is a dot. */
function course({ from, span, values }: CurvePart, y: (value: number) => number): string {
  const step = span / Math.max(1, values.length);
  let isDown = false;
  let path = "";
  for (const [n, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const x = (from + (n + 0.5) * step).toFixed(2);
    path += `${isDown ? "L" : "M"}${x} ${y(value).toFixed(2)}`;
    if (!isDown && (values[n + 1] ?? null) === null) path += "h0.01";
    isDown = true;
  }
  return path;
}
