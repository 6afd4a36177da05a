import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { CLIP_MARKS } from "#client/clips/clip_facts.ts";
import { w as clipWords } from "#client/clips/words.ts";
import { go, projectId } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { OpenEvent, SelectEvent } from "#client/ui/list_events.ts";
import { spriteOf } from "#client/ui/scrub.ts";
import type { ClipCard } from "#server/clips/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/grid.ts";
import "#client/ui/tile.ts";
import { pickLine } from "./commands.ts";
import { scenesOf } from "./scene_store.ts";
import { w } from "./words.ts";

/** The clips of a scene as pictures in their order; under the pointer each shows its course. */
@customElement("st-scene-sheet")
export class SceneSheet extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .all {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        background: var(--color-ground);
      }
      .bar {
        flex: none;
        display: flex;
        gap: var(--space-3);
        align-items: center;
        padding: var(--space-2) var(--space-3);
      }
      h1 {
        min-width: 0;
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      .count {
        flex: 1;
        color: var(--color-text-quiet);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .rest {
        flex: 1;
        min-height: 0;
        padding-inline: var(--space-3);
      }
      .stale {
        opacity: 0.6;
      }
    `,
  ];

  @property({ attribute: "scene-id" })
  accessor sceneId = "";
  #close: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    const project = projectId();
    if (project !== undefined) this.#close = scenesOf(project).open();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
    this.#close = undefined;
  }

  override render() {
    const project = projectId();
    const store = project === undefined ? undefined : scenesOf(project);
    const line = store?.find(this.sceneId);
    // The outline beside it says when scenes can't be read, and which are there.
    if (!store || !line) return nothing;
    const { scene, clips } = line;
    if (clips.length === 0) {
      return html`
        <h1 class="unseen">${scene.name}</h1>
        <st-empty icon="film" heading=${w("noClips", { scene: scene.name })} text="${w("noClipsText")}.">
          <st-action command="clips.create" look="primary"></st-action>
        </st-empty>
      `;
    }
    return html`
      <div class="all ${store.reading.isStale ? "stale" : ""}">
        <div class="bar">
          <h1 class="cut" title=${scene.name}>${scene.name}</h1>
          <span class="count">${w("clipsOf", { n: clips.length })}</span>
          <st-action command="clips.create" look="quiet"></st-action>
        </div>
        <div class="rest">
          <st-grid single .items=${clips} .labelOf=${labelOf} .tile=${tile} caption="28" label=${w(
            "clipsIn",
            {
              scene: scene.name,
            },
          )}
            @st-select=${this.#select} @st-open=${this.#open}></st-grid>
        </div>
      </div>
    `;
  }

  readonly #select = ({ ids: [id] }: SelectEvent) => pickLine(id);

  readonly #open = ({ itemId }: OpenEvent) => go({ screen: "scenes", entity: { kind: "clip", id: itemId } });
}

function lengthOf({ frames, rate }: ClipCard): string {
  return `${Math.round((10 * frames * rate.den) / rate.num) / 10} s`;
}

function labelOf(clip: ClipCard): string {
  return `${clip.name}, ${clipWords(clip.status)}, ${lengthOf(clip)}`;
}

function tile(clip: ClipCard) {
  const { picture } = clip;
  return html`
    <st-tile name=${clip.name} title=${labelOf(clip)} detail=${lengthOf(clip)} icon="film"
      .state=${CLIP_MARKS[clip.status]} ?running=${clip.status === "generating"}
      src=${picture ? `/api/assets/${picture.assetId}/derivatives/poster` : ""}
      .sprite=${picture ? spriteOf(picture.assetId, picture.sprite) : undefined}></st-tile>
  `;
}
