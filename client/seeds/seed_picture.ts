import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/badge.ts";
import "#client/ui/state_mark.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { pictureOf, stateOf } from "./seed_facts.ts";
import { seedWorkOf } from "./seed_work.ts";
import { w } from "./words.ts";

/**
 * A seed's picture in whatever stage it is: what came so far from blur to sharp, its state by shape, a plasma edge
 * while it is made, a dashed one when it is stale, and the chip that never leaves it.
 */
@customElement("st-seed-picture")
export class SeedPicture extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        position: relative;
        width: 100%;
        height: 100%;
        overflow: hidden;
        background: var(--color-ground);
        contain: strict;
      }
      .frame {
        position: absolute;
        inset: 0;
        overflow: hidden;
      }
      /* The picture's own box, so that its chip and its edge are its own too. */
      :host([fit="contain"]) {
        container-type: size;
        background: none;
      }
      :host([fit="contain"]) .frame {
        margin: auto;
        width: min(100cqw, calc(100cqh * var(--ratio)));
        height: auto;
        aspect-ratio: var(--ratio);
        border-radius: var(--radius-control);
      }
      img {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      .so-far {
        filter: blur(calc(var(--space-3) * var(--left)));
        scale: calc(1 + 0.06 * var(--left));
        transition: filter var(--motion-fast) ease-out;
      }
      .real {
        opacity: 0;
        transition: opacity var(--motion-fast) ease-out;
      }
      .real.loaded {
        opacity: 1;
      }
      :host([rejected]) .real.loaded {
        opacity: 0.3;
        filter: saturate(0.4);
      }
      :host([stale]) .real.loaded {
        opacity: 0.7;
      }
      .edge {
        position: absolute;
        inset: 0;
        pointer-events: none;
        box-shadow:
          inset 0 0 0 var(--size-hairline) var(--color-plasma),
          inset 0 0 var(--space-3) color-mix(in oklab, var(--color-plasma) 25%, transparent);
      }
      .edge::after {
        content: "";
        position: absolute;
        inset: auto 0 0 0;
        height: var(--size-running-line);
        background: var(--color-plasma);
        transform-origin: left;
        scale: var(--done) 1;
        transition: scale var(--motion-fast) ease-out;
      }
      .dashed {
        position: absolute;
        inset: 0;
        border: var(--size-hairline) dashed var(--color-text-quiet);
        pointer-events: none;
      }
      .hero {
        position: absolute;
        inset: auto 0 0 0;
        height: var(--size-running-line);
        background: var(--color-lime);
        pointer-events: none;
      }
      .middle {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: var(--space-1);
        padding: var(--space-2);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        text-align: center;
      }
      .middle p {
        margin: 0;
        max-width: 32ch;
        display: -webkit-box;
        -webkit-line-clamp: 3;
        -webkit-box-orient: vertical;
        overflow: hidden;
      }
      .chip {
        position: absolute;
        inset: auto var(--space-1) var(--space-1) auto;
        max-width: calc(100% - var(--space-2));
      }
    `,
  ];

  /** Too small for the chip: whoever shows it so says beside it what it is. */
  @property({ type: Boolean })
  accessor bare = false;
  @property({ attribute: false })
  accessor seed: Seed | undefined = undefined;
  @property()
  accessor size: "small" | "large" = "small";
  @property({ reflect: true })
  accessor fit: "cover" | "contain" = "cover";
  @property({ type: Boolean, reflect: true })
  accessor rejected = false;
  @property({ type: Boolean, reflect: true })
  accessor stale = false;
  @state()
  accessor loaded: string | undefined = undefined;
  /** Width by height, once a picture of it was seen. */
  @state()
  accessor ratio: number | undefined = undefined;
  /** The shape that it will have, until there is a picture. */
  @property({ type: Number })
  accessor shape = 1;

  protected override willUpdate(changed: PropertyValues<this>) {
    if (!changed.has("seed")) return;
    if (changed.get("seed")?.id !== this.seed?.id) this.ratio = undefined;
    this.rejected = this.seed?.status === "rejected";
    this.stale = this.seed?.staleAt != null;
  }

  override render() {
    const { seed } = this;
    if (!seed) return nothing;
    const work = seedWorkOf(seed.projectId);
    const job = work.of(seed.id);
    const src = pictureOf(seed, this.size);
    const soFar = work.previewOf(seed.id);
    const isMaking = seed.status === "making";
    const isRunning = isMaking && job?.status === "running";
    // The worker's part is the picture; looking into it and measuring come after, with the picture there.
    const ratio = job?.kind === "comfy.generate" ? job.ratio ?? 0 : isMaking && job ? 1 : 0;
    return html`<div class="frame" .style=${`--ratio: ${this.ratio ?? this.shape}`}>
      ${
      soFar && this.loaded !== src
        ? html`<img class="so-far" src=${soFar} alt="" @load=${this.#measure} .style=${`--left: ${
          isMaking ? 1 - ratio : 0
        }`}>`
        : nothing
    }
      ${
      src
        ? html`
          <img class="real ${this.loaded === src ? "loaded" : ""}" src=${src} alt="" decoding="async"
            draggable="false" @load=${(event: Event) => {
              this.#measure(event);
              this.loaded = src;
            }}>
        `
        : nothing
    }
      ${
      isMaking && !soFar || seed.status === "failed" || seed.status === "cancelled"
        ? this.#middle(seed)
        : nothing
    }
      ${isRunning ? html`<div class="edge" .style=${`--done: ${ratio}`}></div>` : nothing}
      ${seed.staleAt ? html`<div class="dashed"></div>` : nothing}
      ${seed.status === "hero" ? html`<div class="hero"></div>` : nothing}
      ${
      seed.madeWith?.isCpuPreview && !this.bare && (src || soFar)
        ? html`<st-badge class="chip" over>${w("cpuPreview")}</st-badge>`
        : nothing
    }
    </div>`;
  }

  readonly #measure = (event: Event) => {
    const { naturalWidth, naturalHeight } = event.target as HTMLImageElement;
    if (naturalHeight > 0) this.ratio = naturalWidth / naturalHeight;
  };

  #middle(seed: Seed) {
    const [mark, word] = stateOf(seed, seedWorkOf(seed.projectId).of(seed.id));
    return html`
      <div class="middle">
        <st-state-mark state=${mark}></st-state-mark>
        ${mark === "queued"
          ? html`<span class="unseen">${word}</span>`
          : html`<p title=${seed.failure ?? ""}>${seed.failure ?? word}</p>`}
      </div>
    `;
  }
}
