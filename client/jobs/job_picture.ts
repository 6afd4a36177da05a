import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon, type IconName } from "#client/ui/icons.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import { nameOf, pictureOf } from "./describe_job.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";

const ICONS: Readonly<Record<string, IconName>> = {
  "comfy.generate": "sparkles",
  "media.inspect": "scan",
  "media.proxy": "film",
  "seeds.measure": "face",
  "clips.ingest_take": "download",
  "clips.measure_take": "gauge",
  "clips.stitch": "merge",
  "clips.measure_cut": "gauge",
  "scenes.assemble": "clapperboard",
};

const OVER: readonly QueueJob["status"][] = ["done", "failed", "cancelled"];

/** What a job makes, as it arrives; until then what it works on, else a sign of its kind. */
@customElement("st-job-picture")
export class JobPicture extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        position: relative;
        display: grid;
        place-items: center;
        aspect-ratio: 3 / 2;
        overflow: hidden;
        border-radius: calc(var(--radius-control) / 2);
        background: var(--color-raised);
        box-shadow: inset 0 0 0 var(--size-hairline) var(--color-line);
        color: var(--color-text-quiet);
      }
      :host([large]) {
        border-radius: var(--radius-control);
      }
      :host([large][bare]) {
        aspect-ratio: auto;
        height: var(--space-12);
      }
      img {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      /* Before its own picture comes, what it works on stands back. */
      .source {
        opacity: 0.75;
      }
      .live {
        outline: var(--size-hairline) solid var(--color-plasma);
        outline-offset: calc(-1 * var(--size-hairline));
        border-radius: inherit;
      }
    `,
  ];

  @property({ attribute: false })
  accessor job: QueueJob | undefined;
  @property({ type: Boolean, reflect: true })
  accessor large = false;
  /** It has ended without a picture, and needs no room for one. */
  @property({ type: Boolean, reflect: true })
  accessor bare = false;
  @state()
  accessor broken = "";

  protected override willUpdate() {
    const { job } = this;
    this.bare = job !== undefined && OVER.includes(job.status) && !this.#isThere(pictureOf(job));
  }

  override render() {
    const { job } = this;
    if (!job) return nothing;
    const preview = job.status === "running" ? queue.previewOf(job.id) : undefined;
    const address = preview ?? pictureOf(job);
    const isSource = preview === undefined && job.status !== "done";
    // The sign lies under the picture, which may be long in coming.
    return html`
      ${icon(ICONS[job.kind] ?? "workflow")} ${this.#isThere(address)
        ? html`
          <img class=${preview ? "live" : isSource ? "source" : ""} src=${address} decoding="async"
            alt=${preview ? w("livePicture", { name: nameOf(job) }) : ""}
            @error=${() => this.broken = address}>
        `
        : nothing}
    `;
  }

  #isThere(address: string | undefined): address is string {
    return address !== undefined && address !== this.broken;
  }
}
