import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { noteCharacter } from "#client/characters/changes.ts";
import { charactersOf } from "#client/characters/character_store.ts";
import { askForCharacter } from "#client/characters/commands.ts";
import { nameOfFile } from "#client/characters/name_of_file.ts";
import { openCharacterId } from "#client/characters/open_character.ts";
import { tell, tellError } from "#client/core/notices.ts";
import { go, projectId } from "#client/core/place.ts";
import type { SeedKind } from "#server/seeds/contract.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import { giveStill } from "./seed_uploads.ts";
import { w } from "./words.ts";

/** So many pictures show before they are only counted. */
const SHOWN = 12;

/** Asks what pictures are that were dropped or pasted where nothing says it: portraits, foundations, and of whom. */
@customElement("st-given-stills")
export class GivenStills extends SignalWatcher(LitElement) {
  static override styles = css`
    .pictures {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-1);
      margin: 0;
      padding: 0 0 var(--space-4);
      list-style: none;
    }
    img {
      display: block;
      width: calc(1.5 * var(--space-12));
      height: calc(1.5 * var(--space-12));
      object-fit: cover;
      border-radius: var(--radius-control);
    }
    .rest {
      align-self: center;
      color: var(--color-text-quiet);
    }
  `;

  @state()
  accessor files: readonly { readonly file: File; readonly url: string }[] = [];

  #close: (() => void) | undefined;

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#put([]);
  }

  /** Asks about these files; tells of those that are no pictures, and why nothing can be done with any. */
  offer(files: readonly File[]): void {
    const pictures = files.filter(({ type }) => type.startsWith("image/"));
    const others = files.filter((file) => !pictures.includes(file));
    const [first] = others;
    if (first) {
      const name = first.name || first.type;
      const text = others.length === 1 ? w("notPicture", { name }) : w("notPictures", { n: others.length });
      tell({ kind: "attention", text });
    }
    if (pictures.length === 0) return;
    if (!session.may("character.edit")) return void tell({ kind: "attention", text: w("mayNotGive") });
    if (projectId() === undefined) return void tell({ kind: "attention", text: w("giveNeedsProject") });
    this.#put([...this.files.map(({ file }) => file), ...pictures]);
  }

  override render() {
    const { files } = this;
    const n = files.length;
    const id = openCharacterId() ?? "";
    const of = charactersOf(projectId() ?? "").find(id)?.name;
    return html`
      <st-dialog heading=${w("whatAreThese", { n })} .open=${n > 0} @st-close=${() => this.#put([])}>
        <ul class="pictures">
          ${files.slice(0, SHOWN).map(({ file, url }) =>
            html`<li><img src=${url} alt=${file.name} title=${file.name}></li>`
          )}
          ${n > SHOWN ? html`<li class="rest">+${n - SHOWN}</li>` : nothing}
        </ul>
        <st-button slot="actions" variant="quiet" @click=${() => this.#put([])}>${w("cancel")}</st-button>
        <st-button slot="actions" ?autofocus=${of === undefined} @click=${() => this.#make()}>${w(
          "asCharacters",
          { n },
        )}</st-button>
        ${of === undefined ? nothing : html`
          <st-button slot="actions" @click=${() => this.#give("foundation", id, of)}>${w("asFoundations", {
            n,
            of,
          })}</st-button>
          <st-button slot="actions" variant="primary" autofocus @click=${() =>
            this.#give("portrait", id, of)}>${w("asPortraits", { n, of })}</st-button>
        `}
      </st-dialog>
    `;
  }

  #put(files: readonly File[]): void {
    // Whose they may be is known while one is asked.
    if (files.length > 0) this.#close ??= charactersOf(projectId() ?? "").open();
    else {
      this.#close?.();
      this.#close = undefined;
    }
    for (const { url } of this.files) URL.revokeObjectURL(url);
    this.files = files.map((file) => ({ file, url: URL.createObjectURL(file) }));
  }

  #take(): readonly File[] {
    const files = this.files.map(({ file }) => file);
    this.#put([]);
    return files;
  }

  #give(kind: SeedKind, characterId: string, of: string): void {
    const files = this.#take();
    const text = w(kind === "portrait" ? "portraitsGiven" : "foundationsGiven", { n: files.length, of });
    tell({ kind: "info", text });
    for (const file of files) void send(file, characterId, kind);
  }

  #make(): void {
    const files = this.#take();
    const [only] = files;
    if (files.length > 1) return void makeCharacters(files);
    // One has a name to be thought of.
    go({ screen: "characters" });
    askForCharacter({ kind: "create", portrait: only });
  }
}

async function send(file: File, characterId: string, kind: SeedKind): Promise<void> {
  try {
    await giveStill(file, { projectId: projectId() ?? "", characterId, kind });
  } catch (error) {
    tellError(error, w("uploadFailed", { name: file.name }));
  }
}

/** A character of each picture, called as its file. */
async function makeCharacters(files: readonly File[]): Promise<void> {
  const project = projectId() ?? "";
  go({ screen: "characters" });
  for (const file of files) {
    try {
      const name = nameOfFile(file.name) || w("portrait");
      const { id } = await charactersOf(project).create(name);
      const [before, after] = [{ status: "trashed" }, { status: "active" }] as const;
      noteCharacter(w("madeOf", { name }), { projectId: project, id, before, after });
      await giveStill(file, { projectId: project, characterId: id, kind: "portrait" });
    } catch (error) {
      tellError(error, w("giveFailed", { name: file.name }));
    }
  }
}
