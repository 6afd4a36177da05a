import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { findCommand, isAllowed, runCommand } from "#client/core/commands.ts";
import { findPanelKind } from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/icon_button.ts";
import "#client/ui/menu.ts";
import type { MenuItem } from "#client/ui/menu.ts";
import type { PickEvent } from "#client/ui/list_events.ts";
import { dock } from "./dock_store.ts";
import { keysOf } from "./keymap.ts";
import { addPanel, type AreaNode, freshPanelId, type PanelRef, replacePanel } from "./layout.ts";
import { allowedPanels, currentScreen } from "./screens.ts";
import "./st_action.ts";
import { w } from "./words.ts";

/** What the header's overflow offers, in groups. */
const MORE: readonly (readonly string[])[] = [
  ["dock.maximise", "app.focus_mode"],
  ["dock.split_right", "dock.split_down"],
  ["dock.join_left", "dock.join_right", "dock.join_up", "dock.join_down"],
  ["dock.float", "dock.dock", "dock.pop_out"],
  ["dock.close_tab"],
];

/** A pointer took hold of a tab, or of a floating area's header: the dock does the rest. */
export class GrabEvent extends Event {
  static readonly type = "st-grab";
  constructor(readonly pointer: PointerEvent, readonly panelId: string | undefined, readonly areaId: string) {
    super(GrabEvent.type, { bubbles: true, composed: true });
  }
}

