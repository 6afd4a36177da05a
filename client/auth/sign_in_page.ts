import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import type { OneTimeLink } from "./one_time_link.ts";
import { loopLines } from "./loop_lines.ts";
import { reasonOf, session } from "./session_store.ts";
import { w } from "./words.ts";

interface Field {
  readonly name: "login" | "displayName" | "password";
  readonly label: () => string;
  readonly type: "text" | "password";
  readonly autocomplete: "username" | "name" | "new-password" | "current-password";
  readonly hint?: () => string;
  readonly isOptional?: boolean;
}

const NEW_PASSWORD: Field = {
  name: "password",
  label: () => w("password"),
  type: "password",
  autocomplete: "new-password",
  hint: () => w("passwordHint"),
};

/** What each page asks for. Whom a link was made for has a name already. */
const FIELDS: Readonly<Record<OneTimeLink["purpose"] | "signIn", readonly Field[]>> = {
  signIn: [
    { name: "login", label: () => w("name"), type: "text", autocomplete: "username" },
    { name: "password", label: () => w("password"), type: "password", autocomplete: "current-password" },
  ],
  setup: [
    {
      name: "login",
      label: () => w("loginName"),
      type: "text",
      autocomplete: "username",
      hint: () => w("loginHint"),
    },
    {
      name: "displayName",
      label: () => w("shownAs"),
      type: "text",
      autocomplete: "name",
      isOptional: true,
    },
    NEW_PASSWORD,
  ],
  invite: [NEW_PASSWORD],
  reset: [{ ...NEW_PASSWORD, label: () => w("newPassword") }],
};

const TITLES = {
  signIn: "signInTitle",
  setup: "setupTitle",
  invite: "welcome",
  reset: "resetTitle",
} as const;
const LEADS = { signIn: "signInLead", setup: "setupLead", invite: "inviteLead", reset: "resetLead" } as const;
const VERBS = { signIn: "signIn", setup: "makeAdmin", invite: "enter", reset: "setPassword" } as const;

/**
 * Sign-in, or what a one-time link is for: the first admin, an invitation, a new password. Sends `st-signed-in` when
 * a link was used or is left alone.
 */
@customElement("st-sign-in-page")
export class SignInPage extends SignalWatcher(LitElement) {
  static override styles = [
    formStyles,
    css`
      :host {
        position: relative;
        display: grid;
        place-items: center;
        min-height: 100vh;
        padding: var(--space-6);
        overflow: hidden;
      }
      .lines {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        pointer-events: none;
      }
      main {
        position: relative;
        width: 100%;
        max-width: var(--size-form);
      }
      form {
        display: grid;
        gap: var(--space-4);
        padding: var(--space-8);
        background: var(--color-ground);
        border: var(--size-hairline) solid var(--color-line);
        border-radius: var(--radius-panel);
      }
      header {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      header img {
        width: var(--space-8);
        height: var(--space-8);
      }
      h1 {
        margin: 0;
        font-size: var(--size-title);
        font-weight: var(--font-weight-strong);
        letter-spacing: -0.01em;
        line-height: 1.2;
      }
      .lead {
        margin: 0;
        color: var(--color-text-quiet);
      }
      .ended {
        margin: 0;
        padding: var(--space-2) var(--space-3);
        border-left: var(--size-running-line) solid var(--color-amber);
        background: color-mix(in oklab, var(--color-amber) 10%, var(--color-ground));
      }
      .field {
        display: grid;
        gap: var(--space-1);
      }
      button {
        margin-top: var(--space-2);
      }
      footer {
        margin-top: var(--space-3);
        padding: 0 var(--space-8);
        font-size: var(--size-text-small);
        color: var(--color-text-quiet);
      }
      footer a {
        color: inherit;
      }
    `,
  ];

  /** Undefined for plain sign-in. */
  @property({ attribute: false })
  accessor link: OneTimeLink | undefined;
  @state()
  accessor isBusy = false;
  @state()
  accessor problem: ApiError | undefined;
  @query("input")
  accessor firstField!: HTMLInputElement | null;

