import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Asset } from "#server/assets/contract.ts";

/** Pictures of a video at equal distances, in one image: row by row, left to right. */
export interface Sprite {
  readonly src: string;
  readonly columns: number;
  readonly rows: number;
  /** How many of the places are filled. */
  readonly count: number;
  /** Width by height of one picture. */
  readonly ratio: number;
}

/** The sprite of an asset, up to its frame `last`; undefined while it has none. */
export function spriteOf(
  assetId: string,
  layout: Asset["sprite"],
  last = Infinity,
): Sprite | undefined {
  if (!layout) return undefined;
  const { columns, rows, frames, tileWidthPx, tileHeightPx } = layout;
  return {
    src: `/api/assets/${assetId}/derivatives/sprite`,
    columns,
    rows,
    count: Math.max(1, frames.filter((frame) => frame <= last).length),
    ratio: tileWidthPx / tileHeightPx,
  };
}

/**
 * Lies over a still and shows, under a mouse or pen that moves along it, the video's picture at that place. The sprite is
 * read when the pointer first comes; until it is there, where there is none and under fingers, the still stays.
 */
@customElement("st-scrub")
export class Scrub extends LitElement {
  static override styles = css`
    :host {
      position: absolute;
      inset: 0;
      display: block;
      overflow: hidden;
      container-type: size;
      border-radius: inherit;
    }
    .part {
      position: absolute;
      inset: 50% auto auto 50%;
      width: max(100cqw, 100cqh * var(--ratio));
      aspect-ratio: var(--ratio);
      translate: -50% -50%;
      background-repeat: no-repeat;
    }
    :host([fit="contain"]) .part {
      width: min(100cqw, 100cqh * var(--ratio));
    }
    .needle {
      position: absolute;
      inset-block: auto 0;
      inset-inline: 0;
      height: var(--size-running-line);
      background: var(--color-ion);
      transform-origin: left;
    }
  `;

  @property({ attribute: false })
  accessor sprite: Sprite | undefined;
  @property({ reflect: true })
  accessor fit: "cover" | "contain" = "cover";
  /** Which of the sprite's pictures shows; -1 for none. */
  @state()
  accessor at = -1;

  override connectedCallback() {
    super.connectedCallback();
    this.addEventListener("pointermove", this.follow);
    this.addEventListener("pointerleave", this.#leave);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.removeEventListener("pointermove", this.follow);
    this.removeEventListener("pointerleave", this.#leave);
    this.at = -1;
  }

  protected override willUpdate(changed: PropertyValues<this>) {
    // What is shown there is another film now.
    if (changed.has("sprite") && changed.get("sprite")?.src !== this.sprite?.src) this.at = -1;
  }

  override render() {
    const { sprite, at } = this;
    if (!sprite || at < 0) return nothing;
    // As a property: the studio's policy refuses style attributes.
    return html`
      <div class="part" .style=${placeOf(sprite, at)}></div>
      <div class="needle" .style=${`scale: ${(at + 1) / sprite.count} 1`}></div>
    `;
  }

  /** Shows the picture where the pointer of this event is. */
  readonly follow = ({ clientX, pointerType }: PointerEvent) => {
    if (!this.sprite || pointerType === "touch") return;
    const { left, width } = this.getBoundingClientRect();
    this.at = spriteAt((clientX - left) / width, this.sprite.count);
  };

  readonly #leave = () => this.at = -1;
}

/** Which of `count` pictures lies under the pointer, `along` being 0 at the left edge and 1 at the right. */
export function spriteAt(along: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(along * count)));
}

function placeOf({ src, columns, rows, ratio }: Sprite, at: number): string {
  const x = columns > 1 ? at % columns / (columns - 1) * 100 : 0;
  const y = rows > 1 ? Math.floor(at / columns) / (rows - 1) * 100 : 0;
  return `--ratio: ${ratio}; background-image: url(${JSON.stringify(src)}); ` +
    `background-size: ${columns * 100}% ${rows * 100}%; background-position: ${x}% ${y}%`;
}
