import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { findCommand, isAllowed, runCommand } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import type { Panel } from "#client/core/panels.ts";
import { projectId } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { FilesEvent } from "#client/ui/drop_zone.ts";
import type { MenuEvent, PickEvent } from "#client/ui/list_events.ts";
import type { Menu, MenuItem } from "#client/ui/menu.ts";
import type { Character } from "#server/characters/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/drop_zone.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import "#client/ui/grid.ts";
import "#client/ui/menu.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/tile.ts";
import "./character_form.ts";
import { askForCharacter, characterAsk, openCharacter } from "./commands.ts";
import { charactersOf, type CharacterStore } from "./character_store.ts";
import { openCharacterId } from "./open_character.ts";
import { w as seedWords } from "#client/seeds/words.ts";
import { w } from "./words.ts";

/** With fewer than this there is nothing to find. */
const FIND_FROM = 8;
const MENU = ["characters.open", "characters.rename", "characters.trash"];

/** Everyone in the film: pick one to see the seeds; drop a portrait to add one. */
@customElement("st-characters-panel")
export class CharactersPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .page {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        padding: var(--space-2);
        gap: var(--space-2);
      }
      st-drop-zone {
        flex: 1;
        display: block;
        min-height: 0;
      }
      .list {
        height: 100%;
      }
      .stale {
        opacity: 0.6;
      }
      .end-bar {
        flex: none;
        display: grid;
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @state()
  accessor sought = "";
  #shown = "";
  #store: CharacterStore | undefined;
  #close: (() => void) | undefined;

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#follow("");
  }

  #follow(project: string): void {
    if (project === this.#shown) return;
    this.#close?.();
    this.#shown = project;
    this.#store = project === "" ? undefined : charactersOf(project);
    this.#close = this.#store?.open();
  }

  override render() {
    return html`<div class="page"><h1 class="unseen">${w("characters")}</h1>${this.#page()}</div>`;
  }

  #page() {
    this.#follow(projectId() ?? "");
    const store = this.#store;
    if (!store) {
      return html`
        <st-empty icon="folder" heading=${w("noProjectHeading")} text=${w("noProjectText")}>
          <st-action command="projects.show"></st-action>
        </st-empty>
      `;
    }
    return html`
      ${store.all.length >= FIND_FROM
        ? html`
          <st-field type="search" icon="search" label=${w("find")} label-unseen placeholder=${w("find")}
            .value=${this.sought} @input=${(event: Event) =>
              this.sought = (event.target as HTMLInputElement).value}></st-field>
        `
        : nothing}
      <st-drop-zone accept="image/*" label=${w("dropToCreate")} ?disabled=${!session.may("character.edit")}
        @st-files=${this.#dropped}>
        <div class="list ${store.reading.isStale ? "stale" : ""}">${this.#list(store)}</div>
      </st-drop-zone>
      ${store.all.length > 0
        ? html`
          <div class="end-bar">
            <st-action command="characters.create"></st-action>
          </div>
        `
        : nothing}
      <st-menu .items=${this.#menuItems()} label=${w("characters")} @st-pick=${(event: Event) =>
        void runCommand((event as PickEvent).itemId)}><span slot="trigger"></span></st-menu>
      <st-character-form .ask=${characterAsk()}></st-character-form>
    `;
  }

  #list(store: CharacterStore) {
    const { isKnown, problem } = store.reading;
    if (!isKnown && problem) {
      return html`
        <st-error heading=${w("readFailed")} text=${problem.message} id-to-copy=${problem.requestId}>
          <st-button @click=${() => void store.reading.read()}>${w("tryAgain")}</st-button>
        </st-error>
      `;
    }
    if (!isKnown) return html`<st-skeleton shape="picture" count="3"></st-skeleton>`;
    if (store.all.length === 0) {
      return html`
        <st-empty icon="users" heading=${w("noneHeading")}>
          <st-action command="characters.create"></st-action>
        </st-empty>
      `;
    }
    const sought = this.sought.toLocaleLowerCase();
    const shown = store.all.filter(({ name }) => name.toLocaleLowerCase().includes(sought));
    if (shown.length === 0) return html`<st-empty icon="search" heading=${w("nothingFound")}></st-empty>`;
    return html`
      <st-grid .items=${shown} .labelOf=${labelOf} .tile=${(one: Character) => tile(one)} single
        ratio=${4 / 3} caption="28" tile-size="160" label=${w("characters")}
        .selected=${new Set([openCharacterId() ?? ""])} .active=${openCharacterId()}
        @st-select=${this.#select} @st-menu-wanted=${this.#wantMenu}></st-grid>
    `;
  }

  #menuItems(): MenuItem[] {
    return MENU.flatMap((id) => {
      const command = findCommand(id);
      if (!command || !isAllowed(command) || !(command.when?.() ?? true)) return [];
      return [{ id, label: command.label(), ...(command.icon ? { icon: command.icon } : {}) }];
    });
  }

  readonly #select = (event: Event) => {
    const [id] = (event as Event & { readonly ids: readonly string[] }).ids;
    if (id !== undefined) openCharacter(id);
  };

  readonly #wantMenu = async (event: Event) => {
    const { itemId, x, y } = event as MenuEvent;
    openCharacter(itemId);
    await this.updateComplete;
    this.renderRoot.querySelector<Menu>("st-menu")?.openAt(x, y);
  };

  readonly #dropped = (event: Event) => {
    const [file] = (event as FilesEvent).files;
    if (!file) return;
    if (file.type.startsWith("image/")) askForCharacter({ kind: "create", portrait: file });
    else tell({ kind: "attention", text: seedWords("notPicture", { name: file.name }) });
  };
}

function labelOf(character: Character): string {
  return `${character.name}, ${factsOf(character)}`;
}

function factsOf({ portraitAssetId, heroAssetId }: Character): string {
  return w(portraitAssetId === null ? "noPortrait" : heroAssetId === null ? "noHero" : "hasHero");
}

function tile(character: Character) {
  const { name, portraitAssetId, heroAssetId } = character;
  const picture = portraitAssetId ?? heroAssetId;
  return html`
    <st-tile name=${name} icon="user" state=${portraitAssetId === null
      ? "attention"
      : heroAssetId === null
      ? "queued"
      : "good"} title=${factsOf(character)}
      src=${picture ? `/api/assets/${picture}/derivatives/thumbnail` : ""}></st-tile>
  `;
}
