import { SignalWatcher } from "@lit-labs/signals";
import { html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "#client/app/st_action.ts";
import { runCommand } from "#client/core/commands.ts";
import { formatDuration } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import "#client/ui/checkbox.ts";
import type { Checkbox } from "#client/ui/checkbox.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/copy_text.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import "#client/ui/select.ts";
import type { Select } from "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import type { ApiToken } from "#server/auth/contract.ts";
import { TokenScope } from "#server/core/permissions.ts";
import { account } from "./account_store.ts";
import { askedAgain, shownSecret, tokenForm } from "./forms.ts";
import { focusWhenDrawn } from "./focus_when_drawn.ts";
import { pageStyles } from "./page_styles.ts";
import { w } from "./words.ts";

const LIVES = [7, 30, 90, 365, 0] as const;

/** One's own API tokens: what each may do and until when; a new one's secret, once. */
@customElement("st-tokens-panel")
export class TokensPanel extends SignalWatcher(LitElement) {
  static override styles = [controlStyles, pageStyles];

  @property({ attribute: false })
  accessor panel!: Panel;
  #wasOpen = false;

  override connectedCallback() {
    super.connectedCallback();
    void account.read();
  }

  override render() {
    const { tokens, problem } = account.facts;
    return html`
      <div class="page"><h1 class="unseen">${w("tokens")}</h1>
        <div class="head"><h2>${w("tokens")}</h2><st-action command="account.new_token"></st-action></div>
        <p>${w("tokenText")}</p>
        ${this.#secret()} ${tokenForm.now ? this.#form() : nothing}
        ${problem
          ? html`
            <st-error heading=${w("tokensUnread")} text=${problem.message} id-to-copy=${problem.requestId}>
              <st-action command="account.read_again"></st-action>
            </st-error>
          `
          : nothing}
        ${!tokens
          ? problem ? nothing : html`<st-skeleton count="3"></st-skeleton>`
          : tokens.length === 0
          ? html`<p class="quiet">${w("tokensEmpty")}</p>`
          : html`<ul>${repeat(tokens, ({ id }) => id, (token) => this.#row(token))}</ul>`}
      </div>
    `;
  }

  #row(token: ApiToken) {
    const isAsked = askedAgain.get() === token.id;
    return html`
      <li>
        <div>
          <div class="cut" title=${token.name}>${token.name} <code class="quiet">${token.prefix}…</code></div>
          <div class="quiet">${token.scopes.join(", ")} · ${life(token)} · ${token.lastUsedAt
            ? w("lastUsed", { time: since(token.lastUsedAt) })
            : w("neverUsed")}</div>
        </div>
        <div class="actions">
          ${isAsked
            ? html`<st-action command="account.close" look="quiet" label=${w("keep")}></st-action>`
            : nothing}
          <st-action command="account.revoke_token" .target=${token.id} look=${isAsked
            ? "plain"
            : "quiet"}></st-action>
        </div>
      </li>
    `;
  }

  #secret() {
    const secret = shownSecret.get();
    if (!secret) return nothing;
    return html`
      <div class="once" role="status">
        <strong>${w("secretOf", { name: secret.name })}</strong>
        <st-copy-text text=${secret.text}></st-copy-text>
        <p class="quiet">${w("secretOnce")}</p>
        <div class="actions">
          <st-action command="account.close" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  #form() {
    const form = tokenForm.now;
    if (!form) return nothing;
    const { problem } = form;
    return html`
      <div class="form" @keydown=${this.#formKey}>
        <st-field label=${w("tokenName")} hint=${w("tokenNameHint")} maxlength="120" .value=${form.name}
          fault=${problem?.message ?? ""} autocomplete="off"
          @input=${(event: Event) =>
            tokenForm.type({ name: (event.target as Field).value, problem: undefined })}></st-field>
        <fieldset>
          <legend>${w("scopes")}</legend>
          ${TokenScope.options.map((scope) =>
            html`
              <st-checkbox ?checked=${form.scopes.includes(scope)} @change=${(event: Event) => {
                const isOn = (event.target as Checkbox).checked;
                const rest = form.scopes.filter((one) => one !== scope);
                tokenForm.type({ scopes: isOn ? [...rest, scope] : rest });
              }}>${w(`scope_${scope}`)}</st-checkbox>
            `
          )}
        </fieldset>
        <st-select label=${w("expires")} .value=${String(form.days)}
          .options=${LIVES.map((days) => ({ value: String(days), label: lifeName(days) }))}
          @change=${(event: Event) =>
            tokenForm.type({ days: Number((event.target as Select).value) })}></st-select>
        <div class="actions">
          <st-action command="account.make_token" look="primary"></st-action>
          <st-action command="account.close" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  protected override updated() {
    const isOpen = tokenForm.now !== undefined;
    if (isOpen && !this.#wasOpen) focusWhenDrawn(this.renderRoot.querySelector<Field>("st-field"));
    this.#wasOpen = isOpen;
  }

  readonly #formKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") void runCommand("account.close");
    else if (
      event.key === "Enter" && event.target instanceof HTMLElement && event.target.localName === "st-field"
    ) {
      void runCommand("account.make_token");
    }
  };
}

function lifeName(days: number): string {
  return days === 0 ? w("neverEnds") : days === 365 ? w("year") : w("days", { n: days });
}

function life({ expiresAt }: ApiToken): string {
  if (expiresAt === null) return w("noExpiry");
  const left = Date.parse(expiresAt) - Date.now();
  return left > 0 ? w("expiresIn", { time: formatDuration(left) }) : w("hasExpired");
}

function since(instant: string): string {
  return formatDuration(Date.now() - Date.parse(instant));
}
