import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { LONGEST_NAME } from "#server/core/name.ts";
import { ApiError } from "#client/core/call.ts";
import { tell, tellError } from "#client/core/notices.ts";
import { projectId, takeKeyboard } from "#client/core/place.ts";
import { giveStill } from "#client/seeds/seed_uploads.ts";
import type { Field } from "#client/ui/field.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/field.ts";
import { noteCharacter } from "./changes.ts";
import { askForCharacter, type CharacterAsk, openCharacter } from "./commands.ts";
import { charactersOf } from "./character_store.ts";
import { nameOfFile } from "./name_of_file.ts";
import { w } from "./words.ts";

/** Asks for a new character's name, or for another name of one that is there. */
@customElement("st-character-form")
export class CharacterForm extends SignalWatcher(LitElement) {
  static override styles = css`
    form {
      min-width: min(100%, var(--size-form));
    }
  `;

  @property({ attribute: false })
  accessor ask: CharacterAsk | undefined = undefined;
  @state()
  accessor name = "";
  @state()
  accessor fault = "";
  @state()
  accessor isBusy = false;

  protected override willUpdate(changed: PropertyValues<this>) {
    if (!changed.has("ask") || !this.ask) return;
    this.fault = "";
    this.name = this.ask.kind === "rename"
      ? this.ask.character.name
      : nameOfFile(this.ask.portrait?.name ?? "");
  }

  override render() {
    const isNew = this.ask?.kind === "create";
    return html`
      <st-dialog heading=${w(isNew ? "createCharacter" : "renameCharacter")} .open=${this.ask !== undefined}
        @st-close=${() => askForCharacter(undefined)}>
        <form @submit=${this.#submit}>
          <st-field autofocus label=${w("name")} required maxlength=${LONGEST_NAME} .value=${this.name}
            fault=${this.fault} @input=${this.#rename}></st-field>
        </form>
        <st-button slot="actions" variant="quiet" @click=${() => askForCharacter(undefined)}>${w(
          "cancel",
        )}</st-button>
        <st-button slot="actions" variant="primary" .busy=${this.isBusy} ?disabled=${this.name.trim() === ""}
          @click=${() => void this.#send()}>${w(isNew ? "create" : "save")}</st-button>
      </st-dialog>
    `;
  }

  readonly #rename = (event: Event) => {
    this.name = (event.target as Field).value;
    this.fault = "";
  };

  readonly #submit = (event: Event) => {
    event.preventDefault();
    void this.#send();
  };

  async #send(): Promise<void> {
    const { ask } = this;
    const project = projectId();
    const name = this.name.trim();
    if (!ask || project === undefined || this.isBusy || name === "") return;
    this.isBusy = true;
    try {
      const store = charactersOf(project);
      if (ask.kind === "create") {
        const { id } = await store.create(name);
        const [before, after] = [{ status: "trashed" }, { status: "active" }] as const;
        noteCharacter(w("created", { name }), { projectId: project, id, before, after });
        openCharacter(id);
        if (ask.portrait) {
          await giveStill(ask.portrait, { projectId: project, characterId: id, kind: "portrait" });
        }
      } else {
        const { id, name: before } = ask.character;
        await store.change(id, { name });
        const undo = noteCharacter(w("renamed", { name }), {
          projectId: project,
          id,
          before: { name: before },
          after: { name },
        });
        tell({ kind: "done", text: w("renamed", { name }), undo });
      }
      askForCharacter(undefined);
      takeKeyboard();
    } catch (error) {
      this.fault = error instanceof ApiError
        ? error.fields.find(({ field }) => field === "/body/name")?.message ??
          (error.code === "conflict" ? error.message : "")
        : "";
      if (this.fault === "") tellError(error);
    } finally {
      this.isBusy = false;
    }
  }
}
