import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { type Rate, timecode } from "#server/core/media_time.ts";
import "#client/app/st_action.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { parseFrame } from "./frame_clock.ts";
import type { Playback } from "./playback.ts";
import { w } from "./words.ts";

const STILL: Rate = { num: 24, den: 1 };

/** The deck of a playback: step, play, where it stands (to be typed over), speed, loop. What is slotted stands at its end. */
@customElement("st-transport")
export class Transport extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 var(--space-3);
        min-width: 0;
        min-height: var(--size-field);
        padding: 0 var(--space-2);
        container-type: inline-size;
        font-variant-numeric: tabular-nums;
      }
      .deck,
      .marks {
        display: flex;
        align-items: center;
      }
      .where {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        font: var(--font-weight-regular) var(--size-text) var(--font-mono);
        white-space: nowrap;
      }
      .where[hidden] {
        display: none;
      }
      .quiet {
        color: var(--color-text-quiet);
      }
      input {
        box-sizing: border-box;
        width: 6ch;
        height: var(--size-control);
        padding: 0 var(--space-1);
        text-align: right;
        font: inherit;
        color: var(--color-text);
        background: none;
        border: var(--size-hairline) solid transparent;
        border-radius: var(--radius-control);
      }
      input:hover {
        border-color: var(--color-line);
      }
      .speed {
        min-width: 3ch;
        color: var(--color-ion);
        font: var(--font-weight-medium) var(--size-text-small) var(--font-mono);
      }
      .end {
        display: flex;
        align-items: center;
        justify-content: flex-end;
        gap: var(--space-2);
        flex: 1 0 auto;
        max-width: 100%;
        min-width: 0;
      }
      @container (inline-size < 36rem) {
        .timecode,
        .marks {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor playback: Playback | undefined = undefined;
  /** Added to the frame before it is shown as timecode: where the programme starts. */
  @property({ type: Number })
  accessor startFrame = 0;
  @query("input")
  accessor field!: HTMLInputElement;

  override render() {
    const { playback } = this;
    const { frames = 0, rate = STILL } = playback?.reel ?? {};
    const frame = playback?.frame ?? 0;
    const speed = playback?.speed ?? 0;
    return html`
      <div class="deck">
        ${this.#button("first")} ${this.#button("previous-frame")}
        ${this.#button(speed === 0 ? "play" : "pause")}
        ${this.#button("next-frame")} ${this.#button("last")}
      </div>
      <div class="where" ?hidden=${frames === 0}>
        <span class="timecode">${timecode(this.startFrame + frame, rate)}</span>
        <span>
          <input .value=${String(frame)} ?disabled=${frames === 0} inputmode="numeric" autocomplete="off"
            aria-label=${w("frameField")} title=${w("frameField")} @focus=${this.#select} @change=${this.#go}
            @keydown=${this.#leave}><span class="quiet" aria-hidden="true"> ${w("ofFrames", {
              frames: Math.max(0, frames - 1),
            })}</span>
        </span>
        <span class="speed" role="status">${speed === 0 || speed === 1
          ? nothing
          : w("speed", { speed: signed(speed) })}</span>
      </div>
      <div class="marks">${this.#button("loop")}</div>
      <div class="end"><slot></slot></div>
    `;
  }

  #button(id: string) {
    return html`<st-action command="player.${id}" .target=${this.playback} look="quiet" icon-only></st-action>`;
  }

  readonly #select = () => this.field.select();

  readonly #go = () => {
    const { playback } = this;
    const frame = playback?.reel && parseFrame(this.field.value, playback.frame, playback.reel.rate);
    if (playback && frame !== undefined) void playback.seek(frame);
    this.field.value = String(playback?.frame ?? 0);
  };

  readonly #leave = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.stopPropagation();
    if (event.key === "Escape") this.field.value = String(this.playback?.frame ?? 0);
    this.field.blur();
  };
}

/** "−2", "4": a minus that is one. */
function signed(speed: number): string {
  return speed < 0 ? `−${-speed}` : String(speed);
}
