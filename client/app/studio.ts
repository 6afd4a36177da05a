import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { registerCommands } from "#client/core/commands.ts";
import { formatDuration } from "#client/core/format.ts";
import { follow } from "#client/core/follow.ts";
import { isolate } from "#client/core/words.ts";
import { live } from "#client/core/live.ts";
import { tellError } from "#client/core/notices.ts";
import { findPanelKind, screens } from "#client/core/panels.ts";
import { makeEntitySource } from "#client/core/search_source.ts";
import { followAddress, go, place, projectId } from "#client/core/place.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { manualSource } from "#client/help/manual_source.ts";
import { followStudioTokens } from "#client/design_page/studio_tokens.ts";
import "#client/ui/button.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/state_mark.ts";
import "./st_action.ts";
import { appCommands, projectCommands, screenCommands } from "./app_commands.ts";
import "./dock.ts";
import type { Dock } from "./dock.ts";
import { dockCommands } from "./dock_commands.ts";
import { titleCutWords } from "./cut_titles.ts";
import { dock } from "./dock_store.ts";
import { openWorkspace } from "./kept_workspace.ts";
import { type FileTaker, takeGivenFiles } from "./given_files.ts";
import { listenToKeys } from "./keymap.ts";
import type { KeySheet } from "./key_sheet.ts";
import { areaOf, areasOf } from "./layout.ts";
import type { Palette } from "./palette.ts";
import { closeFloatingOnBack } from "./close_floating.ts";
import { commandSource, recencyBoost, registerSource, settingSource } from "./palette_sources.ts";
import { currentScreen, homeScreen, whyNowhere } from "./screens.ts";
import { shell } from "./shell_facts.ts";
import { makeShownSettings } from "./shown_settings.ts";
import { registerSlices } from "./slices.ts";
import "./status_bar.ts";
import "./toasts.ts";
import "./top_bar.ts";
import { followPresence } from "./presence.ts";
import { joinWindows, ownerSlot, panelOfWindow } from "./windows.ts";
import { followWorkspaces } from "./workspace_commands.ts";
import { w } from "./words.ts";

const LAST_PROJECT = "seedloop.project";
const TICK_MS = 1_000;

/** Brings the commands of all slices; there once the slices are known. */
let loadCommands: (() => Promise<void>) | undefined;

/** At the latest then palette and commands are fetched, whatever the first panel does. */
const LATEST_MS = 3_000;
/** So long the page may go on to be busy before they are fetched all the same: the studio may soon be out of reach. */
const IDLE_MS = 500;

