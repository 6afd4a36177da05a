import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Live } from "#client/core/live.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import "./status_board.ts";
import { StatusStore } from "./status_store.ts";

const TICK_MS = 1_000;

/** The status page: joins the store to the board. */
@customElement("st-status-page")
export class StatusPage extends SignalWatcher(LitElement) {
  static override styles = [
    formStyles,
    css`
      :host {
        display: block;
        outline: none;
      }
    `,
  ];

  @property({ attribute: false })
  accessor live!: Live;
  @state()
  accessor now = Date.now();
  #store: StatusStore | undefined;
  #tick: ReturnType<typeof setInterval> | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#store = new StatusStore(this.live);
    this.#store.start();
    this.#tick = setInterval(
      () => document.visibilityState === "visible" && (this.now = Date.now()),
      TICK_MS,
    );
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#tick);
    this.#store?.stop();
  }

  override render() {
    const store = this.#store;
    if (!store || (store.facts.readAt === undefined && !store.facts.problem)) {
      return html`<div aria-busy="true"></div>`;
    }
    return html`
      <div>
        <st-status-board .facts=${store.facts} .progress=${store.progress} .previews=${store
          .previews}
          .now=${this.now}></st-status-board>
      </div>
    `;
  }
}
