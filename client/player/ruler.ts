import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Rate, timecode } from "#server/core/media_time.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { clampFrame } from "./frame_clock.ts";
import type { Playback } from "./playback.ts";
import { w } from "./words.ts";

/** A label about every this many pixels at least. */
const LABEL_PX = 88;

/** A line of time: ticks, the in and out marks, the playhead. Drag to look, arrows step. */
@customElement("st-ruler")
export class Ruler extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        position: relative;
        display: block;
        height: var(--space-6);
        touch-action: none;
        cursor: col-resize;
        user-select: none;
      }
      .track {
        position: absolute;
        inset: 0;
        outline-offset: calc(-1 * var(--size-hairline));
      }
      svg {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        overflow: visible;
        pointer-events: none;
      }
      line {
        stroke: var(--color-line);
        stroke-width: var(--size-hairline);
        shape-rendering: crispEdges;
      }
      .label {
        position: absolute;
        top: 0;
        padding-left: var(--space-1);
        color: var(--color-text-quiet);
        font: var(--font-weight-regular) var(--size-label) / var(--space-4) var(--font-mono);
        pointer-events: none;
        white-space: nowrap;
      }
      .range {
        position: absolute;
        inset: auto auto 0 auto;
        height: var(--space-1);
        background: color-mix(in oklab, var(--color-ion) 45%, transparent);
        pointer-events: none;
      }
      .head {
        position: absolute;
        bottom: 0;
        width: var(--space-2);
        height: var(--space-3);
        margin-left: calc(-1 * var(--space-1));
        background: var(--color-ion);
        clip-path: polygon(0 0, 100% 0, 100% 55%, 50% 100%, 0 55%);
        pointer-events: none;
      }
    `,
  ];

  @property({ attribute: false })
  accessor playback: Playback | undefined = undefined;
  @property({ attribute: false })
  accessor rate: Rate = { num: 24, den: 1 };
  /** Frames from edge to edge. */
  @property({ type: Number })
  accessor span = 1;
  /** The frame of the playback that lies at the left edge. */
  @property({ type: Number })
  accessor offset = 0;
  /** Frames of the line for each frame of the playback. */
  @property({ type: Number })
  accessor scale = 1;
  @property({ type: Number })
  accessor startFrame = 0;
  @state()
  accessor width = 0;
  readonly #resized = new ResizeObserver(([entry]) => this.width = entry?.contentRect.width ?? 0);

  override connectedCallback() {
    super.connectedCallback();
    this.#resized.observe(this);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  override render() {
    const { playback, span } = this;
    const frames = playback?.reel?.frames ?? 0;
    const frame = playback?.frame ?? 0;
    return html`
      ${this.#ticks()}
      ${playback?.hasMarks ? this.#range(playback.range) : nothing}
      <div class="track" role="slider" tabindex=${frames > 0 ? "0" : "-1"} aria-label=${w("position")}
        aria-valuemin="0" aria-valuemax=${Math.max(0, frames - 1)} aria-valuenow=${frame}
        aria-valuetext=${w("frameOf", { frame, frames: Math.max(0, frames - 1) })}
        aria-disabled=${frames === 0 ? "true" : nothing}
        @pointerdown=${this.#grab} @keydown=${this.#key}></div>
      ${frames > 0
        ? html`<div class="head" .style=${`left: ${
          100 * (this.offset + (frame + 0.5) * this.scale) / span
        }%`}></div>`
        : nothing}
    `;
  }

  #range({ first, last }: { first: number; last: number }) {
    const left = (this.offset + first * this.scale) / this.span;
    const width = ((last + 1 - first) * this.scale) / this.span;
    return html`<div class="range" .style=${`left: ${100 * left}%; width: ${100 * width}%`}></div>`;
  }

  #ticks() {
    const { span, width, rate } = this;
    if (width === 0 || span < 1) return nothing;
    const step = stepFor((LABEL_PX / width) * span, rate);
    const minor = step >= 4 && step % 4 === 0 ? step / 4 : step >= 2 && step % 2 === 0 ? step / 2 : step;
    const minors = Array.from({ length: Math.ceil(span / minor) }, (_, n) => n * minor);
    // A label that would be cut off at the right edge says nothing.
    const majors = minors.filter((frame) => frame % step === 0 && (1 - frame / span) * width > LABEL_PX / 2);
    const x = (frame: number) => `${100 * frame / span}%`;
    return html`
      <svg aria-hidden="true">${minors.map((frame) =>
        svg`<line x1=${x(frame)} x2=${x(frame)} y1=${frame % step === 0 ? "0%" : "70%"} y2="100%" />`
      )}</svg>
      ${majors.map((frame) =>
        html`<span class="label" .style=${`left: ${x(frame)}`} aria-hidden="true">${
          shortTimecode(this.startFrame + frame, rate)
        }</span>`
      )}
    `;
  }

  readonly #grab = (event: PointerEvent) => {
    const { playback, currentTarget } = { playback: this.playback, currentTarget: event.currentTarget };
    if (!playback?.reel || event.button !== 0 || !(currentTarget instanceof HTMLElement)) return;
    currentTarget.setPointerCapture(event.pointerId);
    const look = ({ clientX }: PointerEvent) => {
      const box = this.getBoundingClientRect();
      const onLine = ((clientX - box.left) / box.width) * this.span - this.offset;
      const at = Math.floor(onLine / this.scale);
      void playback.seek(clampFrame(at, 0, (playback.reel?.frames ?? 1) - 1));
    };
    look(event);
    currentTarget.addEventListener("pointermove", look);
    const release = () => currentTarget.removeEventListener("pointermove", look);
    currentTarget.addEventListener("lostpointercapture", release, { once: true });
  };

  readonly #key = (event: KeyboardEvent) => {
    const { playback } = this;
    const second = Math.max(1, Math.round(this.rate.num / this.rate.den));
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: second,
      PageDown: -second,
    };
    const step = steps[event.key];
    if (!playback || step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    void playback.step(event.shiftKey ? step * second : step);
  };
}

/** Frames between labels: a round number of frames or seconds, at least `least`. */
function stepFor(least: number, rate: Rate): number {
  const second = Math.max(1, Math.round(rate.num / rate.den));
  const whole = second % 4 === 0 ? [1, 2, 4, second / 4, second / 2] : [1, 5, second];
  const steps = [...whole, ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600].map((count) => count * second)];
  return steps.find((step) => Number.isInteger(step) && step >= least) ?? 600 * second;
}

/** Timecode without hours where they say nothing: "00:06:00". */
function shortTimecode(frame: number, rate: Rate): string {
  const full = timecode(frame, rate);
  return full.startsWith("00:") ? full.slice(3) : full;
}
