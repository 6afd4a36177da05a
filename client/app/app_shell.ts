import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import { ApiError } from "#client/core/call.ts";
import { w } from "#client/auth/words.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import "#client/ui/state_mark.ts";
import { linkOf } from "#client/auth/one_time_link.ts";
import "#client/auth/sign_in_page.ts";

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
    `,
  ];

  @state()
  accessor problem: ApiError | undefined;
  @state()
  accessor link = linkOf(location);
  @state()
  accessor isStudioLoaded = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback() {
    super.connectedCallback();
    // On its way while the studio says who one is; what fails is asked for again, and then told.
    if (session.isLikely && !this.link) void import("./studio.ts").catch(() => {});
    void this.#resume();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.#retry);
  }

  override render() {
    const { me } = session;
    if (this.problem) return this.#silence(this.problem);
    if (this.link) {
      return html`<st-sign-in-page .link=${this.link} @st-signed-in=${this.#goHome}></st-sign-in-page>`;
    }
    if (me === undefined) return nothing;
    if (me === null) return html`<st-sign-in-page></st-sign-in-page>`;
    return this.isStudioLoaded ? html`<st-studio></st-studio>` : nothing;
  }

  protected override updated() {
    if (session.me && !this.link) void this.#loadStudio();
  }

  #silence(problem: ApiError) {
    return html`
      <main class="silent" role="alert">
        <h1><st-state-mark state="failed"></st-state-mark>${w("silent")}</h1>
        <p>${problem.status === 0 ? w("silentMend") : `${problem.message}.`} ${w("silentAgain")}</p>
        <button @click=${() => void this.#resume()}>${w("tryNow")}</button>
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

  async #loadStudio(): Promise<void> {
    if (this.isStudioLoaded) return;
    try {
      await import("./studio.ts");
      this.isStudioLoaded = true;
    } catch {
      this.problem = new ApiError(503, "unreachable", w("partMissing"));
    }
  }

  readonly #goHome = () => {
    history.replaceState(null, "", "/");
    this.link = undefined;
  };
}
