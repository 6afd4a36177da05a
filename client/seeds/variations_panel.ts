import { SignalWatcher } from "@lit-labs/signals";
import { html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { charactersOf } from "#client/characters/character_store.ts";
import { noteOpen, noteOwner, openCharacterId } from "#client/characters/open_character.ts";
import { formatDuration } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import { entity, go, projectId, select, selection } from "#client/core/place.ts";
import { projectStore } from "#client/projects/project_store.ts";
import type { Store } from "#client/core/store.ts";
import { locale } from "#client/core/words.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Grid } from "#client/ui/grid.ts";
import type { Select } from "#client/ui/select.ts";
import type { Slider } from "#client/ui/slider.ts";
import type { Seed, VariationSummary } from "#server/seeds/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/badge.ts";
import "#client/ui/button.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/grid.ts";
import "#client/ui/progress.ts";
import "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/slider.ts";
import {
  arrange,
  hintsOf,
  SEED_FILTERS,
  SEED_ORDERS,
  type SeedFilter,
  type SeedHints,
  type SeedOrder,
} from "./hints.ts";
import { isReady, openPair } from "./open_pair.ts";
import "./seed_compare.ts";
import { stateOf } from "./seed_facts.ts";
import { batchesOf, seedsOf, type SeedStore } from "./seed_store.ts";
import { describeSeed } from "./seed_tile.ts";
import { seedWorkOf } from "./seed_work.ts";
import { compare, compared, setSheetIds } from "./sheet_state.ts";
import { sheetStyles } from "./sheet_styles.ts";
import { w } from "./words.ts";

const TILE_SIZE = 220;

/** The contact sheet: all foundations of a character, or of one batch, to be culled by keys. */
@customElement("st-variations-panel")
export class VariationsPanel extends SignalWatcher(LitElement) {
  static override styles = [controlStyles, sheetStyles];

  @property({ attribute: false })
  accessor panel!: Panel;
  #key = "";
  #seeds: SeedStore | undefined;
  #batches: Store<VariationSummary> | undefined;
  #closers: (() => void)[] = [];
  #hintsFor: readonly Seed[] = [];
  #hints: ReadonlyMap<string, SeedHints> = new Map();
  #lastSelected: string | undefined;

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#follow("", "");
    compare([]);
  }

  #follow(project: string, character: string): void {
    const key = `${project}/${character}`;
    if (key === this.#key) return;
    for (const close of this.#closers) close();
    this.#closers = [];
    // Until the first character is known it is the one of whom pictures were compared when one left.
    if (this.#seeds) compare([]);
    this.#key = key;
    this.#seeds = undefined;
    this.#batches = undefined;
    if (project === "") return;
    this.#closers.push(projectStore.open(), charactersOf(project).open(), seedWorkOf(project).open());
    if (character === "") return;
    this.#seeds = seedsOf(project, character);
    this.#batches = batchesOf(project, character);
    this.#closers.push(this.#seeds.open(), this.#batches.open());
  }

  override render() {
    return html`<div class="page"><h1 class="unseen">${w("variations")}</h1>${this.#page()}</div>`;
  }

  #page() {
    const project = projectId();
    const characters = project === undefined ? undefined : charactersOf(project);
    const id = openCharacterId();
    this.#follow(project ?? "", id ?? "");
    const seeds = this.#seeds;
    if (!seeds || id === undefined || project === undefined) return this.#nobody(project);
    this.panel.rename(characters?.find(id) ? `${w("variations")} · ${characters.find(id)?.name}` : undefined);
    const { isKnown, problem } = seeds.reading;
    if (!isKnown && problem) return this.#unread(seeds.reading);
    if (!isKnown) return html`<st-skeleton shape="picture" count="6"></st-skeleton>`;
    const foundations = seeds.all.filter(({ kind }) => kind === "foundation");
    if (foundations.length === 0) return this.#none();
    return this.#sheet(foundations);
  }

  #sheet(foundations: readonly Seed[]) {
    const batchId = entity("batch")?.id;
    const batch = batchId === undefined ? undefined : this.#batches?.find(batchId);
    const all = batchId === undefined ? foundations : foundations.filter((seed) => seed.batchId === batchId);
    const filter = this.panel.state.get<SeedFilter>("filter", "all");
    const order = this.panel.state.get<SeedOrder>("order", "made");
    const hints = this.#hintsOf(all);
    const shown = arrange(all, { filter, order }, hints);
    const beside = compared().flatMap((id) => this.#seeds?.find(id) ?? []);
    setSheetIds(shown.map(({ id }) => id));
    return html`
      ${this.#tools(foundations.length, filter, order)}
      ${batch ? this.#progress(batch) : nothing}
      <div class="sheet ${this.#seeds?.reading.isStale ? "stale" : ""}" @keydown=${this.#back}>
        ${beside.length > 0
          ? html`<st-seed-compare .seeds=${beside} .hints=${hints}></st-seed-compare>`
          : shown.length === 0
          ? html`
            <st-empty icon="filter" heading=${w("nothingPasses")}>
              <st-button @click=${() => this.panel.state.set("filter", "all")}>${w("showAll")}</st-button>
            </st-empty>
          `
          : this.#grid(shown, hints)}
      </div>
      ${this.#foot(all, hints)}
    `;
  }

  #grid(shown: readonly Seed[], hints: ReadonlyMap<string, SeedHints>) {
    const ids = selection("seed")?.ids ?? [];
    const size = this.panel.state.get("tileSize", TILE_SIZE);
    const indexes = new Map(shown.map(({ id }, index) => [id, index + 1]));
    const labelOf = (seed: Seed) =>
      describeSeed(
        seed,
        hints,
        `${w("tile", { name: w("foundation"), index: indexes.get(seed.id) ?? 0 })}, ${this.#wordOf(seed)}`,
      );
    const tile = (seed: Seed) => html`<st-seed-tile .seed=${seed} .hints=${hints}></st-seed-tile>`;
    return html`
      <st-grid .items=${shown} .tile=${tile} .labelOf=${labelOf} tile-size=${size} ratio=${this.#ratio()}
        label=${w("variations")} .selected=${new Set(ids)}
        @st-select=${this.#select} @st-open=${this.#open}></st-grid>
    `;
  }

  #tools(count: number, filter: SeedFilter, order: SeedOrder) {
    const batchId = entity("batch")?.id ?? "";
    const batches = this.#batches?.items ?? [];
    const time = new Intl.DateTimeFormat(locale(), {
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    const options = [
      { value: "", label: w("allFoundations", { n: count }) },
      ...batches.map((batch) => ({
        value: batch.id,
        label: w("batchName", {
          time: time.format(new Date(batch.createdAt)),
          n: batch.askedCount,
        }),
      })),
    ];
    return html`
      <div class="tools">
        <st-select class="batches" quiet label=${w("batchPicker")} label-unseen .options=${options}
          .value=${batchId} @change=${this.#pickBatch}></st-select>
        <st-select quiet label=${w("filter")} label-unseen .value=${filter}
          .options=${SEED_FILTERS.map((value) => ({ value, label: w(`filter${value}`) }))}
          @change=${(event: Event) => this.panel.state.set("filter", valueOf(event))}></st-select>
        <st-select quiet label=${w("order")} label-unseen .value=${order}
          .options=${SEED_ORDERS.map((value) => ({ value, label: `${w("order")}: ${w(`order${value}`)}` }))}
          @change=${(event: Event) => this.panel.state.set("order", valueOf(event))}></st-select>
        <input class="size" type="range" min="120" max="640" step="20" aria-label=${w("tileSize")}
          title=${w("tileSize")} .value=${String(this.panel.state.get("tileSize", TILE_SIZE))}
          @input=${this.#resize}>
      </div>
    `;
  }

  #progress(batch: VariationSummary) {
    const { askedCount, ready, making, failed, spentMs, leftMs } = batch;
    const facts = [
      w("readyOf", { ready, total: askedCount }),
      failed > 0 ? w("failedCount", { n: failed }) : "",
      spentMs > 0 ? w("spent", { time: formatDuration(spentMs) }) : "",
      making === 0 ? "" : leftMs === null ? w("leftUnknown") : w("left", { time: formatDuration(leftMs) }),
    ].filter(Boolean).join(" · ");
    return html`
      <div class="cost" role="status">
        <span class="cut">${facts}</span>
        ${batch.isCpuPreview
          ? html`<st-badge>${w("cpuPreview")}</st-badge>`
          : html`<span>${batch.workflowTitle}</span>`}
        <span class="gap"></span>
        ${making > 0
          ? html`<st-action command="seeds.cancel_batch" .target=${batch} look="quiet"></st-action>`
          : nothing}
      </div>
      ${making > 0
        ? html`<st-progress label=${facts} .ratio=${(ready + failed) / askedCount}></st-progress>`
        : nothing}
    `;
  }

  #foot(all: readonly Seed[], hints: ReadonlyMap<string, SeedHints>) {
    const chosen = (selection("seed")?.ids ?? []).flatMap((id) => all.find((seed) => seed.id === id) ?? []);
    const [only] = chosen;
    const count = (...statuses: Seed["status"][]) =>
      all.filter(({ status }) => statuses.includes(status)).length;
    const hasHero = this.#seeds?.all.some(({ status, approvedAt }) =>
      status === "hero" && approvedAt !== null
    );
    const facts = chosen.length > 1
      ? w("selectedMany", { n: chosen.length })
      : only
      ? describeSeed(only, hints, this.#wordOf(only))
      : w("counts", { kept: count("kept", "hero"), rejected: count("rejected"), open: count("candidate") });
    return html`
      <div class="foot">
        <span class="cut quiet" title=${facts}>${facts}</span>
        <span class="actions">
          ${only?.status === "making"
            ? html`<st-action command="seeds.cancel" look="quiet"></st-action>`
            : html`
              <st-action command="seeds.keep" look="quiet"></st-action>
              <st-action command="seeds.reject" look="quiet"></st-action>
            `}
          <st-action command="seeds.compare_kept" look="quiet"></st-action>
          ${only?.status === "hero" && only.approvedAt === null
            ? html`<st-action command="seeds.approve_hero" .target=${only}></st-action>`
            : html`<st-action command="seeds.make_hero"></st-action>`}
          ${hasHero ? html`<st-action command="clips.begin" look="primary"></st-action>` : nothing}
        </span>
      </div>
    `;
  }

  #none() {
    const { a } = openPair();
    if (!session.may("generate")) {
      return html`<st-empty icon="grid" heading=${w("sheetEmptyHeading")} text=${
        w(
          "sheetEmptyLook",
        )
      }></st-empty>`;
    }
    return html`
      <st-empty icon="grid" heading=${w("sheetEmptyHeading")} text=${`${w("sheetEmptyText")} ${
        isReady(a) ? "" : w("sheetNoPortrait")
      }`}>
        ${isReady(a)
          ? html`<st-action command="seeds.generate" look="primary"></st-action>`
          : html`<st-action command="characters.open"></st-action>`}
      </st-empty>
    `;
  }

  #unread(reading: Pick<SeedStore["reading"], "problem" | "read">) {
    const { problem } = reading;
    return html`
      <st-error heading=${w("readFailed")} text=${problem?.message ?? ""} id-to-copy=${problem?.requestId ??
        ""}>
        <st-button @click=${() => void reading.read()}>${w("tryAgain")}</st-button>
      </st-error>
    `;
  }

  #nobody(project: string | undefined) {
    const reading = project === undefined ? undefined : charactersOf(project).reading;
    if (reading && !reading.isKnown) {
      return reading.problem
        ? this.#unread(reading)
        : html`<st-skeleton shape="picture" count="6"></st-skeleton>`;
    }
    return html`
      <st-empty icon="grid" heading=${w("variations")} text=${w("needsCharacter")}>
        <st-action command=${project === undefined ? "projects.show" : "characters.create"}></st-action>
      </st-empty>
    `;
  }

  /** The keyboard is for the pictures. */
  override focus(): void {
    this.renderRoot.querySelector<Grid>("st-grid")?.focus();
  }

  protected override updated() {
    // The first pictures came after the keyboard.
    if (this.matches(":focus") && !this.shadowRoot?.activeElement) this.focus();
    const character = openCharacterId();
    const project = projectId();
    if (project !== undefined && character !== undefined) noteOpen(project, character);
    // Culling by keys moves the selection: the sheet follows, and has the keyboard.
    const id = selection("seed")?.ids[0];
    if (id === this.#lastSelected) return;
    this.#lastSelected = id;
    const grid = this.renderRoot.querySelector<Grid>("st-grid");
    if (grid && id !== undefined && grid.active !== id) {
      grid.goTo(id, selection("seed")?.ids.length === 1 ? "only" : "move");
    }
  }

  #hintsOf(all: readonly Seed[]): ReadonlyMap<string, SeedHints> {
    const isSame = all.length === this.#hintsFor.length &&
      all.every((seed, at) => seed === this.#hintsFor[at]);
    if (!isSame) {
      this.#hints = hintsOf(all);
      this.#hintsFor = all;
    }
    return this.#hints;
  }

  /** The shape of the project's frame, in which foundations are made. */
  #ratio(): number {
    const project = projectStore.find(projectId() ?? "");
    return project ? project.widthPx / project.heightPx : 16 / 9;
  }

  #wordOf(seed: Seed): string {
    return stateOf(seed, seedWorkOf(seed.projectId).of(seed.id))[1];
  }

  /** Esc leaves the comparison first. */
  readonly #back = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || compared().length === 0) return;
    event.preventDefault();
    compare([]);
    this.#lastSelected = undefined;
    void this.updateComplete.then(() => this.renderRoot.querySelector<Grid>("st-grid")?.focus());
  };

  readonly #select = (event: Event) => {
    select("seed", (event as Event & { readonly ids: readonly string[] }).ids);
  };

  /** Looking at one closely is a comparison with nothing. */
  readonly #open = (event: Event) => compare([(event as Event & { readonly itemId: string }).itemId]);

  readonly #pickBatch = (event: Event) => {
    const id = valueOf(event);
    const character = openCharacterId();
    if (id !== "" && character !== undefined) noteOwner(id, character);
    go(id === "" ? { screen: "variations" } : { entity: { kind: "batch", id } });
  };

  readonly #resize = (event: Event) =>
    this.panel.state.set("tileSize", (event.target as HTMLInputElement).valueAsNumber);
}

function valueOf(event: Event): string {
  return (event.target as Select | Slider).value.toString();
}
