import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { findCommand, runCommand } from "#client/core/commands.ts";
import { findPanelKind, type PanelElement, panelState } from "#client/core/panels.ts";
import { entity, go, projectId } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/ui/avatar.ts";
import "#client/ui/kbd.ts";
import "#client/ui/menu.ts";
import type { MenuItem } from "#client/ui/menu.ts";
import type { PickEvent } from "#client/ui/list_events.ts";
import { keysOf } from "./keymap.ts";
import { others } from "./presence.ts";
import { allowedScreens, currentScreen, mayShow } from "./screens.ts";
import { shell } from "./shell_facts.ts";
import { w } from "./words.ts";

const ALL_PROJECTS = "all";
/** What stands in the menu under one's name, in groups. */
const ACCOUNT: readonly (readonly string[])[] = [
  ["go.account", "go.settings", "go.people"],
  ["app.theme", "app.english", "app.german"],
  ["help.open", "app.keys", "app.single_keys"],
  ["app.sign_out"],
];
/** Of the others so many are shown, the rest is counted. */
const FACES = 4;
/** The panel that the tray shows, when its slice is there. */
const TRAY = "job_tray";

/** The bar on top: project, places, search, jobs, oneself. */
@customElement("st-top-bar")
export class TopBar extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        height: var(--size-top-bar);
        padding: 0 var(--space-2);
        background: var(--color-raised);
        border-bottom: var(--size-hairline) solid var(--color-line);
        container-type: inline-size;
      }
      button {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        min-height: var(--size-control);
        padding: 0 var(--space-2);
        border: 0;
        border-radius: var(--radius-control);
        background: none;
        white-space: nowrap;
        cursor: pointer;
        font-size: var(--size-text);
      }
      button:hover,
      button[aria-expanded="true"] {
        background: var(--color-hover);
      }
      .brand {
        flex: none;
        width: var(--size-icon);
        height: var(--size-icon);
      }
      .project {
        max-width: 28ch;
        font-weight: var(--font-weight-strong);
      }
      .project .icon {
        color: var(--color-text-quiet);
      }
      nav {
        display: flex;
        flex: 1 1 auto;
        gap: var(--space-half);
        min-width: 0;
        height: 100%;
        margin-inline-start: var(--space-2);
        overflow: hidden;
      }
      nav a {
        display: inline-flex;
        align-items: center;
        padding: 0 var(--space-2);
        color: var(--color-text-quiet);
        text-decoration: none;
        white-space: nowrap;
      }
      nav a:hover {
        color: var(--color-text);
      }
      nav a[aria-current] {
        color: var(--color-text);
        box-shadow: inset 0 calc(-1 * var(--size-running-line)) 0 0 var(--color-ion);
      }
      nav a:focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      .search {
        flex: 0 1 var(--size-tile);
        justify-content: space-between;
        color: var(--color-text-quiet);
        border: var(--size-hairline) solid var(--color-line);
      }
      .search .cut {
        flex: 1;
        text-align: start;
      }
      .jobs {
        font-variant-numeric: tabular-nums;
        color: var(--color-text-quiet);
      }
      .jobs.running {
        color: var(--color-text);
      }
      .jobs.running .icon {
        color: var(--color-plasma);
      }
      .others {
        display: flex;
        flex: none;
        gap: var(--space-1);
        margin: 0;
        padding: 0;
        list-style: none;
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      .others li {
        display: grid;
        place-items: center;
        border-radius: 50%;
      }
      .others .near {
        box-shadow: 0 0 0 var(--size-running-line) var(--color-ion);
      }
      .tray {
        position: fixed;
        inset: calc(var(--size-top-bar) + var(--space-1)) var(--space-1) auto auto;
        width: min(var(--size-side), calc(100vw - var(--space-2)));
        height: min(80vh, calc(2 * var(--size-side)));
        margin: 0;
        padding: 0;
        overflow: hidden;
        color: var(--color-text);
        background: var(--color-raised);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-panel);
        box-shadow: var(--shadow-float);
      }
      .skip {
        position: absolute;
        top: var(--space-1);
        left: var(--space-1);
        z-index: 2;
        background: var(--color-hover);
        transform: translateY(-200%);
      }
      .skip:focus {
        transform: none;
      }
      @container (width < 60rem) {
        .search .cut {
          position: absolute;
          clip-path: inset(50%);
        }
        .search st-kbd {
          display: none;
        }
        .search {
          flex: none;
        }
      }
      @container (width < 40rem) {
        nav {
          overflow-x: auto;
          scrollbar-width: none;
          margin-inline-start: 0;
        }
        .project {
          max-width: 14ch;
        }
        .others {
          display: none;
        }
      }
      @container (width < 26rem) {
        .project .cut {
          position: absolute;
          width: var(--size-hairline);
          clip-path: inset(50%);
        }
      }
    `,
  ];

  @state()
  accessor tray: HTMLElement | undefined;

  override connectedCallback() {
    super.connectedCallback();
    addEventListener("st-tray", this.#toggleTray);
    addEventListener("popstate", this.#closeTray);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("st-tray", this.#toggleTray);
    removeEventListener("popstate", this.#closeTray);
  }

  override render() {
    const screens = allowedScreens().filter(({ isInBar }) => isInBar);
    const shown = currentScreen()?.id;
    return html`
      <button class="skip" type="button" @click=${() => this.dispatchEvent(new Event("st-skip"))}>${w(
        "skip",
      )}</button>
      ${this.#project()}
      <nav aria-label=${w("places")}>
        ${screens.map((screen) =>
          html`
            <a href=${screenAddress(screen.id)} aria-current=${screen.id === shown ? "page" : nothing}
              @click=${(event: MouseEvent) => follow(event, screen.id)}>${screen.title()}</a>
          `
        )}
      </nav>
      ${this.#search()}
      ${this.#jobs()}
      ${this.#others()}
      ${this.#account()}
    `;
  }

  #project() {
    const { projects } = shell.facts;
    const open = projects.find(({ id }) => id === projectId());
    const items: MenuItem[] = projects.map(({ id, name }) => ({
      id,
      label: name,
      isOn: id === open?.id,
    }));
    const hasList = findCommand("go.projects") !== undefined;
    const all: MenuItem[] = hasList
      ? [{ id: ALL_PROJECTS, label: w("allProjects"), icon: "folder", group: " " }]
      : [];
    const name = open?.name ?? w("noProject");
    if (items.length + all.length === 0) {
      return html`<img class="brand" src="/icon.svg" alt="Seedloop">`;
    }
    return html`
      <st-menu .items=${[...items, ...all]} label=${w("projects")} @st-pick=${this.#pickProject}>
        <button slot="trigger" type="button" aria-haspopup="menu" class="project" title=${name}>
          <img class="brand" src="/icon.svg" alt=""><span class="cut">${name}</span>${icon("chevronDown")}
        </button>
      </st-menu>
    `;
  }

  #search() {
    const command = findCommand("app.palette");
    if (!command) return nothing;
    const keys = keysOf(command)[0];
    return html`
      <button class="search" type="button" aria-haspopup="dialog"
        @click=${() => void runCommand("app.palette")}>
        ${icon("search")}<span class="cut">${w("paletteHint")}</span>${keys
          ? html`<st-kbd keys=${keys}></st-kbd>`
          : nothing}
      </button>
    `;
  }

  #jobs() {
    if (!session.may("job.read")) return nothing;
    const running = (shell.facts.queue?.lanes ?? []).reduce((sum, lane) => sum + lane.running, 0);
    const label = running > 0 ? w("jobsRunning", { n: running }) : w("noJobs");
    const hasTray = findPanelKind(TRAY) !== undefined;
    return html`
      <button class="jobs ${running > 0 ? "running" : ""}" type="button" title=${label}
        popovertarget=${hasTray ? "tray" : nothing} aria-haspopup=${hasTray ? "dialog" : nothing}
        @click=${hasTray ? nothing : () => go({ screen: "status" })}>${icon(
          "activity",
        )}${running}<span class="unseen"> ${w("running", { n: running })}</span></button>
      ${hasTray
        ? html`<div class="tray" id="tray" popover role="dialog" aria-label=${
          w("jobs")
        } @beforetoggle=${this.#fillTray}>
            ${this.tray}
          </div>`
        : nothing}
    `;
  }

  /** Who else is in the project; who has the same thing open stands out. */
  #others() {
    const all = others();
    if (all.length === 0) return nothing;
    const open = entity();
    const shown = all.slice(0, FACES);
    return html`
      <ul class="others" aria-label=${w("others")}>
        ${shown.map(({ name, at }) => {
          const isWithMe = open !== undefined && at?.id === open.id;
          const said = w(isWithMe ? "isHereToo" : "isInProject", { name });
          return html`<li class=${isWithMe ? "near" : ""} title=${said}><st-avatar
            name=${name} aria-hidden="true"></st-avatar><span class="unseen">${said}</span></li>`;
        })}
        ${all.length > shown.length ? html`<li class="more">+${all.length - shown.length}</li>` : nothing}
      </ul>
    `;
  }

  #account() {
    const { me } = session;
    if (!me) return nothing;
    return html`
      <st-menu .items=${accountItems()} label=${w("account", {
        name: me.displayName,
        role: w(`role_${me.role}`),
      })}
        @st-pick=${({ itemId: id }: PickEvent) => void runCommand(id)}>
        <button slot="trigger" type="button" aria-haspopup="menu"
          title=${w("account", { name: me.displayName, role: w(`role_${me.role}`) })}>
          <st-avatar name=${me.displayName}></st-avatar>
          <span class="unseen">${w("account", { name: me.displayName, role: w(`role_${me.role}`) })}</span>
        </button>
      </st-menu>
    `;
  }

  readonly #pickProject = ({ itemId: id }: PickEvent) => {
    if (id === ALL_PROJECTS) go({ screen: "projects" });
    else go({ projectId: id, screen: currentScreen()?.isOfProject ? currentScreen()?.id : undefined });
  };

  /** A command asks for it; the button has its own way. */
  readonly #toggleTray = () => this.renderRoot.querySelector<HTMLElement>("#tray")?.togglePopover();

  /** One went back to where the tray was not open. */
  readonly #closeTray = () => this.renderRoot.querySelector<HTMLElement>("#tray")?.hidePopover();

  readonly #fillTray = (event: ToggleEvent) => {
    if (event.newState === "open") void this.#loadTray();
  };

  async #loadTray(): Promise<void> {
    const kind = findPanelKind(TRAY);
    if (this.tray || !kind || !mayShow(kind)) return;
    await kind.load();
    const element = document.createElement(kind.tag) as unknown as PanelElement; // PanelKind says that it takes a panel.
    element.panel = { id: TRAY, kind: TRAY, state: panelState(TRAY), rename: () => {} };
    this.tray = element;
  }
}

function accountItems(): MenuItem[] {
  return ACCOUNT.flatMap((ids, group) =>
    ids.flatMap((id): MenuItem[] => {
      const command = findCommand(id);
      if (!command) return [];
      const isOff = command.when?.() === false;
      return [{
        id,
        label: command.label(),
        icon: command.icon,
        keys: keysOf(command)[0],
        isOn: command.isOn?.(),
        whyNot: isOff ? command.whyNot?.() : undefined,
        group: " ".repeat(group),
      }];
    })
  );
}

function screenAddress(id: string): string {
  const project = projectId();
  return project === undefined ? `/${id}` : `/projects/${project}/${id}`;
}

/** A link opens in a new tab when that is asked for, and goes there at once otherwise. */
function follow(event: MouseEvent, screen: string): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go({ screen });
}
