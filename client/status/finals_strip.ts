import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { formatAgo, formatCount } from "#client/core/format.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import "#client/ui/scrub.ts";
import { sectionStyles } from "./section_styles.ts";
import { type Final, NOTHING_READ, type StatusFacts } from "./status_facts.ts";
import { w } from "./words.ts";

/** The newest final cuts and masters, as pictures edge to edge. */
@customElement("st-finals-strip")
export class FinalsStrip extends LitElement {
  static override styles = [
    formStyles,
    sectionStyles,
    css`
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--size-tile)), 1fr));
        gap: var(--space-3) var(--space-2);
        padding-top: var(--space-3);
      }
      a {
        display: grid;
        color: inherit;
        text-decoration: none;
        border-radius: var(--radius-control);
      }
      .frame {
        position: relative;
        display: block;
        aspect-ratio: 3 / 2;
        overflow: hidden;
        border-radius: var(--radius-control);
        background: var(--color-surface);
      }
      video {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      .chip {
        position: absolute;
        inset: auto var(--space-1) var(--space-1) auto;
        padding: 0 var(--space-1);
        background: color-mix(in oklab, var(--color-ground) 80%, transparent);
        border-radius: var(--radius-control);
        font-size: var(--size-label);
      }
      .name {
        padding-top: var(--space-1);
      }
    `,
  ];

  @property({ attribute: false })
  accessor facts: StatusFacts = NOTHING_READ;
  @property({ type: Number })
  accessor now = 0;

  override render() {
    const { finals, workers } = this.facts;
    // Only where no other worker was there to make them is this certain.
    const isCpuPreview = workers !== undefined && workers.length > 0 &&
      workers.every(({ kind }) => kind === "cpu_engine");
    return html`
      <section aria-labelledby="finals">
        <div class="head"><h2 id="finals">${w("finals")}</h2><span class="count">${finals.length > 0
          ? formatCount(finals.length)
          : ""}</span></div>
        ${finals.length === 0 ? html`<p class="none">${w("noFinals")}</p>` : nothing}
        <ul>${repeat(finals, ({ assetId }) => assetId, (final) => this.#tile(final, isCpuPreview))}</ul>
      </section>
    `;
  }

  /**
   * The work itself: it plays under focus, and under the pointer its place shows, or where it has no sprite it plays there
   * too. Without a poster its first frame stands for it.
   */
  #tile({ assetId, name, kind, picture, sprite, projectName, createdAt }: Final, isCpuPreview: boolean) {
    const address = `/api/assets/${assetId}/content`;
    return html`
      <li>
        <a href=${address} target="_blank" rel="noopener" @pointerenter=${sprite ? nothing : play}
          @pointerleave=${sprite ? nothing : rewind} @focus=${play} @blur=${rewind}>
          <span class="frame">
            <video src=${picture ? address : `${address}#t=0.01`} poster=${picture ??
              nothing} muted loop playsinline
              preload=${picture ? "none" : "metadata"} aria-hidden="true" tabindex="-1"></video>
            ${sprite ? html`<st-scrub .sprite=${sprite}></st-scrub>` : nothing}
            ${isCpuPreview ? html`<span class="chip">CPU preview</span>` : nothing}
          </span>
          <span class="name cut">${name}</span>
          <span class="cut quiet small">${w(kind === "master" ? "master" : "cut")} · ${formatAgo(
            createdAt,
            this.now,
          )} · <bdi>${projectName}</bdi></span>
        </a>
      </li>
    `;
  }
}

function play(event: Event): void {
  const video = videoOf(event);
  if (!video || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  video.muted = true;
  // A file that this browser can't play keeps its picture.
  video.play().catch(() => {});
}

function rewind(event: Event): void {
  const video = videoOf(event);
  video?.pause();
  if (video && video.currentTime > 0) video.currentTime = 0;
}

function videoOf({ currentTarget }: Event): HTMLVideoElement | null {
  return currentTarget instanceof HTMLElement ? currentTarget.querySelector("video") : null;
}
