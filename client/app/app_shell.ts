import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { ApiError } from "#client/core/call.ts";
import { Live, type LiveState } from "#client/core/live.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import { icon } from "#client/ui/icons.ts";
import type { State } from "#client/ui/state_mark.ts";
import "#client/ui/state_mark.ts";
import "#client/auth/sign_in_page.ts";
import { chooseTheme, theme } from "./theme.ts";

const CONNECTION: Readonly<Record<LiveState, readonly [State, string]>> = {
  off: ["off", "not connected"],
  connecting: ["waiting", "connecting …"],
  live: ["good", "live"],
  lost: ["attention", "reconnecting …"],
};
const RETRY_MS = 3_000;

/** The whole client: who one is decides what shows, then the address. */
@customElement("st-app")
export class AppShell extends SignalWatcher(LitElement) {
  static override styles = [
    formStyles,
    css`
      :host {
        display: block;
        min-height: 100vh;
      }
      .bar {
        position: sticky;
        top: 0;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: var(--space-2);
        height: var(--size-top-bar);
        padding: 0 var(--space-3);
        background: var(--color-raised);
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        font-weight: var(--font-weight-strong);
        letter-spacing: -0.01em;
      }
      .brand img {
        width: var(--space-6);
        height: var(--space-6);
      }
      .place {
        padding-left: var(--space-3);
        margin-left: var(--space-1);
        border-left: var(--size-hairline) solid var(--color-line);
        color: var(--color-text-quiet);
      }
      .gap {
        flex: 1;
      }
      .live {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        padding-right: var(--space-2);
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        white-space: nowrap;
      }
      .who {
        min-width: 0;
        max-width: 24ch;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .role {
        color: var(--color-text-quiet);
        font-size: var(--size-text-small);
        padding-right: var(--space-2);
      }
      .skip {
        position: absolute;
        top: var(--space-1);
        left: var(--space-1);
        z-index: 2;
        transform: translateY(-200%);
      }
      .skip:focus {
        transform: none;
      }
      .silent {
        display: grid;
        gap: var(--space-4);
        justify-items: start;
        max-width: 60ch;
        margin: 0 auto;
        padding: 20vh var(--space-6) 0;
      }
      .silent h1 {
        margin: 0;
        font-size: var(--size-title);
        font-weight: var(--font-weight-strong);
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      .silent p {
        margin: 0;
        color: var(--color-text-quiet);
      }
      @media (width < 48rem) {
        .role,
        .place,
        .bar .word {
          display: none;
        }
      }
    `,
  ];

  readonly #live = new Live({
    ended: () => session.end(),
    rightsChanged: () => void session.resume().catch(() => {}),
  });
  @state()
  accessor problem: ApiError | undefined;
  @state()
  accessor token = tokenOfLink();
  @state()
  accessor isStatusLoaded = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback() {
    super.connectedCallback();
    void this.#resume();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#retry);
    this.#live.stop();
  }

  override render() {
    const { me } = session;
    if (this.problem) return this.#silence(this.problem);
    if (me === undefined) return nothing;
    if (me === null) {
      document.title = this.token ? "Set up Seedloop" : "Sign in · Seedloop";
      return html`<st-sign-in-page .token=${this.token}></st-sign-in-page>`;
    }
    document.title = "Status · Seedloop";
    return html`
      ${this.#bar()}
      ${this.isStatusLoaded
        ? html`<st-status-page id="content" tabindex="-1" .live=${this.#live}></st-status-page>`
        : nothing}
    `;
  }

  /** The socket and the page follow who is signed in. */
  protected override updated() {
    if (session.me) {
      if (this.token !== "" || location.pathname !== "/") this.#goHome();
      this.#live.start();
      void this.#loadStatus();
    } else this.#live.stop();
  }

  #bar() {
    const [mark, word] = CONNECTION[this.#live.state];
    const other = theme() === "dark" ? "light" : "dark";
    return html`
      <header class="bar">
        <a class="button skip" href="#content" @click=${this.#skip}>Skip to the content</a>
        <span class="brand"><img src="/icon.svg" alt="">Seedloop</span>
        <span class="place">Status</span>
        <span class="gap"></span>
        <span class="live" role="status"><st-state-mark state=${mark}></st-state-mark>${word}</span>
        <span class="who" title=${session.me?.login ?? ""}>${session.me?.displayName}</span>
        <span class="role">${session.me?.role}</span>
        <button class="quiet" @click=${() => chooseTheme(other)} aria-label=${`Change to the ${other} theme`}
          title=${`Change to the ${other} theme`}>${icon(other === "light" ? "sun" : "moon")}</button>
        <button class="quiet" @click=${() => void session.signOut()} aria-label="Sign out" title="Sign out">
          ${icon("signOut")}<span class="word">Sign out</span></button>
      </header>
    `;
  }

  #silence(problem: ApiError) {
    return html`
      <main class="silent" role="alert">
        <h1><st-state-mark state="failed"></st-state-mark>The studio does not answer</h1>
        <p>${problem.status === 0
          ? "Check that it runs and that you are on its network."
          : `${problem.message}.`}
          This page tries again by itself.</p>
        <button @click=${() => void this.#resume()}>Try again now</button>
      </main>
    `;
  }

  async #resume(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await session.resume();
      this.problem = undefined;
    } catch (error) {
      this.problem = error instanceof ApiError ? error : new ApiError(0, "unknown", String(error));
      this.#retry = setTimeout(() => void this.#resume(), RETRY_MS);
    }
  }

  async #loadStatus(): Promise<void> {
    if (this.isStatusLoaded) return;
    try {
      await import("#client/status/status_page.ts");
      this.isStatusLoaded = true;
    } catch {
      this.problem = new ApiError(0, "unreachable", "A part of this page could not be loaded: reload it");
    }
  }

  #goHome(): void {
    history.replaceState(null, "", "/");
    this.token = "";
  }

  readonly #skip = (event: Event) => {
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>("#content")?.focus();
  };
}

/** The token of "/setup#<token>"; empty at any other address. */
function tokenOfLink(): string {
  return location.pathname === "/setup" ? location.hash.slice(1) : "";
}
