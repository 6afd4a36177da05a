import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { ApiError } from "#client/core/call.ts";
import type { Live } from "#client/core/live.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import { RetryEvent } from "./job_list.ts";
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
      .problem {
        margin: var(--space-4) var(--space-6) 0;
      }
    `,
  ];

  @property({ attribute: false })
  accessor live!: Live;
  @state()
  accessor now = Date.now();
  @state()
  accessor problem = "";
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
    this.addEventListener(RetryEvent.type, this.#retry);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#tick);
    this.#store?.stop();
    this.removeEventListener(RetryEvent.type, this.#retry);
  }

  override render() {
    const store = this.#store;
    if (!store || (store.facts.readAt === undefined && !store.facts.problem)) {
      return html`<div aria-busy="true"></div>`;
    }
    return html`
      <div>
        <div role="alert">${this.problem ? html`<p class="problem">${this.problem}.</p>` : nothing}</div>
        <st-status-board .facts=${store.facts} .progress=${store.progress} .previews=${store
          .previews} .now=${this.now}
          ?canRetry=${session.may("job.control")}
          .makeToken=${session.may("token.own") ? this.#makeToken : undefined}></st-status-board>
      </div>
    `;
  }

  readonly #makeToken = () => this.#store!.makeToken(`Demo ${new Date().toISOString().slice(0, 19)}`);

  readonly #retry = async (event: Event) => {
    if (!(event instanceof RetryEvent)) return;
    try {
      await this.#store?.retry(event.jobId);
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : String(error);
    }
  };
}
