import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import "#client/app/st_action.ts";
import "#client/ui/state_mark.ts";
import { activate } from "./active_playback.ts";
import type { Playback } from "./playback.ts";
import { w } from "./words.ts";

/**
 * The picture of a playback, as large as its place allows, and nothing else. Whatever is slotted lies on the picture
 * and never leaves its frame: `overlay` over all of it, `chip` in its lower left corner. Without a playback, or until its first
 * picture, the default slot shows.
 */
@customElement("st-player")
export class Player extends SignalWatcher(LitElement) {
  static override styles = css`
    :host {
      display: grid;
      place-items: center;
      min-width: 0;
      min-height: 0;
      container-type: size;
      overflow: hidden;
    }
    .frame {
      position: relative;
      width: min(100cqw, calc(100cqh * var(--player-ratio)));
      aspect-ratio: var(--player-ratio);
      background: var(--color-ground);
    }
    video,
    .still {
      position: absolute;
      inset: 0;
      display: block;
      width: 100%;
      height: 100%;
      object-fit: contain;
    }
    video.waits {
      visibility: hidden;
    }
    .overlay {
      position: absolute;
      inset: 0;
      pointer-events: none;
    }
    ::slotted(*) {
      max-width: 100%;
    }
    .still ::slotted(*) {
      display: block;
      width: 100%;
      height: 100%;
      object-fit: contain;
    }
    .chips {
      position: absolute;
      inset: auto auto var(--space-2) var(--space-2);
      display: flex;
      gap: var(--space-1);
      max-width: calc(100% - var(--space-4));
      pointer-events: none;
    }
    .problem {
      position: absolute;
      inset: 0;
      display: grid;
      align-content: center;
      justify-items: center;
      gap: var(--space-3);
      padding: var(--space-4);
      background: color-mix(in oklab, var(--color-ground) 80%, transparent);
      text-align: center;
    }
    .problem p {
      display: flex;
      align-items: baseline;
      gap: var(--space-2);
      margin: 0;
      max-width: 48ch;
    }
  `;

  @property({ attribute: false })
  accessor playback: Playback | undefined = undefined;
  /** Width ÷ height of the picture. */
  @property({ type: Number })
  accessor ratio = 16 / 9;
  /** What the picture shows, for those who can't see it. */
  @property()
  override accessor ariaLabel: string | null = null;

  override connectedCallback() {
    super.connectedCallback();
    this.addEventListener("pointerdown", this.#activate);
  }

  /** With moveBefore() the picture does not even blink. */
  connectedMoveCallback(): void {}

  override render() {
    const { playback } = this;
    const isShown = playback?.reel !== undefined;
    return html`
      <div class="frame" .style=${`--player-ratio: ${this.ratio}`} @dblclick=${this.#fullScreen}>
        ${playback && isShown ? this.#picture(playback) : nothing}
        <div class="still" ?hidden=${isShown && playback?.isReady}><slot></slot></div>
        <div class="overlay"><slot name="overlay"></slot></div>
        <div class="chips"><slot name="chip"></slot></div>
        ${playback?.problem ? this.#problem(playback) : nothing}
      </div>
    `;
  }

  protected override updated(changed: PropertyValues<this>) {
    if (changed.has("playback") && this.playback) activate(this.playback);
  }

  #picture(playback: Playback) {
    const { video } = playback;
    video.classList.toggle("waits", !playback.isReady && !playback.reel?.poster);
    video.ariaLabel = this.ariaLabel ?? w("picture");
    return video;
  }

  #problem(playback: Playback) {
    return html`
      <div class="problem" role="alert">
        <p><st-state-mark state="failed"></st-state-mark>${w(
          playback.problem === "network" ? "network" : "unplayable",
        )}.</p>
        <st-action command="player.reload" .target=${playback}></st-action>
      </div>
    `;
  }

  readonly #activate = () => this.playback && activate(this.playback);

  readonly #fullScreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.requestFullscreen?.().catch(() => {});
  };
}
