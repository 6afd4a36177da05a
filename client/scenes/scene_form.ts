import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { charactersOf } from "#client/characters/character_store.ts";
import { ApiError, call } from "#client/core/call.ts";
import { tell, tellError } from "#client/core/notices.ts";
import { go, projectId, takeKeyboard } from "#client/core/place.ts";
import type { Field } from "#client/ui/field.ts";
import type { Select } from "#client/ui/select.ts";
import { framesInDuration, type Rate } from "#server/core/media_time.ts";
import { getProject, type Project } from "#server/projects/contract.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/field.ts";
import "#client/ui/select.ts";
import { noteClipMade, noteClipName, noteScene } from "./changes.ts";
import { askForScene, type SceneAsk } from "./commands.ts";
import { scenesOf } from "./scene_store.ts";
import { w } from "./words.ts";

const SECONDS_AT_FIRST = 6;

/** Asks for a new scene or clip, or for another name. */
@customElement("st-scene-form")
export class SceneForm extends SignalWatcher(LitElement) {
  static override styles = css`
    form {
      display: grid;
      gap: var(--space-3);
      min-width: min(100%, var(--size-form));
    }
  `;

  @property({ attribute: false })
  accessor ask: SceneAsk | undefined = undefined;
  /** Undefined until somebody types or chooses: what is suggested may come later than the form. */
  @state()
  accessor typedName: string | undefined = undefined;
  @state()
  accessor chosenId: string | undefined = undefined;
  @state()
  accessor seconds = String(SECONDS_AT_FIRST);
  @state()
  accessor rate: Rate = { num: 24, den: 1 };
  @state()
  accessor fault = "";
  @state()
  accessor isBusy = false;

  protected override willUpdate(changed: PropertyValues<this>) {
    const { ask } = this;
    if (!changed.has("ask") || !ask) return;
    this.fault = "";
    this.typedName = undefined;
    this.chosenId = undefined;
    if (ask.kind === "clip") void this.#readRate();
  }

  override render() {
    const { ask } = this;
    const heading = ask?.kind === "rename"
      ? w("rename")
      : w(ask?.kind === "clip" ? "createClip" : "createScene");
    return html`
      <st-dialog heading=${heading} .open=${ask !== undefined} @st-close=${() => askForScene(undefined)}>
        <form @submit=${this.#submit} @keydown=${this.#enter}>
          <st-field autofocus label=${w("name")} required maxlength="120" .value=${this.#name} fault=${this
            .fault}
            @input=${(event: Event) => this.typedName = (event.target as Field).value}></st-field>
          ${ask?.kind === "clip" ? this.#clipFields() : nothing}
        </form>
        <st-button slot="actions" variant="quiet" @click=${() => askForScene(undefined)}>${w(
          "cancel",
        )}</st-button>
        <st-button slot="actions" variant="primary" .busy=${this.isBusy} ?disabled=${!this.#isWhole}
          @click=${() => void this.#send()}>${w(ask?.kind === "rename" ? "save" : "create")}</st-button>
      </st-dialog>
    `;
  }

