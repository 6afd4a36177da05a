import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { follow } from "#client/core/follow.ts";
import type { Panel } from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/player/ruler.ts";
import { type ClipDesk, openDesk } from "./clip_desk.ts";
import "./clip_curves.ts";
import "./segment_lane.ts";
import { w } from "./words.ts";

/** Narrower than this a segment says nothing: the line scrolls instead. */
const LEAST_SEGMENT_REM = 5;
const MOST_ZOOM = 16;

/** The open clip's line of time: ruler, segments, curves, all on one scale under one playhead. */
@customElement("st-clip-timeline-panel")
export class ClipTimelinePanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .all {
        /* A tall panel gives its room to the pictures and the curves. */
        --lane-height: clamp(calc(2 * var(--space-12) + var(--space-3)), 36cqb, calc(4 * var(--space-12)));
        --curve-height: clamp(var(--space-12), 15cqb, calc(2 * var(--space-12)));
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        grid-template-rows: 1fr;
        height: 100%;
        min-height: 0;
        overflow: hidden auto;
        background: var(--color-surface);
      }
      .heads {
        display: grid;
        grid-template-rows: var(--space-6) var(--lane-height) auto;
        align-content: start;
        width: calc(2 * var(--space-12));
        border-right: var(--size-hairline) solid var(--color-line);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
      }
      .heads > * {
        padding: var(--space-1) var(--space-2);
      }
      .line {
        position: relative;
        min-width: 0;
        overflow: auto hidden;
      }
      .scale {
        position: relative;
        display: grid;
        grid-template-rows: var(--space-6) var(--lane-height) auto;
        align-content: start;
        min-width: 100%;
        min-height: 100%;
      }
      .playhead {
        position: absolute;
        inset: 0 auto 0 0;
        width: var(--size-hairline);
        background: var(--color-ion);
        pointer-events: none;
      }
      .asked {
        position: absolute;
        inset: var(--space-6) auto 0 0;
        width: var(--size-running-line);
        margin-left: calc(-0.5 * var(--size-running-line));
        background: linear-gradient(var(--color-ion) 0 60%, transparent);
        pointer-events: none;
      }
      @container panel (inline-size < 40rem) {
        .heads {
          display: none;
        }
        .all {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #desk: ClipDesk | undefined;
  #close: (() => void) | undefined;
  #unfollow: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#unfollow = follow(() => this.#take(openDesk()));
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#unfollow?.();
    this.#close?.();
    this.#desk = undefined;
  }

  override render() {
    const desk = openDesk();
    const facts = desk?.store.facts;
    // The picture's panel says what to do; saying it in each would only be noise.
    if (!desk || !facts) return nothing;
    const { clip, plan } = facts;
    const { span, lane, playback, mapping } = desk;
    const zoom = this.panel?.state.get("zoom", 1) ?? 1;
    const x = (frame: number) => `${100 * frame / span}%`;
    const at = mapping.offset + (playback.frame + 0.5) * mapping.scale;
    return html`
      <div class="all">
        <div class="heads">
        <span></span><span>${w("lane")}</span>
        <st-clip-curve-heads .desk=${desk}></st-clip-curve-heads>
        </div>
        <div class="line" @wheel=${this.#zoom}>
          <div class="scale" .style=${`width: max(${100 * zoom}%, ${lane.length * LEAST_SEGMENT_REM}rem)`}>
          <st-ruler .playback=${playback.reel ? playback : undefined} .rate=${clip.rate} .span=${span}
            .offset=${mapping.offset} .scale=${mapping.scale}></st-ruler>
          <st-segment-lane .desk=${desk}></st-segment-lane>
          <st-clip-curves .desk=${desk}></st-clip-curves>
          <div class="asked" .style=${`left: ${x(clip.frames)}`} title=${w("askedEnd", {
            frame: (plan?.askedFrames ?? clip.frames) - 1,
          })}></div>
          ${playback.reel ? html`<div class="playhead" .style=${`left: ${x(at)}`}></div>` : nothing}
        </div>
        </div>
      </div>
    `;
  }

  #take(desk: ClipDesk | undefined): void {
    if (desk === this.#desk) return;
    this.#close?.();
    this.#desk = desk;
    this.#close = desk?.store.open();
  }

  /** Ctrl and the wheel zoom about the pointer; the wheel alone moves along. */
  readonly #zoom = (event: WheelEvent) => {
    const { currentTarget } = event;
    if (!(currentTarget instanceof HTMLElement)) return;
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const before = this.panel.state.get("zoom", 1);
    const zoom = Math.max(1, Math.min(MOST_ZOOM, before * 1.002 ** -event.deltaY));
    const pointer = event.clientX - currentTarget.getBoundingClientRect().left;
    const under = (currentTarget.scrollLeft + pointer) * (zoom / before) - pointer;
    this.panel.state.set("zoom", zoom);
    void this.updateComplete.then(() => currentTarget.scrollLeft = under);
  };
}