  override render() {
    const page = this.link?.purpose ?? "signIn";
    document.title = w(TITLES[page]);
    return html`
      ${loopLines()}
      <main>
        <form @submit=${this.#submit} novalidate aria-labelledby="title">
          <header>
            <img src="/icon.svg" alt="">
            <h1 id="title">${page === "signIn"
              ? "Seedloop"
              : w(page === "reset" ? "resetTitle" : "welcome")}</h1>
          </header>
          ${this.#ended()}
          <p class="lead">${w(LEADS[page])}</p>
          ${this.#whoIsIn()} ${FIELDS[page].map((field) => this.#field(field))} ${this.#general()}
          <button class="primary" ?disabled=${this.isBusy}>
            ${w(VERBS[page])} <kbd aria-hidden="true">⏎</kbd>
          </button>
        </form>
        <footer>${page === "signIn"
          ? w("lost")
          : page === "setup"
          ? html`${w("api")} <a href="/api/docs">/api/docs</a>.`
          : html`<a href="/" @click=${this.#leave}>${session.me ? w("goBack") : w("toSignIn")}</a>`}</footer>
      </main>
    `;
  }

  /** Whoever was in a moment ago is told why that is over. */
  #ended() {
    const { endedBy } = session;
    return this.link || !endedBy ? nothing : html`<p class="ended" role="status">${w(endedBy)}</p>`;
  }

  #whoIsIn() {
    const { me } = session;
    return this.link && me ? html`<p class="hint">${w("stay", { name: me.displayName })}</p>` : nothing;
  }

  #field({ name, label, type, autocomplete, hint, isOptional }: Field) {
    const faults = this.#faults(name);
    return html`
      <div class="field">
        <label>${label()}
          <input name=${name} type=${type} autocomplete=${autocomplete} ?required=${!isOptional}
            spellcheck="false" autocapitalize="off" aria-describedby=${`${name}-note`}
            aria-invalid=${faults.length > 0 ? "true" : "false"}>
        </label>
        <div id=${`${name}-note`}>
          ${faults.length > 0
            ? html`<p class="problem fault">${sentence(faults)}</p>`
            : hint
            ? html`<p class="hint">${hint()}</p>`
            : nothing}
        </div>
      </div>
    `;
  }

  /** What no field is to blame for. */
  #general() {
    const { problem } = this;
    const isOfFields = problem?.fields.some(({ field }) => NAMES.has(field.split("/").at(-1) ?? "")) ?? false;
    return html`<div role="alert">${
      problem && !isOfFields ? html`<p class="problem">${generalOf(problem)}</p>` : nothing
    }</div>`;
  }

  #faults(name: string): string[] {
    return (this.problem?.fields ?? []).filter(({ field }) => field.endsWith(`/${name}`)).map(({ message }) =>
      message
    );
  }

  protected override firstUpdated() {
    this.firstField?.focus();
  }

  protected override updated(changed: PropertyValues<this>) {
    if (!changed.has("problem") || !this.problem) return;
    const wrong = this.renderRoot.querySelector<HTMLInputElement>("input[aria-invalid=true]");
    (wrong ?? this.renderRoot.querySelector<HTMLInputElement>("input[type=password]"))?.focus();
  }

  readonly #leave = (event: Event) => {
    event.preventDefault();
    this.dispatchEvent(new Event("st-signed-in"));
  };

  readonly #submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (this.isBusy) return;
    // The form is this template's own; its fields are texts.
    const fields = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<
      string,
      string
    >;
    const { login = "", password = "", displayName = "" } = fields;
    const asked = FIELDS[this.link?.purpose ?? "signIn"].filter(({ isOptional }) => !isOptional);
    const empty = asked.filter(({ name }) => (fields[name] ?? "") === "");
    if (empty.length > 0) {
      this.problem = new ApiError(
        400,
        "invalid",
        asked.length > 1 ? w("bothNeeded") : w("passwordNeeded"),
        empty.map(({ name }) => ({ field: `/body/${name}`, message: w("needed") })),
      );
      return;
    }
    this.isBusy = true;
    this.problem = undefined;
    try {
      if (this.link) {
        await session.acceptLink({
          token: this.link.token,
          password,
          ...(login ? { login } : {}),
          ...(displayName.trim() ? { displayName } : {}),
        });
        this.dispatchEvent(new Event("st-signed-in"));
      } else await session.signIn(login, password);
    } catch (error) {
      this.problem = error instanceof ApiError ? error : new ApiError(0, "unknown", String(error));
    } finally {
      this.isBusy = false;
    }
  };
}

function generalOf(problem: ApiError): string {
  const reason = reasonOf(problem);
  return reason ? w(reason) : `${problem.message}.`;
}

const NAMES: ReadonlySet<string> = new Set(["login", "displayName", "password"]);

/** "must have at least 10 characters" → "This must have at least 10 characters." */
function sentence(faults: readonly string[]): string {
  return faults.map((fault) => /^[a-z]/.test(fault) ? w("this", { fault }) : `${fault}.`).join(" ");
}