/** An area's slim header over what it shows. */
@customElement("st-area")
export class AreaFrame extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-width: 0;
        min-height: 0;
        width: 100%;
        height: 100%;
        background: var(--color-surface);
        overflow: hidden;
      }
      .head {
        display: flex;
        flex: none;
        align-items: center;
        height: var(--size-control-small);
        background: var(--color-raised);
        border-bottom: var(--size-hairline) solid var(--color-line);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
      }
      :host([bare]) .head {
        display: none;
      }
      :host([floats]) .head {
        cursor: move;
      }
      [role="tablist"] {
        display: flex;
        flex: 1;
        min-width: 0;
        height: 100%;
        overflow: hidden;
      }
      [role="tab"] {
        display: inline-flex;
        flex: 0 1 auto;
        align-items: center;
        gap: var(--space-1);
        min-width: 0;
        padding: 0 var(--space-2);
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        cursor: default;
        touch-action: none;
      }
      [role="tab"]:hover {
        color: var(--color-text);
      }
      [role="tab"][aria-selected="true"] {
        color: var(--color-text);
      }
      :host([active]) [role="tab"][aria-selected="true"] {
        box-shadow: inset 0 calc(-1 * var(--size-hairline)) 0 0 var(--color-ion);
      }
      .many [role="tab"][aria-selected="true"] {
        background: var(--color-surface);
      }
      :focus-visible {
        outline-offset: calc(-1 * var(--size-running-line));
      }
      .content {
        position: relative;
        flex: 1;
        min-height: 0;
      }
      .empty {
        display: grid;
        place-content: center;
        gap: var(--space-1);
        height: 100%;
        padding: var(--space-4);
        color: var(--color-text-quiet);
        text-align: center;
      }
      .empty p {
        margin: 0;
      }
      st-icon-button,
      st-menu {
        flex: none;
      }
    `,
  ];

  @property({ attribute: false })
  accessor area!: AreaNode;
  /** Whether the active panel is here. */
  @property({ type: Boolean, reflect: true })
  accessor active = false;
  @property({ type: Boolean, reflect: true })
  accessor floats = false;
  /** Without its header: focus mode. */
  @property({ type: Boolean, reflect: true })
  accessor bare = false;

  override render() {
    const { panels, active } = this.area;
    const shown = panels.find(({ id }) => id === active);
    const kind = shown && findPanelKind(shown.kind);
    return html`
      <div class="head" @pointerdown=${this.#grabHeader} @dblclick=${this.#maximise}>
        <st-menu .items=${kindItems(shown?.kind)} icon=${kind?.icon ?? "layout"} label=${w("openArea")}
          @st-pick=${this.#pickKind}>
          <st-icon-button slot="trigger" small icon=${kind?.icon ?? "layout"}
            label=${w("openArea")}></st-icon-button>
        </st-menu>
        <div role="tablist" aria-label=${w("tabsOf")} class=${panels.length > 1 ? "many" : ""}
          @keydown=${this.#moveTab}>
          ${repeat(panels, ({ id }) => id, (panel) => this.#tab(panel))}
        </div>
        ${(kind?.actions ?? []).map((command) =>
          html`<st-action command=${command} small icon-only look="quiet"></st-action>`
        )}
        <st-menu .items=${kindItems(undefined)} label=${w("addTab")} @st-pick=${this.#addTab}>
          <st-icon-button slot="trigger" small icon="plus" label=${w("addTab")}></st-icon-button>
        </st-menu>
        <st-menu .items=${this.#moreItems()} label=${w("areaMore")} @st-pick=${this.#pickCommand}>
          <st-icon-button slot="trigger" small icon="more" label=${w("areaMore")}></st-icon-button>
        </st-menu>
      </div>
      <div class="content" role="tabpanel" aria-label=${shown ? titleOf(shown) : w("emptyArea")}>
        ${shown ? html`<slot></slot>` : html`
          <div class="empty">
            <p>${w("emptyArea")}</p>
            <p>${w("emptyAreaMend")}</p>
          </div>
        `}
      </div>
    `;
  }

  #tab(panel: PanelRef) {
    const isShown = panel.id === this.area.active;
    return html`
      <button role="tab" type="button" aria-selected=${isShown ? "true" : "false"} tabindex=${isShown
        ? 0
        : -1}
        data-panel=${panel.id} title=${titleOf(panel)} @click=${() => dock.show(panel.id)}
        @auxclick=${(event: MouseEvent) => this.#closeByWheel(event, panel.id)}
        @pointerdown=${(event: PointerEvent) => this.#grab(event, panel.id)}>
        <span class="cut">${titleOf(panel)}</span>
      </button>
    `;
  }

  #moreItems(): MenuItem[] {
    return MORE.flatMap((ids, group) =>
      ids.flatMap((id): MenuItem[] => {
        const command = findCommand(id);
        if (!command || !isAllowed(command)) return [];
        const isOff = !(command.when?.(this.area.id) ?? true);
        if (isOff && (id === "dock.float" || id === "dock.dock" || id.startsWith("dock.join"))) return [];
        return [{
          id,
          label: command.label(this.area.id),
          icon: command.icon,
          keys: keysOf(command)[0],
          whyNot: isOff ? command.whyNot?.(this.area.id) : undefined,
          group: GROUPS[group],
        }];
      })
    );
  }

  readonly #pickCommand = ({ itemId: id }: PickEvent) => void runCommand(id, this.area.id);

  readonly #pickKind = ({ itemId: kind }: PickEvent) => {
    const screen = currentScreen();
    if (!screen) return;
    dock.change((layout) => {
      const by = { id: freshPanelId(layout, screen.id, kind), kind };
      const { panels, active, id: areaId } = this.area;
      return panels.length === 0 ? addPanel(layout, by, { areaId }) : replacePanel(layout, active, by);
    });
  };

  readonly #addTab = ({ itemId: kind }: PickEvent) => {
    const screen = currentScreen();
    if (!screen) return;
    dock.change((layout) =>
      addPanel(layout, { id: freshPanelId(layout, screen.id, kind), kind }, { areaId: this.area.id })
    );
  };

  readonly #maximise = (event: Event) => {
    if (event.target instanceof Element && event.target.closest("st-menu, st-action")) return;
    void runCommand("dock.maximise", this.area.id);
  };

  readonly #moveTab = (event: KeyboardEvent) => {
    const { panels, active } = this.area;
    const at = panels.findIndex(({ id }) => id === active);
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: panels.length - 1,
    };
    const next = panels.at((to[event.key] ?? NaN) % panels.length);
    if (event.key === "Delete" && panels[at]) void runCommand("dock.close_tab", this.area.id);
    else if (to[event.key] === undefined || !next) return;
    else {
      dock.show(next.id);
      void this.updateComplete.then(() =>
        this.renderRoot.querySelector<HTMLElement>("[aria-selected=true]")?.focus()
      );
    }
    event.preventDefault();
  };

  #closeByWheel(event: MouseEvent, panelId: string): void {
    if (event.button !== 1) return;
    dock.show(panelId);
    void runCommand("dock.close_tab", this.area.id);
  }

  #grab(event: PointerEvent, panelId: string): void {
    if (event.button !== 0) return;
    event.stopPropagation();
    this.dispatchEvent(new GrabEvent(event, panelId, this.area.id));
  }

  readonly #grabHeader = (event: PointerEvent) => {
    const isControl = event.target instanceof Element && event.target.closest("st-menu, st-action");
    if (event.button !== 0 || isControl) return;
    this.dispatchEvent(new GrabEvent(event, undefined, this.area.id));
  };
}

/** Groups of the overflow have no names: these only keep them apart. */
const GROUPS = ["", " ", "  ", "   ", "    "] as const;

/** What a panel is called: after what it shows, else after its kind. */
export function titleOf({ id, kind }: PanelRef): string {
  return dock.titleOf(id) ?? findPanelKind(kind)?.title() ?? kind;
}

function kindItems(shown: string | undefined): MenuItem[] {
  return allowedPanels().map((kind): MenuItem => ({
    id: kind.id,
    label: kind.title(),
    icon: kind.icon,
    isOn: shown === undefined ? undefined : kind.id === shown,
  }));
}
