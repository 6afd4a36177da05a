import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { call } from "#client/core/call.ts";
import { tell, tellError } from "#client/core/notices.ts";
import { session } from "#client/auth/session_store.ts";
import { projectStore } from "#client/projects/project_store.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { DropZone, FilesEvent } from "#client/ui/drop_zone.ts";
import "#client/app/st_action.ts";
import "#client/ui/badge.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/drop_zone.ts";
import "#client/ui/error_state.ts";
import "#client/ui/progress.ts";
import { getSeedUses, type Seed, type SeedKind, type SeedUses } from "#server/seeds/contract.ts";
import { showSeed } from "./open_pair.ts";
import { ago, provenanceOf, stateOf } from "./seed_facts.ts";
import "./seed_picture.ts";
import { dropSeedUpload, giveStill, seedUploads } from "./seed_uploads.ts";
import { seedWorkOf } from "./seed_work.ts";
import { w } from "./words.ts";

const ACCEPT = "image/png,image/jpeg,image/webp,image/avif,image/tiff";
/** More would be a second contact sheet. */
const OTHERS_SHOWN = 12;

/** One half of the pair: the picture, where it comes from, the others of its kind, and the place for a new one. */
@customElement("st-seed-slot")
export class SeedSlot extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr) auto;
        gap: var(--space-2);
        min-width: 0;
        min-height: 0;
      }
      .head {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: var(--size-control);
      }
      .letter {
        font-weight: var(--font-weight-strong);
      }
      .kind {
        color: var(--color-text-quiet);
      }
      .end {
        margin-inline-start: auto;
        display: flex;
        gap: var(--space-1);
      }
      st-drop-zone {
        position: relative;
        display: block;
        min-height: 0;
        border-radius: var(--radius-control);
        overflow: hidden;
      }
      .empty {
        display: grid;
        place-content: center;
        justify-items: center;
        gap: var(--space-3);
        height: 100%;
        padding: var(--space-4);
        border: var(--size-hairline) dashed var(--color-field-line);
        border-radius: inherit;
        text-align: center;
      }
      .empty p,
      .facts p {
        margin: 0;
      }
      .empty .hint {
        max-width: 32ch;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .facts {
        display: grid;
        gap: var(--space-1);
        min-height: calc(var(--space-12) + var(--space-4));
        align-content: start;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .stale {
        color: var(--color-text);
      }
      .sending {
        position: absolute;
        inset: 0;
      }
      .sending img {
        width: 100%;
        height: 100%;
        object-fit: contain;
        opacity: 0.5;
      }
      .sending .line {
        position: absolute;
        inset: auto 0 0 0;
      }
      .sending .words {
        position: absolute;
        inset: auto var(--space-2) var(--space-2) var(--space-2);
        display: flex;
        justify-content: space-between;
        gap: var(--space-2);
        align-items: center;
      }
      .others {
        display: flex;
        gap: var(--space-1);
        overflow-x: auto;
        scrollbar-width: none;
      }
      .others st-button {
        flex: none;
      }
      .others st-button::part(button) {
        min-height: 0;
        padding: var(--size-hairline);
      }
      .thumb {
        display: block;
        width: var(--space-12);
        height: var(--space-8);
        border-radius: var(--radius-control);
        overflow: hidden;
      }
      .uses {
        display: grid;
        gap: var(--space-2);
        max-width: var(--size-form);
      }
      .uses p,
      .uses ul {
        margin: 0;
      }
    `,
  ];

  @property()
  accessor kind: SeedKind = "portrait";
  @property({ attribute: false })
  accessor seed: Seed | undefined = undefined;
  @property({ attribute: false })
  accessor others: readonly Seed[] = [];
  @property({ attribute: false })
  accessor projectId = "";
  @property({ attribute: false })
  accessor characterId = "";
  /** What was dropped on a place that is taken, until one says what for. */
  @state()
  accessor undecided: { readonly file: File; readonly uses: SeedUses | undefined } | undefined = undefined;
  /** Of which seed the strip was moved. */
  #inSight: string | undefined;
  @query("st-drop-zone")
  accessor zone!: DropZone;

  override render() {
    const { seed, kind } = this;
    const [sent] = seedUploads(this.characterId, kind);
    const may = session.may("character.edit");
    return html`
      <div class="head">
        <span class="letter">${kind === "portrait" ? "A" : "B"}</span>
        <span class="kind">${w(kind)}</span>
        ${seed ? this.#state(seed) : nothing}
        <span class="end">${seed
          ? html`<st-action command=${`seeds.give_${kind}`} look="quiet" icon-only></st-action>`
          : nothing}</span>
      </div>
      <st-drop-zone accept=${ACCEPT} label=${w(kind === "portrait" ? "dropPortrait" : "dropFoundation")}
        ?disabled=${!may} @st-files=${this.#given}>
        ${seed
          ? html`
            <st-seed-picture .seed=${seed} size="large" fit="contain" shape=${this
              .#shape()}></st-seed-picture>
          `
          : sent
          ? nothing
          : this.#empty()}
        ${sent ? this.#sending(sent) : nothing}
      </st-drop-zone>
      <div class="facts">${seed ? this.#facts(seed) : nothing}${this.#others()}</div>
      ${this.#decision()}
    `;
  }

  protected override updated() {
    // What is measured has its size once it is laid out.
    if (this.seed?.id !== this.#inSight) requestAnimationFrame(() => this.#showChosen());
  }

  /** Of many others the shown one is in sight; only their strip moves. */
  #showChosen(): void {
    const strip = this.renderRoot.querySelector(".others");
    const chosen = strip?.querySelector(`[data-id="${this.seed?.id}"]`);
    // Once: where one scrolls to afterwards is one's own.
    if (!strip || !chosen || this.seed?.id === this.#inSight) return;
    this.#inSight = this.seed?.id;
    const [room, one] = [strip.getBoundingClientRect(), chosen.getBoundingClientRect()];
    if (one.right > room.right) strip.scrollLeft += one.right - room.right;
    if (one.left < room.left) strip.scrollLeft -= room.left - one.left;
  }

  /** Opens the system's file picker; call it from a click or a key. */
  choose(): void {
    this.zone.choose();
  }

  /** Takes a picture that was dropped or pasted elsewhere in the panel. */
  take(file: File): void {
    void this.#take(file);
  }

  /** Foundations are made in the project's frame; of portraits nobody knows before. */
  #shape(): number {
    const project = this.kind === "foundation" ? projectStore.find(this.projectId) : undefined;
    return project ? project.widthPx / project.heightPx : 1;
  }

  #state(seed: Seed) {
    const [mark, word] = stateOf(seed, seedWorkOf(seed.projectId).of(seed.id));
    return html`<st-badge state=${mark}>${word}</st-badge>${
      seed.staleAt ? html`<st-badge>${w("stale")}</st-badge>` : nothing
    }`;
  }

  #empty() {
    const isA = this.kind === "portrait";
    if (!session.may("character.edit")) {
      return html`
        <div class="empty">
          <p>${w(isA ? "noPortraitYet" : "noFoundationYet")}</p>
        </div>
      `;
    }
    return html`
      <div class="empty">
        <p>${w(isA ? "dropPortrait" : "dropFoundation")}</p>
        <p class="hint">${w(isA ? "choosePortraitText" : "chooseFoundationText")}</p>
        <st-action command=${`seeds.give_${this.kind}`} look=${isA ? "primary" : "plain"}></st-action>
      </div>
    `;
  }

  #sending({ upload, localUrl }: ReturnType<typeof seedUploads>[number]) {
    const name = upload.path;
    if (upload.stage === "failed") {
      return html`
        <div class="sending">
          <st-error heading=${w("uploadFailed", { name })} text=${upload.problem?.message ?? ""}
            id-to-copy=${upload.problem?.requestId ?? ""}>
            <st-button @click=${() => void dropSeedUpload(upload.id)}>${w("putAway")}</st-button>
          </st-error>
        </div>
      `;
    }
    const ratio = upload.sizeBytes > 0 ? upload.sentBytes / upload.sizeBytes : 1;
    const word = upload.stage === "lost" ? w("uploadWaits") : w("uploading", { name });
    return html`
      <div class="sending">
        <img src=${localUrl} alt="">
        <div class="words">
          <st-badge over state=${upload.stage === "lost" ? "attention" : "running"}>${word}</st-badge>
          <st-action command="seeds.drop_upload" .target=${upload.id} icon-only></st-action>
        </div>
        <st-progress class="line" label=${word} .ratio=${ratio}></st-progress>
      </div>
    `;
  }

  #facts(seed: Seed) {
    const source = this.others.find(({ id }) => id === seed.derivedFromSeedId);
    const line = provenanceOf(seed, source);
    return html`
      <p class="cut" title=${line}>${line}</p>
      ${seed.staleAt ? html`<p class="stale">${w("staleText", { ago: ago(seed.staleAt) })}</p>` : nothing}
      ${seed.failure ? html`<p class="stale">${seed.failure}</p>` : nothing}
    `;
  }

  #others() {
    const others = this.others.filter(({ kind, status }) =>
      kind === this.kind && status !== "cancelled" && status !== "failed"
    );
    if (others.length < 2) return nothing;
    const newest = [...others].reverse().slice(0, OTHERS_SHOWN);
    return html`
      <div class="others" role="group" aria-label=${w("alternatives")}>
        ${repeat(newest, ({ id }) => id, (seed, index) =>
          html`
            <st-button variant="quiet" data-id=${seed.id} .pressed=${seed.id === this.seed?.id} tip=${w(
              "showThis",
            )}
              @click=${() =>
                showSeed(
                  seed,
                )}><span class="thumb"><st-seed-picture bare .seed=${seed}></st-seed-picture></span><span class="unseen">${w(
                  "tile",
                  { name: w(this.kind), index: newest.length - index },
                )}, ${stateOf(seed, undefined)[1]}</span></st-button>
          `)}
      </div>
    `;
  }

  #decision() {
    const { undecided } = this;
    return html`
      <st-dialog heading=${w("replaceHeading")} .open=${undecided !== undefined}
        @st-close=${() => this.undecided = undefined}>
        <div class="uses">${undecided ? usesList(undecided.uses) : nothing}</div>
        <st-button slot="actions" variant="quiet" @click=${() => this.undecided = undefined}>${w(
          "cancel",
        )}</st-button>
        <st-button slot="actions" @click=${() => void this.#give(undecided?.file, false)}>${w(
          "besideAction",
        )}</st-button>
        <st-button slot="actions" variant="primary" @click=${() =>
          void this.#give(undecided?.file, true)}>${w(
            "replaceAction",
          )}</st-button>
      </st-dialog>
    `;
  }

  readonly #given = (event: Event) => {
    const [file] = (event as FilesEvent).files;
    event.stopPropagation();
    if (file) void this.#take(file);
  };

  async #take(file: File): Promise<void> {
    if (file.type !== "" && !file.type.startsWith("image/")) {
      tell({ kind: "attention", text: w("notPicture", { name: file.name }) });
      return;
    }
    const { seed } = this;
    if (!seed || seed.status === "failed" || seed.status === "cancelled" || seed.status === "making") {
      return await this.#give(file, false);
    }
    this.undecided = { file, uses: undefined };
    try {
      const uses = await call(getSeedUses, { params: { seedId: seed.id } });
      if (this.undecided?.file === file) this.undecided = { file, uses };
    } catch (error) {
      tellError(error);
    }
  }

  async #give(file: File | undefined, replaces: boolean): Promise<void> {
    const { projectId, characterId, kind, seed } = this;
    this.undecided = undefined;
    if (!file) return;
    try {
      await giveStill(file, {
        projectId,
        characterId,
        kind,
        ...(replaces && seed ? { replacesSeedId: seed.id } : {}),
      });
    } catch (error) {
      tellError(error, w("uploadFailed", { name: file.name }));
    }
  }
}

function usesList(uses: SeedUses | undefined) {
  if (!uses) return html`<p>…</p>`;
  const isUsed = uses.seeds + uses.takes + uses.clips.length > 0;
  if (!isUsed) return html`<p>${w("replaceNothing")}</p>`;
  const names = uses.clips.slice(0, 5).map(({ name }) => name).join(", ");
  return html`
    <p>${w("replaceUses")}</p>
    <ul>
      ${uses.seeds > 0 ? html`<li>${w("usesSeeds", { n: uses.seeds })}</li>` : nothing}
      ${uses.clips.length > 0 ? html`<li>${w("usesClips", { n: uses.clips.length, names })}</li>` : nothing}
      ${uses.takes > 0 ? html`<li>${w("usesTakes", { n: uses.takes })}</li>` : nothing}
    </ul>
  `;
}
