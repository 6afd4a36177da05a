import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Rate } from "#server/core/media_time.ts";
import { keptFrame, readFrame } from "./frame_reader.ts";

/** Frames `first` to `last` of a review copy side by side, as many as fit; the one under the pointer shows larger. */
@customElement("st-filmstrip")
export class Filmstrip extends LitElement {
  static override styles = css`
    :host {
      position: relative;
      display: block;
      overflow: hidden;
      background: var(--color-ground);
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
    img {
      position: absolute;
      inset: 0 auto 0 0;
      height: 100%;
    }
    .loupe {
      position: fixed;
      inset: auto;
      margin: 0;
      padding: 0;
      overflow: hidden;
      pointer-events: none;
      background: var(--color-ground);
      border: var(--size-hairline) solid var(--color-line);
      border-radius: var(--radius-control);
      box-shadow: var(--shadow-float);
      color: var(--color-text);
      font: var(--font-weight-regular) var(--size-label) / 1.6 var(--font-mono);
      text-align: center;
    }
    .loupe canvas {
      width: auto;
      height: calc(var(--space-12) * 2);
    }
  `;

  @property()
  accessor src = "";
  @property()
  accessor poster: string | undefined = undefined;
  @property({ attribute: false })
  accessor rate: Rate = { num: 24, den: 1 };
  @property({ type: Number })
  accessor first = 0;
  @property({ type: Number })
  accessor last = 0;
  @property({ type: Number })
  accessor ratio = 16 / 9;
  /** Frame number that people know the first frame by; the loupe counts from it. */
  @property({ type: Number })
  accessor numberedFrom = 0;
  @state()
  accessor hovered: number | undefined = undefined;
  @query("canvas")
  accessor strip!: HTMLCanvasElement;
  @query(".loupe")
  accessor loupe!: HTMLElement | null;
  #wanted = new AbortController();
  #lookedAt = new AbortController();
  #size = { width: 0, height: 0 };
  readonly #resized = new ResizeObserver(([entry]) => this.#resize(entry));

  override connectedCallback() {
    super.connectedCallback();
    this.#resized.observe(this);
    this.addEventListener("pointermove", this.#hover);
    this.addEventListener("pointerleave", this.#leave);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#resized.disconnect();
    this.#wanted.abort();
    this.#lookedAt.abort();
    this.removeEventListener("pointermove", this.#hover);
    this.removeEventListener("pointerleave", this.#leave);
  }

  override render() {
    return html`
      <canvas aria-hidden="true"></canvas>
      ${this.hovered === undefined ? nothing : html`
        <div class="loupe" popover="manual" aria-hidden="true">
          <canvas></canvas>
          <div>${this.numberedFrom + this.hovered - this.first}</div>
        </div>
      `}
    `;
  }

  protected override updated(changed: PropertyValues<this>) {
    if (["src", "first", "last", "ratio"].some((name) => changed.has(name as keyof Filmstrip))) {
      void this.#fill();
    }
    if (changed.has("hovered")) void this.#showLoupe();
  }

  #resize(entry: ResizeObserverEntry | undefined): void {
    // Whole pixels: a size by way of others that differ by less must give the same frames as one that is there at once.
    const width = Math.round(entry?.contentRect.width ?? 0);
    const height = Math.round(entry?.contentRect.height ?? 0);
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    void this.#fill();
  }

  /** Draws what is kept at once, and the rest as it is read, the middle ones first where few are wanted. */
  async #fill(): Promise<void> {
    this.#wanted.abort();
    const { signal } = this.#wanted = new AbortController();
    const { width, height } = this.#size;
    const context = this.strip?.getContext("2d");
    if (!context || width < 1 || height < 1) return;
    const scale = Math.min(2, devicePixelRatio);
    this.strip.width = Math.round(width * scale);
    this.strip.height = Math.round(height * scale);
    if (!this.src || this.last < this.first) return;
    const tileWidth = this.strip.height * this.ratio;
    const count = Math.max(1, Math.ceil(this.strip.width / tileWidth));
    await Promise.all(Array.from({ length: count }, async (_, n) => {
      const frame = this.#frameAt(Math.min(0.999, ((n + 0.5) * tileWidth) / this.strip.width));
      const wish = { src: this.src, rate: this.rate, frame };
      const tile = keptFrame(wish) ?? await readFrame(wish, signal);
      if (tile && !signal.aborted) {
        context.drawImage(tile, n * tileWidth, 0, tileWidth, this.strip.height);
      }
    }));
  }

  /** The frame at a share of the width. */
  #frameAt(share: number): number {
    return Math.min(this.last, this.first + Math.floor(share * (this.last - this.first + 1)));
  }

  readonly #hover = ({ clientX, pointerType }: PointerEvent) => {
    if (pointerType !== "mouse" || !this.src) return;
    const box = this.getBoundingClientRect();
    this.hovered = this.#frameAt(Math.max(0, Math.min(0.999, (clientX - box.left) / box.width)));
  };

  readonly #leave = () => this.hovered = undefined;

  async #showLoupe(): Promise<void> {
    this.#lookedAt.abort();
    const { loupe, hovered } = this;
    if (!loupe || hovered === undefined) return;
    const { signal } = this.#lookedAt = new AbortController();
    const tile = await readFrame({ src: this.src, rate: this.rate, frame: hovered }, signal);
    const canvas = loupe.querySelector("canvas");
    if (!tile || !canvas || signal.aborted) return;
    [canvas.width, canvas.height] = [tile.width, tile.height];
    canvas.getContext("2d")?.drawImage(tile, 0, 0);
    if (!loupe.matches(":popover-open")) loupe.showPopover();
    const box = this.getBoundingClientRect();
    const share = (hovered - this.first + 0.5) / (this.last - this.first + 1);
    const { width, height } = loupe.getBoundingClientRect();
    const left = box.left + share * box.width - width / 2;
    loupe.style.left = `${Math.max(0, Math.min(innerWidth - width, left))}px`;
    loupe.style.top = `${Math.max(0, box.top - height - 4)}px`;
  }
}
