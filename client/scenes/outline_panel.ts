import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { follow } from "#client/core/follow.ts";
import type { Panel } from "#client/core/panels.ts";
import { keptSignal, withNewest } from "#client/core/kept_signal.ts";
import { entity, go, place, projectId } from "#client/core/place.ts";
import { charactersOf } from "#client/characters/character_store.ts";
import { CLIP_MARKS } from "#client/clips/clip_facts.ts";
import { w as clipWords } from "#client/clips/words.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { ExpandEvent, OpenEvent, SelectEvent } from "#client/ui/list_events.ts";
import type { TreeNode } from "#client/ui/tree.ts";
import type { Clip } from "#server/clips/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/button.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/tree.ts";
import { pickLine, sceneAsk } from "./commands.ts";
import "./scene_form.ts";
import { type SceneLine, scenesOf, type SceneStore } from "./scene_store.ts";
import { w } from "./words.ts";

/** The open project's scenes and their clips, each with its state. */
@customElement("st-outline-panel")
export class OutlinePanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .all {
        display: flex;
        flex-direction: column;
        height: 100%;
        background: var(--color-surface);
      }
      st-tree {
        flex: 1;
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1);
        padding: var(--space-1);
        border-top: var(--size-hairline) solid var(--color-line);
      }
      .stale {
        opacity: 0.6;
      }
      .empty {
        display: grid;
        place-items: center;
        height: 100%;
        box-sizing: border-box;
        padding: var(--space-3);
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #project = "";
  #closers: (() => void)[] = [];
  #unfollow: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#unfollow = follow(() => {
      this.#take(projectId() ?? "");
      openLastClip();
    });
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#unfollow?.();
    this.#release();
  }

  override render() {
    const project = projectId();
    if (project === undefined) {
      return html`
        <div class="empty">
          <st-empty icon="folder" heading=${w("noProject")} text="${w("noProjectText")}."></st-empty>
        </div>
      `;
    }
    const store = scenesOf(project);
    return html`${this.#content(store)}<st-scene-form .ask=${sceneAsk()}></st-scene-form>`;
  }

  #content({ all, reading }: SceneStore) {
    if (!reading.isKnown && reading.problem) {
      const { message, requestId } = reading.problem;
      return html`
        <div class="empty">
          <st-error heading=${w("unread")} text="${message}." id-to-copy=${requestId}>
            <st-button @click=${() => void reading.read()}>${w("tryAgain")}</st-button>
          </st-error>
        </div>
      `;
    }
    if (!reading.isKnown) return html`<st-skeleton></st-skeleton>`;
    if (all.length === 0) {
      return html`
        <div class="empty">
          <st-empty icon="clapperboard" heading=${w("empty")} text="${w("emptyText")}.">
            <st-action command="scenes.create" look="primary"></st-action>
          </st-empty>
        </div>
      `;
    }
    return html`
      <div class="all">
        <st-tree class=${reading.isStale ? "stale" : ""} label=${w("outline")} .nodes=${all.map(nodeOf)}
          .expanded=${this.#expanded(all)} .selected=${entity()?.id ?? ""}
          @st-select=${this.#select} @st-open=${this.#open} @st-expand=${this.#expand}></st-tree>
        <div class="foot">
          <st-action command="clips.create" look="quiet"></st-action>
          <st-action command="scenes.create" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  /** All are open but those that one has closed. */
  #expanded(all: readonly SceneLine[]): ReadonlySet<string> {
    const closed = new Set(this.panel?.state.get<readonly string[]>("closed", []) ?? []);
    return new Set(all.map(({ scene }) => scene.id as string).filter((id) => !closed.has(id)));
  }

  readonly #select = ({ ids: [id] }: SelectEvent) => {
    pickLine(id);
    if (id !== undefined) this.#show(id);
  };

  readonly #open = ({ itemId }: OpenEvent) => this.#show(itemId);

  #show(id: string): void {
    const kind = scenesOf(projectId() ?? "").find(id) ? "scene" as const : "clip" as const;
    if (entity()?.id !== id) go({ screen: "scenes", entity: { kind, id } });
  }

  readonly #expand = ({ itemId, isExpanded }: ExpandEvent) => {
    const closed = new Set(this.panel.state.get<readonly string[]>("closed", []));
    if (isExpanded) closed.delete(itemId);
    else closed.add(itemId);
    this.panel.state.set("closed", [...closed]);
  };

  #take(project: string): void {
    if (project === this.#project) return;
    this.#release();
    this.#project = project;
    if (project !== "") this.#closers.push(scenesOf(project).open(), charactersOf(project).open());
  }

  #release(): void {
    for (const close of this.#closers) close();
    this.#closers = [];
    this.#project = "";
  }
}

/** Project id → the clip that was open there last. */
const lastClips = keptSignal<Readonly<Record<string, string>>>("scenes_last", {});
const MOST_PROJECTS = 50;

/** Who comes to the clips finds one open: the one that was open last, else the first. */
function openLastClip(): void {
  const project = projectId();
  if (project === undefined) return;
  const open = entity();
  const last = lastClips.get()[project];
  if (open?.kind === "clip" && open.id !== last) {
    lastClips.set(withNewest(lastClips.get(), project, open.id, MOST_PROJECTS));
  }
  if (open || place().screen !== "scenes") return;
  const { all } = scenesOf(project);
  const clips = all.flatMap(({ clips }) => clips);
  const clip = clips.find(({ id }) => id === last) ?? clips[0];
  if (clip) go({ screen: "scenes", entity: { kind: "clip", id: clip.id } }, { replace: true });
}

function nodeOf({ scene, clips }: SceneLine): TreeNode {
  return {
    id: scene.id,
    label: scene.name,
    icon: "clapperboard",
    detail: clips.length === 0 ? "" : String(clips.length),
    children: clips.map(clipNode),
  };
}

function clipNode({ id, name, status, frames, rate }: Clip): TreeNode {
  const seconds = Math.round((10 * frames * rate.den) / rate.num) / 10;
  return {
    id,
    label: name,
    icon: "film",
    state: CLIP_MARKS[status],
    stateWord: clipWords(status),
    detail: `${seconds} s`,
  };
}