  #clipFields() {
    const characters = charactersOf(projectId() ?? "").all;
    const options = characters.map(({ id, name }) => ({ value: id, label: name }));
    return html`
      <st-select label=${w("character")} .options=${options} .value=${this.#characterId}
        fault=${characters.length === 0 ? `${w("needsCharacter")}.` : ""}
        @change=${(event: Event) => this.chosenId = (event.target as Select).value}></st-select>
      <st-field label=${w("length")} type="number" unit=${w("seconds")} min="0.1" step="0.1" .value=${this
        .seconds}
        hint=${w("lengthHint", { frames: this.#frames })}
        @input=${(event: Event) => this.seconds = (event.target as Field).value}></st-field>
    `;
  }

  get #name(): string {
    return this.typedName ?? this.#suggestedName;
  }

  get #suggestedName(): string {
    const { ask } = this;
    const store = scenesOf(projectId() ?? "");
    switch (ask?.kind) {
      case "rename":
        return ask.thing.name;
      case "scene":
        return w("sceneName", { number: nextNumber(store.all.map(({ scene }) => scene.name)) });
      case "clip": {
        const clips = store.find(ask.scene.id)?.clips ?? [];
        return w("clipName", { number: nextNumber(clips.map(({ name }) => name)) });
      }
      default:
        return "";
    }
  }

  get #characterId(): string {
    const { ask } = this;
    if (this.chosenId !== undefined || ask?.kind !== "clip") return this.chosenId ?? "";
    const project = projectId() ?? "";
    return ask.characterId ?? scenesOf(project).find(ask.scene.id)?.clips.at(-1)?.characterId ??
      charactersOf(project).all[0]?.id ?? "";
  }

  get #frames(): number {
    const seconds = Number(this.seconds);
    return seconds > 0 ? framesInDuration(seconds * 1e6, this.rate) : 0;
  }

  get #isWhole(): boolean {
    const isClip = this.ask?.kind === "clip";
    return this.#name.trim() !== "" && (!isClip || this.#characterId !== "" && this.#frames > 0);
  }

  async #readRate(): Promise<void> {
    const project = projectId();
    if (project === undefined) return;
    const found = await call(getProject, { params: { projectId: project as Project["id"] } }).catch(() =>
      undefined
    );
    if (found) this.rate = found.rate;
  }

  readonly #submit = (event: Event) => {
    event.preventDefault();
    void this.#send();
  };

  // A field of its own shadow does not submit the form by Enter.
  readonly #enter = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    void this.#send();
  };

  async #send(): Promise<void> {
    const { ask } = this;
    const project = projectId();
    if (!ask || project === undefined || this.isBusy || !this.#isWhole) return;
    this.isBusy = true;
    try {
      await this.#do(ask, project, this.#name.trim());
      askForScene(undefined);
      if (ask.kind === "clip") takeKeyboard();
    } catch (error) {
      const field = error instanceof ApiError
        ? error.fields.find(({ field }) => field === "/body/name")
        : undefined;
      this.fault = field?.message ?? "";
      if (!field) tellError(error);
    } finally {
      this.isBusy = false;
    }
  }

  async #do(ask: SceneAsk, project: string, name: string): Promise<void> {
    const store = scenesOf(project);
    if (ask.kind === "scene") {
      const { id } = await store.createScene(name);
      const [before, after] = [{ status: "trashed" }, { status: "active" }] as const;
      noteScene(w("created", { name }), { projectId: project, id, before, after });
      go({ screen: "scenes", entity: { kind: "scene", id } });
    } else if (ask.kind === "clip") {
      const character = charactersOf(project).find(this.#characterId);
      if (!character) return;
      const { id } = await store.createClip(ask.scene.id, {
        name,
        characterId: character.id,
        frames: this.#frames,
      });
      const [before, after] = [{ trash: true }, { trash: false }];
      noteClipMade(w("created", { name }), { projectId: project, id, before, after });
      go({ screen: "scenes", entity: { kind: "clip", id } });
    } else {
      const { thing } = ask;
      if ("sceneId" in thing) await store.renameClip(thing, name);
      else await store.changeScene(thing.id, { name });
      const note = "sceneId" in thing ? noteClipName : noteScene;
      const text = w("renamed", { name });
      const change = { projectId: project, id: thing.id, before: { name: thing.name }, after: { name } };
      tell({ kind: "done", text, undo: note(text, change) });
    }
  }
}

/** "030" after names with 010 and 020: tens leave room between. */
function nextNumber(names: readonly string[]): string {
  const last = names.reduce((most, name) => Math.max(most, Number(/(\d+)\s*$/.exec(name)?.[1] ?? 0)), 0);
  return String(Math.floor(last / 10) * 10 + 10).padStart(3, "0");
}
