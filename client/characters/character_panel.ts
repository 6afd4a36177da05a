import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import type { Panel } from "#client/core/panels.ts";
import { projectId } from "#client/core/place.ts";
import { projectStore } from "#client/projects/project_store.ts";
import { openPair } from "#client/seeds/open_pair.ts";
import { wantedFile } from "#client/seeds/pair_commands.ts";
import type { SeedSlot } from "#client/seeds/seed_slot.ts";
import { seedsOf, type SeedStore } from "#client/seeds/seed_store.ts";
import { seedWorkOf } from "#client/seeds/seed_work.ts";
import { w as seedWords } from "#client/seeds/words.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { SeedKind } from "#server/seeds/contract.ts";
import "#client/app/st_action.ts";
import "#client/seeds/pair_arrow.ts";
import "#client/seeds/seed_slot.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/skeleton.ts";
import { charactersOf } from "./character_store.ts";
import { noteOpen, openCharacterId } from "./open_character.ts";
import { w } from "./words.ts";

/** The open character: A on the left, B on the right, and the arrow between them. */
@customElement("st-character-panel")
export class CharacterPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .page {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
        padding: var(--space-3) var(--space-4);
        gap: var(--space-3);
      }
      .head {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-width: 0;
      }
      h2 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      .head .end {
        margin-inline-start: auto;
        display: flex;
        flex: none;
        gap: var(--space-2);
      }
      .pair {
        flex: 1;
        display: grid;
        grid-template-columns: minmax(0, 2fr) minmax(calc(3 * var(--space-12)), 1fr) minmax(0, 3fr);
        grid-template-rows: minmax(0, 1fr);
        gap: var(--space-4);
        min-height: 0;
      }
      .stale {
        opacity: 0.6;
      }
      @container panel (width < 48rem) {
        .pair {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: minmax(var(--size-tile), 1fr) auto minmax(var(--size-tile), 1fr);
        }
        .page {
          height: auto;
          min-height: 100%;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #key = "";
  #seeds: SeedStore | undefined;
  #closers: (() => void)[] = [];
  #lastWanted = wantedFile()?.times ?? 0;

  constructor() {
    super();
    this.addEventListener("paste", (event) => this.#paste(event));
    this.addEventListener("dragover", (event) => session.may("character.edit") && event.preventDefault());
    this.addEventListener("drop", (event) => this.#drop(event));
  }

  override connectedCallback() {
    super.connectedCallback();
    document.addEventListener("paste", this.#pasteAnywhere);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("paste", this.#pasteAnywhere);
    this.#follow("", "");
  }

  /** Follows the character that is open; the old one is let go. */
  #follow(project: string, character: string): void {
    const key = `${project}/${character}`;
    if (key === this.#key) return;
    for (const close of this.#closers) close();
    this.#closers = [];
    this.#key = key;
    this.#seeds = undefined;
    if (project === "") return;
    this.#closers.push(projectStore.open(), charactersOf(project).open(), seedWorkOf(project).open());
    if (character === "") return;
    this.#seeds = seedsOf(project, character);
    this.#closers.push(this.#seeds.open());
  }

  override render() {
    return html`<div class="page">${this.#page()}</div>`;
  }

  #page() {
    const project = projectId();
    const characters = project === undefined ? undefined : charactersOf(project);
    const id = openCharacterId();
    this.#follow(project ?? "", id ?? "");
    const seeds = this.#seeds;
    const character = id === undefined ? undefined : characters?.find(id);
    this.panel.rename(character?.name);
    if (project === undefined) return this.#noProject();
    if (!seeds || id === undefined || (!character && characters?.reading.isKnown)) return this.#nothing();
    const { isKnown, isStale, problem } = seeds.reading;
    if (!isKnown && problem) {
      return html`
        <st-error heading=${seedWords("readFailed")} text=${problem.message} id-to-copy=${problem.requestId}>
          <st-button @click=${() => void seeds.reading.read()}>${w("tryAgain")}</st-button>
        </st-error>
      `;
    }
    return html`
      <div class="head">
        <h2 class="cut" title=${character?.name ?? ""}>${character?.name ?? ""}</h2>
        ${character
          ? html`<st-action command="characters.rename" .target=${character} look="quiet" icon-only></st-action>`
          : nothing}
        <span class="end">
          <st-action command="seeds.show_variations" look="quiet"></st-action>
        </span>
      </div>
      ${isKnown
        ? this.#pair(project, id, isStale)
        : html`<st-skeleton shape="picture" count="2"></st-skeleton>`}
    `;
  }

  #pair(project: string, character: string, isStale: boolean) {
    const { a, b } = openPair();
    const all = this.#seeds?.all ?? [];
    return html`
      <div class="pair ${isStale ? "stale" : ""}">
        <st-seed-slot kind="portrait" .seed=${a} .others=${all} .projectId=${project}
          .characterId=${character}></st-seed-slot>
        <st-pair-arrow .a=${a} .b=${b}></st-pair-arrow>
        <st-seed-slot kind="foundation" .seed=${b} .others=${all} .projectId=${project}
          .characterId=${character}></st-seed-slot>
      </div>
    `;
  }

  #noProject() {
    return html`
      <st-empty icon="folder" heading=${w("noProjectHeading")} text=${w("noProjectText")}>
        <st-action command="projects.show"></st-action>
      </st-empty>
    `;
  }

  #nothing() {
    const characters = charactersOf(projectId() ?? "");
    if (!characters.reading.isKnown) return html`<st-skeleton shape="picture" count="2"></st-skeleton>`;
    if (characters.all.length > 0) {
      return html`<st-empty icon="user" heading=${w("chooseHeading")} text=${
        w(session.may("character.edit") ? "chooseText" : "chooseLook")
      }></st-empty>`;
    }
    const may = session.may("character.edit");
    return html`
      <st-empty icon="user" heading=${w("noneHeading")} text=${w(may ? "noneText" : "noneForYou")}>
        <st-action command="characters.create" look="primary"></st-action>
      </st-empty>
    `;
  }

  protected override updated() {
    const open = openCharacterId();
    const project = projectId();
    const first = project === undefined ? undefined : charactersOf(project).all[0];
    if (project !== undefined && (open ?? first?.id) !== undefined) {
      noteOpen(project, open ?? first?.id ?? "");
    }
    const wanted = wantedFile();
    // The key may come before the two places are there.
    const slot = wanted && wanted.times !== this.#lastWanted ? this.#slot(wanted.kind) : null;
    if (wanted && slot) {
      this.#lastWanted = wanted.times;
      void slot.updateComplete.then(() => slot.choose());
    }
  }

  #slot(kind: SeedKind): SeedSlot | null {
    return this.renderRoot.querySelector<SeedSlot>(`st-seed-slot[kind=${kind}]`);
  }

  /** What is dropped beside the two places is for the one that is empty, a portrait first. */
  #giveAnywhere(file: File | undefined): void {
    const { a, b } = openPair();
    if (file) this.#slot(!a || b ? "portrait" : "foundation")?.take(file);
  }

  #drop(event: DragEvent): void {
    const [file, ...more] = event.dataTransfer?.files ?? [];
    // Several, or none that may be given: the studio asks, or says why not.
    if (event.defaultPrevented || !file || more.length > 0 || !session.may("character.edit")) return;
    event.preventDefault();
    this.#giveAnywhere(file);
  }

  #paste(event: ClipboardEvent): void {
    const [file, ...more] = event.clipboardData?.files ?? [];
    if (event.defaultPrevented || !file || more.length > 0 || !session.may("character.edit")) return;
    event.preventDefault();
    this.#giveAnywhere(file);
  }

  /** A paste with the focus nowhere in particular is meant for what shows. */
  readonly #pasteAnywhere = (event: ClipboardEvent) => {
    const isNowhere = event.target === document.body || event.target instanceof HTMLElement &&
        event.target.localName === "st-app";
    if (isNowhere && this.isConnected && this.checkVisibility()) this.#paste(event);
  };
}
