import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError } from "#client/core/call.ts";
import { formStyles } from "#client/ui/form_styles.ts";
import { loopLines } from "./loop_lines.ts";
import { session } from "./session_store.ts";

interface Field {
  readonly name: "login" | "displayName" | "password";
  readonly label: string;
  readonly type: "text" | "password";
  readonly autocomplete: "username" | "name" | "new-password" | "current-password";
  readonly hint?: string;
  readonly isOptional?: boolean;
}

const SIGN_IN: readonly Field[] = [
  { name: "login", label: "Name", type: "text", autocomplete: "username" },
  { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
];

const SETUP: readonly Field[] = [
  {
    name: "login",
    label: "Name to sign in with",
    type: "text",
    autocomplete: "username",
    hint: "Without spaces.",
  },
  {
    name: "displayName",
    label: "Shown to others as (optional)",
    type: "text",
    autocomplete: "name",
    isOptional: true,
  },
  {
    name: "password",
    label: "Password",
    type: "password",
    autocomplete: "new-password",
    hint: "10 characters or more. A phrase is easier to keep than signs.",
  },
];

/** Sign-in, or, with a one-time link's token, the form that makes the studio's first admin. */
@customElement("st-sign-in-page")
export class SignInPage extends LitElement {
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

  /** Token of a one-time link; empty for plain sign-in. */
  @property()
  accessor token = "";
  @state()
  accessor isBusy = false;
  @state()
  accessor problem: ApiError | undefined;
  @query("input")
  accessor firstField!: HTMLInputElement | null;

  override render() {
    const isSetup = this.token !== "";
    return html`
      ${loopLines()}
      <main>
        <form @submit=${this.#submit} novalidate aria-labelledby="title">
          <header>
            <img src="/icon.svg" alt="">
            <h1 id="title">${isSetup ? "Welcome to Seedloop" : "Seedloop"}</h1>
          </header>
          <p class="lead">${isSetup
            ? "Make the studio's first admin. This link works once; everyone else is invited later."
            : "Sign in to the studio."}</p>
          ${(isSetup ? SETUP : SIGN_IN).map((field) => this.#field(field))}
          ${this.#general()}
          <button class="primary" ?disabled=${this.isBusy}>
            ${isSetup ? "Make the admin" : "Sign in"} <kbd aria-hidden="true">⏎</kbd>
          </button>
        </form>
        <footer>${isSetup
          ? html`The API is described at <a href="/api/docs">/api/docs</a>.`
          : "No password, or a lost one? An admin of this studio gives out a link."}</footer>
      </main>
    `;
  }

  #field({ name, label, type, autocomplete, hint, isOptional }: Field) {
    const faults = this.#faults(name);
    return html`
      <div class="field">
        <label>${label}
          <input name=${name} type=${type} autocomplete=${autocomplete} ?required=${!isOptional}
            spellcheck="false" autocapitalize="off" aria-describedby=${`${name}-note`}
            aria-invalid=${faults.length > 0 ? "true" : "false"}>
        </label>
        <div id=${`${name}-note`}>
          ${faults.length > 0
            ? html`<p class="problem fault">${sentence(faults)}</p>`
            : hint
            ? html`<p class="hint">${hint}</p>`
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
      problem && !isOfFields ? html`<p class="problem">${problem.message}.</p>` : nothing
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

  readonly #submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (this.isBusy) return;
    // The form is this template's own; its fields are texts.
    const fields = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<
      string,
      string
    >;
    const { login = "", password = "", displayName = "" } = fields;
    const empty = [["login", login], ["password", password]].filter(([, value]) => value === "");
    if (empty.length > 0) {
      this.problem = new ApiError(
        400,
        "invalid",
        "Name and password are needed",
        empty.map(([name]) => ({ field: `/body/${name}`, message: "is needed" })),
      );
      return;
    }
    this.isBusy = true;
    this.problem = undefined;
    try {
      if (this.token) {
        await session.acceptLink({
          token: this.token,
          login,
          password,
          ...(displayName.trim() ? { displayName } : {}),
        });
      } else await session.signIn(login, password);
    } catch (error) {
      this.problem = error instanceof ApiError ? error : new ApiError(0, "unknown", String(error));
    } finally {
      this.isBusy = false;
    }
  };
}

const NAMES: ReadonlySet<string> = new Set(["login", "displayName", "password"]);

/** "must have at least 10 characters" → "This must have at least 10 characters." */
function sentence(faults: readonly string[]): string {
  return faults.map((fault) => /^[a-z]/.test(fault) ? `This ${fault}.` : `${fault}.`).join(" ");
}
