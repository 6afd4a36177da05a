import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Seed } from "#server/seeds/contract.ts";
import { pictureOf } from "./seed_facts.ts";
import { w } from "./words.ts";

/** Pixels of the drawn face; the box on the screen may be smaller. */
const SIDE = 256;
/** How much more than the face's box is shown around it. */
const MARGIN = 1.45;

/** The face of a seed, cut out and turned upright, so that two of them can be looked at as the measure does. */
@customElement("st-face-crop")
export class FaceCrop extends LitElement {
  static override styles = css`
    :host {
      display: grid;
      place-items: center;
      aspect-ratio: 1;
      overflow: hidden;
      border-radius: var(--radius-control);
      background: var(--color-ground);
      color: var(--color-text-quiet);
      font-size: var(--size-text-small);
    }
    canvas {
      width: 100%;
      height: 100%;
    }
  `;

  @property({ attribute: false })
  accessor seed: Seed | undefined = undefined;
  @property()
  accessor label = "";
  @state()
  accessor isDrawn = false;

  override render() {
    if (this.seed && !this.seed.measures?.faceBoxes[0]) return html`<span>${w("noFace")}</span>`;
    return html`
      <canvas width=${SIDE} height=${SIDE} role="img" aria-label=${this.label} ?hidden=${!this
        .isDrawn}></canvas>
      ${this.isDrawn ? nothing : html`<span></span>`}
    `;
  }

  protected override updated(changed: PropertyValues<this>) {
    if (changed.has("seed")) void this.#draw();
  }

  async #draw(): Promise<void> {
    const { seed } = this;
    const src = seed && pictureOf(seed, "large");
    const box = seed?.measures?.faceBoxes[0];
    if (!src || !box) return;
    const image = new Image();
    image.src = src;
    try {
      await image.decode();
    } catch {
      return;
    }
    const canvas = this.renderRoot.querySelector("canvas");
    const context = canvas?.getContext("2d");
    if (seed !== this.seed || !context) return;
    const scale = SIDE / (Math.max(box.width, box.height) * MARGIN);
    context.resetTransform();
    context.clearRect(0, 0, SIDE, SIDE);
    context.translate(SIDE / 2, SIDE / 2);
    context.rotate(-box.rollDeg * Math.PI / 180);
    context.scale(scale, scale);
    context.translate(-(box.x + box.width / 2), -(box.y + box.height / 2));
    context.drawImage(image, 0, 0);
    this.isDrawn = true;
  }
}
