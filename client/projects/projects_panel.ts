import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import type { Panel } from "#client/core/panels.ts";
import { projectId } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { MenuEvent, OpenEvent } from "#client/ui/list_events.ts";
import type { Menu, MenuItem } from "#client/ui/menu.ts";
import { findCommand, isAllowed, runCommand } from "#client/core/commands.ts";
import type { ProjectCard } from "#server/projects/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import "#client/ui/grid.ts";
import "#client/ui/menu.ts";
import "#client/ui/skeleton.ts";
import { spriteOf } from "#client/ui/scrub.ts";
import "#client/ui/tile.ts";
import { showRate } from "./project_form.ts";
import {
  closeProjectAsk,
  isTrashShown,
  openProject,
  pickedProject,
  pickProject,
  projectAsk,
} from "./commands.ts";
import { type ProjectStore, projectStore, trashedProjects } from "./project_store.ts";
import { w } from "./words.ts";

const MENU = ["projects.open", "projects.rename", "projects.archive", "projects.restore", "projects.trash"];

/** All projects as pictures: open, make, rename, archive. */
@customElement("st-projects-panel")
export class ProjectsPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      .page {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 0;
      }
      .bar {
        flex: none;
        display: flex;
        gap: var(--space-3);
        align-items: center;
        padding: var(--space-3) var(--space-4);
      }
      .bar h1 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      .bar .count {
        color: var(--color-text-quiet);
        font-variant-numeric: tabular-nums;
      }
      .bar st-field {
        width: var(--size-tile);
        margin-inline-start: auto;
      }
      .gap {
        flex: 1;
      }
      .rest {
        flex: 1;
        min-height: 0;
        padding-inline: var(--space-4);
      }
      .stale {
        opacity: 0.6;
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @state()
  accessor sought = "";
  #closers: (() => void)[] = [];

  override connectedCallback() {
    super.connectedCallback();
    const isKnown = projectStore.reading.isKnown;
    this.#closers = [projectStore.open(), trashedProjects.open()];
    // Covers and counts come from what is in the projects, of which no event of the project tells.
    if (isKnown) void projectStore.reading.read();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const close of this.#closers) close();
  }

  override render() {
    return html`<div class="page">${this.#page()}</div>`;
  }

  #page() {
    const store = this.#store;
    const { isKnown, isStale } = store.reading;
    const { all } = store;
    const shown = all.filter(({ name }) =>
      name.toLocaleLowerCase().includes(this.sought.toLocaleLowerCase())
    );
    return html`
      <div class="bar">
        <h1>${w(isTrashShown() ? "trash" : "projects")}</h1>
        <span class="count">${isKnown ? all.length : ""}</span>
        ${all.length > 6
          ? html`
            <st-field type="search" icon="search" label=${w("find")} label-unseen placeholder=${w("find")}
              .value=${this.sought} @input=${this.#seek}></st-field>
          `
          : html`<span class="gap"></span>`}
        <st-action command="projects.show_trash" look="quiet"></st-action>
        <st-action command="projects.create" look=${all.length === 0 ? "plain" : "primary"}></st-action>
      </div>
      <div class="rest ${isStale ? "stale" : ""}">${this.#rest(store, shown)}</div>
      <st-menu .items=${this.#menuItems()} label=${w("projects")} @st-pick=${this.#picked}><span
        slot="trigger"></span></st-menu>
      <st-project-form .ask=${projectAsk()} @st-close=${closeProjectAsk}></st-project-form>
    `;
  }

  get #store(): ProjectStore {
    return isTrashShown() ? trashedProjects : projectStore;
  }

  #rest({ all, reading }: ProjectStore, shown: readonly ProjectCard[]) {
    const { isKnown, problem } = reading;
    if (!isKnown && problem) {
      return html`
        <st-error heading=${w("readFailed")} text=${problem.message} id-to-copy=${problem.requestId}>
          <st-button @click=${() => void reading.read()}>${w("tryAgain")}</st-button>
        </st-error>
      `;
    }
    if (!isKnown) return html`<st-skeleton shape="picture" count="6"></st-skeleton>`;
    if (all.length === 0 && isTrashShown()) {
      return html`
        <st-empty icon="trash" heading=${w("trashEmpty")}>
          <st-action command="projects.show_trash" label=${w("projects")}></st-action>
        </st-empty>
      `;
    }
    if (all.length === 0) {
      const may = session.may("project.create");
      return html`
        <st-empty icon="clapperboard" heading=${w("noneHeading")} text=${may
          ? w("noneText")
          : w("noneForYou")}>
          ${may ? html`<st-action command="projects.create" look="primary"></st-action>` : nothing}
        </st-empty>
      `;
    }
    if (shown.length === 0) return html`<st-empty icon="search" heading=${w("nothingFound")}></st-empty>`;
    const open = projectId();
    return html`
      <st-grid .items=${shown} .labelOf=${labelOf} single caption="28" label=${w("projects")} tile-size="300"
        .selected=${new Set([pickedProject() ?? open ?? ""])}
        .tile=${(card: ProjectCard) => tile(card)}
        @st-select=${this.#select} @st-open=${this.#open} @st-menu-wanted=${this.#wantMenu}></st-grid>
    `;
  }

  #menuItems(): MenuItem[] {
    const project = this.#store.find(pickedProject() ?? "");
    return MENU.flatMap((id) => {
      const command = findCommand(id);
      if (!project || !command || !isAllowed(command) || !(command.when?.(project) ?? true)) return [];
      return [{ id, label: command.label(project), ...(command.icon ? { icon: command.icon } : {}) }];
    });
  }

  readonly #picked = (event: Event) => {
    const { itemId } = event as OpenEvent;
    void runCommand(itemId, this.#store.find(pickedProject() ?? ""));
  };

  readonly #seek = (event: Event) => {
    this.sought = (event.target as HTMLInputElement).value;
  };

  readonly #select = (event: Event) => {
    pickProject((event as Event & { readonly ids: readonly string[] }).ids[0]);
  };

  readonly #open = (event: Event) => {
    // What is in the trash can be read, but not worked in.
    if (!isTrashShown()) openProject((event as OpenEvent).itemId);
  };

  readonly #wantMenu = async (event: Event) => {
    const { itemId, x, y } = event as MenuEvent;
    pickProject(itemId);
    await this.updateComplete;
    this.renderRoot.querySelector<Menu>("st-menu")?.openAt(x, y);
  };
}

function labelOf(card: ProjectCard): string {
  return `${card.name}, ${factsOf(card)}`;
}

function factsOf({ status, characters, clips }: ProjectCard): string {
  const counts = `${w("characters", { n: characters })} · ${w("clips", { n: clips })}`;
  if (status === "active") return counts;
  return `${w(status === "archived" ? "archived" : "inTrash")} · ${counts}`;
}

function tile(card: ProjectCard) {
  return html`
    <st-tile name=${card.name} title=${labelOf(card)} detail=${w("clips", {
      n: card.clips,
    })} icon="clapperboard"
      src=${card.coverAssetId ? `/api/assets/${card.coverAssetId}/derivatives/thumbnail` : ""}
      .sprite=${card.film ? spriteOf(card.film.assetId, card.film.sprite) : undefined}
      mark=${`${card.widthPx}×${card.heightPx} · ${
        showRate(card.rate)
      }`} ?rejected=${card.status !== "active"}></st-tile>
  `;
}