/** The studio of one who is signed in: bars, dock, palette, toasts. */
@customElement("st-studio")
export class Studio extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto minmax(0, 1fr) auto;
        height: 100vh;
        background: var(--color-ground);
      }
      st-dock,
      .nowhere {
        grid-row: 3;
      }
      .silent {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-1) var(--space-3);
        padding: var(--space-1) var(--space-3);
        background: color-mix(in oklab, var(--color-amber) 10%, var(--color-ground));
        border-bottom: var(--size-hairline) solid var(--color-amber);
        font-size: var(--size-text-small);
      }
      .over {
        position: fixed;
        inset: 0;
        z-index: 2;
        display: grid;
        place-content: center;
        border: var(--size-running-line) solid var(--color-ion);
        background: color-mix(in oklab, var(--color-ground) 70%, transparent);
        font-size: var(--size-text-lead);
        pointer-events: none;
      }
      .silent strong {
        font-weight: var(--font-weight-strong);
      }
      .silent span {
        color: var(--color-text-quiet);
      }
      /* Takes lines of its own rather than push the button into one. */
      .silent strong + span {
        flex: 1 1 32ch;
      }
      .silent code {
        font: var(--font-weight-regular) var(--size-label) var(--font-mono);
        user-select: all;
      }
    `,
  ];

  @state()
  accessor now = Date.now();
  @state()
  accessor isSettled = false;
  @query("st-dock")
  accessor dock!: Dock | null;
  @query("st-palette")
  accessor palette!: Palette;
  @query("st-key-sheet")
  accessor keySheet!: KeySheet;
  /** Files are dragged over what takes none by itself. */
  @state()
  accessor isOver = false;
  readonly #stops: (() => void)[] = [];

  override connectedCallback() {
    super.connectedCallback();
    dock.solo = panelOfWindow();
    loadCommands ??= registerSlices();
    const verbs = {
      openPalette: async (text?: string) => {
        await Promise.all([import("./palette.ts"), loadCommands?.().catch(tellError)]);
        this.palette.open(text);
      },
      openKeySheet: async () => {
        await Promise.all([import("./key_sheet.ts"), loadCommands?.().catch(tellError)]);
        this.keySheet.open();
      },
      focusArea: (by: 1 | -1) => this.#focusArea(by),
    };
    live.start();
    shell.start();
    const tick = setInterval(() => shell.facts.silentSince !== undefined && (this.now = Date.now()), TICK_MS);
    this.#stops.push(
      registerCommands([...appCommands(verbs), ...dockCommands(), ...screenCommands(screens())]),
      registerSource(commandSource),
      registerSource(settingSource),
      registerSource(makeShownSettings(() => this.dock)),
      registerSource(makeEntitySource(recencyBoost)),
      registerSource(manualSource),
      // Before the place changes: what is closed may belong to it.
      closeFloatingOnBack(),
      followAddress(),
      titleCutWords(),
      takeGivenFiles(
        () => this.renderRoot.querySelector<FileTaker>("st-given-stills"),
        (isOver) => this.isOver = isOver,
      ),
      listenToKeys((event) => panelKindOf(event) ?? dock.active?.kind),
      joinWindows({
        opened: (panelId) => dock.sendAway(panelId),
        closed: (panelId) => dock.takeBack(panelId),
        expected: () => dock.inWindows,
      }),
      followProjects(),
      followWorkspaces(),
      followStudioTokens(),
      // A panel in a window of its own is where its studio is.
      dock.isSolo ? () => {} : followPresence(),
      this.#loadRestLater(),
      () => shell.stop(),
      () => live.stop(),
      () => clearInterval(tick),
    );
    fetchShownPanels();
    void this.#settle();
  }

  /** What the first panel doesn't need comes after it: the commands of all slices, the palette. */
  #loadRestLater(): () => void {
    const load = () => {
      stop();
      // Who asks for it before it could be fetched is told what failed.
      void Promise.all([loadCommands?.(), import("./palette.ts")]).catch(() => {});
      void this.#takeUpUploads().catch(() => {});
    };
    // Safari has no idle callback.
    const soon = () => globalThis.requestIdleCallback?.(load, { timeout: IDLE_MS }) ?? setTimeout(load);
    const latest = setTimeout(load, LATEST_MS);
    this.addEventListener("st-panel-shown", soon, { once: true });
    const stop = () => {
      clearTimeout(latest);
      this.removeEventListener("st-panel-shown", soon);
    };
    return stop;
  }

  async #takeUpUploads(): Promise<void> {
    const { me } = session;
    if (!me || dock.isSolo) return;
    const { takeUpUploads } = await import("./kept_uploads.ts");
    await takeUpUploads(me.userId);
  }

  /** What was kept shows first; only then is it decided where one is without it. */
  async #settle(): Promise<void> {
    const close = dock.isSolo && ownerSlot() === undefined ? () => {} : await openWorkspace(ownerSlot());
    if (!this.isConnected) return close();
    this.#stops.push(close, follow(() => this.#keepProject()));
    this.isSettled = true;
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const stop of this.#stops.splice(0)) stop();
  }

  override render() {
    const hasBars = !dock.isFocused && !dock.isSolo;
    document.title = titleOfPage();
    return html`
      ${hasBars
        ? html`<st-top-bar role="banner" @st-skip=${() => this.#focusArea(0)}></st-top-bar>`
        : html`<span></span>`}
      ${this.#silence()}
      ${this.#content()}
      ${hasBars ? html`<st-status-bar role="contentinfo"></st-status-bar>` : nothing}
      <st-toasts></st-toasts>
      <st-palette></st-palette>
      <st-key-sheet></st-key-sheet>
      <st-given-stills></st-given-stills>
      ${this.isOver ? html`<div class="over">${w("dropAnywhere")}</div>` : nothing}
    `;
  }

  #content() {
    if (!this.isSettled) return html`<span></span>`;
    const why = dock.isSolo ? undefined : whyNowhere();
    if (!why) return html`<st-dock role="main" id="content"></st-dock>`;
    const home = homeScreen()?.id ?? "status";
    return html`
      <main class="nowhere" id="content">
        <h1 class="unseen">Seedloop</h1>
        <st-empty icon="search" heading=${w(why === "unknown" ? "nowhere" : "notYourPlace")}
          text=${w(why === "unknown" ? "nowhereText" : "notYourPlaceText", { address: location.pathname })}>
          <st-action command="go.projects" look="primary"></st-action>
          <st-action command=${`go.${home}`}></st-action>
          <st-action command="app.palette"></st-action>
        </st-empty>
      </main>
    `;
  }

  #silence() {
    const { silentSince: since, refusal } = shell.facts;
    if (since === undefined && live.state !== "lost") return html`<span></span>`;
    return html`
      <div class="silent" role="status">
        <st-state-mark state="attention"></st-state-mark>
        <strong>${w(refusal ? "refusesTitle" : "offlineTitle")}${since === undefined
          ? ""
          : ` ${w("offlineFor", { time: formatDuration(this.now - since) })}`}</strong>
        <span>${refusal ? `${refusal.message}. ${w("refusesMend")}` : w("offlineWorks")}</span>
        ${refusal?.requestId
          ? html`<span>${w("requestId", { id: "" })}<code>${refusal.requestId}</code></span>`
          : nothing}
        <st-button variant="quiet" @click=${() => void shell.read()}>${w("tryNow")}</st-button>
      </div>
    `;
  }

  #focusArea(by: 1 | -1 | 0): void {
    const { layout, active } = dock;
    if (!layout) return;
    const areas = areasOf(layout);
    const at = areas.findIndex(({ id }) => id === (active && areaOf(layout, active.id)?.id));
    const next = areas[(at + by + areas.length) % areas.length];
    if (next) this.dock?.focusArea(next.id);
  }

  /** The project that was open last is open again where the address names none; else the newest one. */
  #keepProject(): void {
    const { projects, isRead } = shell.facts;
    const open = projectId();
    if (open !== undefined) return localStorage.setItem(LAST_PROJECT, open);
    if (!isRead) return;
    const last = localStorage.getItem(LAST_PROJECT);
    const wanted = projects.find(({ id }) => id === last) ?? projects[0];
    const { entity, screen } = place();
    if (!wanted) {
      // Who may make the first project is shown how; an empty list of projects would say nothing.
      const isNowhere = screen === undefined && entity === undefined;
      if (isNowhere && !dock.isSolo && session.may("project.create")) {
        go({ screen: "first-run" }, { replace: true });
      }
      return;
    }
    // Whoever comes to an address that is none is told so, there.
    if (whyNowhere()) return;
    const shown = screen ?? homeScreen()?.id ?? currentScreen()?.id;
    go({ projectId: wanted.id, entity, screen: entity ? undefined : shown }, { replace: true });
  }
}

/** Fetches what the place shows by its layout, while it is looked up what else was kept. */
function fetchShownPanels(): void {
  for (const { panels, active } of dock.layout ? areasOf(dock.layout) : []) {
    const kind = panels.find(({ id }) => id === active)?.kind;
    // Whoever shows it asks again, and is told what failed.
    void (kind === undefined ? undefined : findPanelKind(kind)?.load().catch(() => {}));
  }
}

/** The project commands follow the list of projects. */
function followProjects(): () => void {
  let remove = () => {};
  let known: unknown;
  const stop = follow(() => {
    const { projects } = shell.facts;
    const names = JSON.stringify(projects.map(({ id, name }) => [id, name]));
    if (names === known) return;
    known = names;
    // Registering reads the list of commands, which is not to be followed here.
    queueMicrotask(() => {
      remove();
      remove = registerCommands(projectCommands(projects));
    });
  });
  return () => {
    stop();
    remove();
  };
}

/** The kind of panel in which an event happened. */
function panelKindOf(event: Event): string | undefined {
  for (const one of event.composedPath()) {
    if (one instanceof HTMLElement && one.localName === "st-panel-host" && "ref" in one) {
      return (one.ref as { kind: string }).kind; // The element's own property.
    }
  }
  return undefined;
}

function titleOfPage(): string {
  const project = shell.facts.projects.find(({ id }) => id === projectId())?.name;
  const screen = whyNowhere() ? w("nowhere") : currentScreen()?.title();
  return [screen, project && isolate(project), "Seedloop"].filter(Boolean).join(" · ");
}
