import { SignalWatcher } from "@lit-labs/signals";
import { html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "#client/app/st_action.ts";
import { runCommand } from "#client/core/commands.ts";
import { formatDuration } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import "#client/ui/badge.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import "#client/ui/skeleton.ts";
import type { Session } from "#server/auth/contract.ts";
import { account } from "./account_store.ts";
import { askedAgain, passwordForm } from "./forms.ts";
import { focusWhenDrawn } from "./focus_when_drawn.ts";
import { pageStyles } from "./page_styles.ts";
import { w } from "./words.ts";

/** Every browser in which one is signed in, with the way out of each; and one's password. */
@customElement("st-sessions-panel")
export class SessionsPanel extends SignalWatcher(LitElement) {
  static override styles = [controlStyles, pageStyles];

  @property({ attribute: false })
  accessor panel!: Panel;
  #wasOpen = false;

  override connectedCallback() {
    super.connectedCallback();
    void account.read();
  }

  override render() {
    const { sessions, problem } = account.facts;
    return html`
      <div class="page"><h1 class="unseen">${w("sessions")}</h1>
        <div class="head">
          <h2>${w("sessions")}</h2>
          ${askedAgain.get() === "everywhere"
            ? html`<st-action command="account.close" look="quiet" label=${w("keep")}></st-action>`
            : nothing}
          <st-action command="account.sign_out_everywhere"></st-action>
        </div>
        <p>${w("sessionsText")}</p>
        ${problem
          ? html`
            <st-error heading=${w("sessionsUnread")} text=${problem.message} id-to-copy=${problem.requestId}>
              <st-action command="account.read_again"></st-action>
            </st-error>
          `
          : nothing}
        ${!sessions
          ? problem ? nothing : html`<st-skeleton count="3"></st-skeleton>`
          : html`<ul>${repeat(sessions, ({ id }) => id, (one) => this.#row(one))}</ul>`}
        <div class="head"><h2>${w("password")}</h2>
          ${passwordForm.now
            ? nothing
            : html`<st-action command="account.change_password"></st-action>`}</div>
        ${passwordForm.now ? this.#form() : nothing}
      </div>
    `;
  }

  #row(one: Session) {
    return html`
      <li>
        <div>
          <div class="cut" title=${one.userAgent ?? ""}>${browserOf(one.userAgent)}
            ${one.isCurrent ? html`<st-badge state="good">${w("thisSession")}</st-badge>` : nothing}</div>
          <div class="quiet">${[
            one.ip ? w("from", { ip: one.ip }) : "",
            w("since", { time: since(one.createdAt) }),
            w("lastUsed", { time: since(one.lastUsedAt) }),
          ].filter(Boolean).join(" · ")}</div>
        </div>
        ${one.isCurrent
          ? nothing
          : html`<st-action command="account.end_session" .target=${one.id} look="quiet"></st-action>`}
      </li>
    `;
  }

  #form() {
    const form = passwordForm.now;
    if (!form) return nothing;
    const { problem } = form;
    const faultOf = (name: string) =>
      problem?.fields.filter(({ field }) => field.endsWith(name)).map(({ message }) => message).join(" ") ??
        "";
    return html`
      <div class="form" @keydown=${this.#formKey}>
        <p class="quiet">${w("passwordText")}</p>
        <st-field label=${w("passwordNow")} type="password" autocomplete="current-password" .value=${form
          .current}
          fault=${faultOf("current") || (problem && problem.fields.length === 0 ? problem.message : "")}
          @input=${(event: Event) =>
            passwordForm.type({ current: (event.target as Field).value, problem: undefined })}></st-field>
        <st-field label=${w("passwordNew")} type="password" autocomplete="new-password" .value=${form.next}
          hint=${w("passwordHint")} fault=${faultOf("next")}
          @input=${(event: Event) =>
            passwordForm.type({ next: (event.target as Field).value, problem: undefined })}></st-field>
        <div class="actions">
          <st-action command="account.save_password" look="primary"></st-action>
          <st-action command="account.close" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  protected override updated() {
    const isOpen = passwordForm.now !== undefined;
    if (isOpen && !this.#wasOpen) focusWhenDrawn(this.renderRoot.querySelector<Field>("st-field"));
    this.#wasOpen = isOpen;
  }

  readonly #formKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") void runCommand("account.close");
    else if (
      event.key === "Enter" && event.target instanceof HTMLElement && event.target.localName === "st-field"
    ) {
      void runCommand("account.save_password");
    }
  };
}

/** "Firefox on Linux": as much of a user agent as a person wants to know. */
export function browserOf(userAgent: string | null): string {
  if (!userAgent) return w("unknownBrowser");
  const browser = /Edg\//.test(userAgent)
    ? "Edge"
    : /Firefox\//.test(userAgent)
    ? "Firefox"
    : /Chrom(e|ium)\//.test(userAgent)
    ? "Chrome"
    : /Safari\//.test(userAgent)
    ? "Safari"
    : userAgent.split("/")[0];
  const system = /Windows/.test(userAgent)
    ? "Windows"
    : /Android/.test(userAgent)
    ? "Android"
    : /iPhone|iPad/.test(userAgent)
    ? "iOS"
    : /Mac OS/.test(userAgent)
    ? "macOS"
    : /Linux/.test(userAgent)
    ? "Linux"
    : "";
  return system ? `${browser} · ${system}` : browser ?? userAgent;
}

function since(instant: string): string {
  return formatDuration(Date.now() - Date.parse(instant));
}
