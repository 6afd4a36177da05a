import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import {
  findPanelKind,
  type Panel,
  type PanelElement,
  panelState,
  timesRestored,
} from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/ui/button.ts";
import { dock } from "./dock_store.ts";
import { keepDrafts } from "./kept_drafts.ts";
import { keepScroll } from "./kept_scroll.ts";
import type { PanelRef } from "./layout.ts";
import { mayShow } from "./screens.ts";
import { w } from "./words.ts";

/** Soon enough that most panels are there before anything has to be said. */
const PATIENCE_MS = 150;

/**
 * Where one panel lives: loads its kind, makes its element once and keeps it. The dock shows it in an area by its
 * slot and never moves it in the document, so that what plays goes on playing.
 */
@customElement("st-panel-host")
export class PanelHost extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        position: relative;
        width: 100%;
        height: 100%;
        min-width: 0;
        min-height: 0;
        overflow: hidden;
        contain: strict;
        container-type: size;
        container-name: panel;
      }
      .panel {
        display: block;
        width: 100%;
        height: 100%;
        overflow: auto;
      }
      .note {
        display: grid;
        align-content: center;
        justify-items: center;
        gap: var(--space-2);
        height: 100%;
        padding: var(--space-6);
        color: var(--color-text-quiet);
        text-align: center;
      }
      .note p {
        margin: 0;
        max-width: 48ch;
      }
      .note p:first-of-type {
        color: var(--color-text);
      }
      .wait {
        height: var(--size-running-line);
        background: linear-gradient(90deg, transparent, var(--color-text-off), transparent);
        animation: run var(--motion-slow) linear infinite;
      }
      @keyframes run {
        from {
          transform: translateX(-100%);
        }
        to {
          transform: translateX(100%);
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor ref!: PanelRef;
  @state()
  accessor phase: "waiting" | "shown" | "failed" = "waiting";
  @state()
  accessor isSlow = false;
  #element: HTMLElement | undefined;
  /** The focus was sent here before there was anything to take it. */
  #isFocusWanted = false;
  #stopKeeping = () => {};
  #restored = 0;

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#stopKeeping();
  }

  override render() {
    const kind = findPanelKind(this.ref.kind);
    if (!kind) return this.#note("unknownPanel", "unknownPanelMend");
    if (!mayShow(kind)) return this.#note("panelNotYours", "panelNotYoursMend");
    if (this.phase === "failed") {
      return html`${this.#note("panelFailed", "panelFailedMend", true)}`;
    }
    if (this.phase === "waiting") return this.isSlow ? html`<div class="wait"></div>` : nothing;
    return this.#element;
  }

  #note(
    text: "unknownPanel" | "panelNotYours" | "panelFailed",
    mend: "unknownPanelMend" | "panelNotYoursMend" | "panelFailedMend",
    canRetry = false,
  ) {
    return html`
      <div class="note" role="alert">
        ${icon("alert")}
        <p>${w(text)}</p>
        <p>${w(mend)}</p>
        ${canRetry
          ? html`<st-button @click=${() => void this.#load()}>${w("tryAgain")}</st-button>`
          : nothing}
      </div>
    `;
  }

  protected override willUpdate(changed: PropertyValues<this>) {
    if (changed.has("ref")) void this.#load();
  }

  protected override updated() {
    if (this.#isFocusWanted && this.#element?.isConnected) this.focus();
    const element = this.#element;
    // What was kept may come after the panel: from a slow studio, or with another workspace. Its memory is read outside
    // of the update, which would follow every change of it.
    if (element && this.#restored !== timesRestored(this.ref.id)) queueMicrotask(() => this.#keep(element));
  }

  async #load(): Promise<void> {
    const { ref } = this;
    const kind = findPanelKind(ref.kind);
    if (!kind || !mayShow(kind)) return;
    this.phase = "waiting";
    const patience = setTimeout(() => this.isSlow = true, PATIENCE_MS);
    try {
      await kind.load();
      // A task of its own for each panel: together they would keep the page from answering while it comes up.
      await new Promise((resolve) => setTimeout(resolve));
      if (this.ref !== ref) return;
      // What this tag makes takes a panel: PanelKind says so.
      const element = document.createElement(kind.tag) as unknown as PanelElement;
      element.className = "panel";
      element.panel = panelOf(ref);
      this.#element = element;
      this.#keep(element);
      this.phase = "shown";
      this.dispatchEvent(new Event("st-panel-shown", { bubbles: true, composed: true }));
    } catch {
      if (this.ref === ref) this.phase = "failed";
    } finally {
      clearTimeout(patience);
      this.isSlow = false;
    }
  }

  #keep(element: HTMLElement): void {
    this.#stopKeeping();
    this.#restored = timesRestored(this.ref.id);
    const state = panelState(this.ref.id);
    const stops = [keepScroll(element, state), keepDrafts(element, state)];
    this.#stopKeeping = () => stops.forEach((stop) => stop());
  }

  /** Puts the focus into the panel: to what it wants to have it, else to itself. */
  override focus(): void {
    const element = this.#element;
    this.#isFocusWanted = element === undefined;
    if (!element) return;
    element.focus();
    if (element.shadowRoot?.activeElement) return;
    // A scroller without anything to focus has it only until something comes: the browser would take it away then.
    element.tabIndex = -1;
    element.focus();
  }
}

function panelOf({ id, kind }: PanelRef): Panel {
  return { id, kind, state: panelState(id), rename: (title) => dock.rename(id, title) };
}
