import { SignalWatcher } from "@lit-labs/signals";
import { html, LitElement, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { session } from "#client/auth/session_store.ts";
import { runCommand } from "#client/core/commands.ts";
import { formatDuration } from "#client/core/format.ts";
import type { Panel } from "#client/core/panels.ts";
import { entity, select, selection } from "#client/core/place.ts";
import { locale } from "#client/core/words.ts";
import "#client/ui/avatar.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/copy_text.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import type { SelectEvent } from "#client/ui/list_events.ts";
import "#client/ui/select.ts";
import type { Select } from "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import type { State } from "#client/ui/state_mark.ts";
import "#client/ui/table.ts";
import type { Column, Table } from "#client/ui/table.ts";
import { RoleCode } from "#server/core/permissions.ts";
import type { User } from "#server/users/contract.ts";
import { inviteForm, shownLink } from "./forms.ts";
import { people } from "./people_store.ts";
import { focusWhenDrawn } from "./focus_when_drawn.ts";
import { sideStyles } from "#client/ui/side_styles.ts";
import { w } from "./words.ts";

const MARKS: Readonly<Record<User["status"], State>> = {
  invited: "waiting",
  active: "good",
  disabled: "off",
};

const COLUMNS: readonly (Omit<Column<User>, "label"> & { name(): string })[] = [
  {
    id: "who",
    name: () => w("name"),
    width: "minmax(16ch, 2fr)",
    cell: ({ id, displayName }) =>
      html`<st-avatar name=${displayName}></st-avatar> <span title=${displayName}>${displayName}</span>${
        id === session.me?.userId
          ? html`
            <span class="quiet">${w("you")}</span>
          `
          : nothing
      }`,
  },
  {
    id: "login",
    name: () => w("login"),
    width: "minmax(12ch, 1fr)",
    cell: ({ login }) => html`<span class="quiet">${login}</span>`,
  },
  { id: "role", name: () => w("role"), width: "11ch", cell: ({ role }) => w(role) },
  {
    id: "state",
    name: () => w("state"),
    width: "13ch",
    cell: ({ status }) =>
      html`<st-state-mark state=${MARKS[status]}></st-state-mark> <span class="quiet">${w(status)}</span>`,
  },
  {
    id: "seen",
    name: () => w("lastSeen"),
    width: "14ch",
    align: "end",
    cell: ({ lastSeenAt }) => html`<span class="quiet">${since(lastSeenAt)}</span>`,
  },
];

/** Everyone with an account; one of them with what an admin may change; the form that invites. */
@customElement("st-users-panel")
export class UsersPanel extends SignalWatcher(LitElement) {
  static override styles = [controlStyles, sideStyles];

  @property({ attribute: false })
  accessor panel!: Panel;
  @query("st-table")
  accessor table: Table<User> | null = null;
  #close: (() => void) | undefined;
  #wasFormOpen = false;

  override connectedCallback() {
    super.connectedCallback();
    this.#close = people.open();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
  }

  override render() {
    return html`
      <div class="frame">
        <h1 class="unseen">${w("users")}</h1>
        <div class="bar">
        <st-action command="people.invite"></st-action>
        <span class="gap"></span>
        ${people.reading.isStale ? html`<span class="stale" role="status">${w("stale")}</span>` : nothing}
        </div>
        <div class="list">${this.#list()}</div>
        <div class="side">${inviteForm.now ? this.#form() : this.#side()}</div>
      </div>
    `;
  }

  #list() {
    const { problem, isKnown } = people.reading;
    if (!isKnown) {
      return problem
        ? html`
          <st-error heading=${w("unread")} text=${problem.message} id-to-copy=${problem.requestId}>
            <st-action command="people.read_again"></st-action>
          </st-error>
        `
        : html`<st-skeleton count="6"></st-skeleton>`;
    }
    return html`
      <st-table single label=${w("users")} .rows=${people.all}
        .columns=${COLUMNS.map((column) => ({ ...column, label: column.name() }))}
        .selected=${new Set(selection("user")?.ids ?? [])} @st-select=${this.#select}></st-table>
    `;
  }

  #side() {
    const user = people.find(selection("user")?.ids.at(-1) ?? entity("user")?.id ?? "");
    const isAdmin = session.may("user.admin");
    return html`
      <div class="stack">
        ${this.#link()}
        ${user
          ? html`
            <h2><st-avatar name=${user.displayName}></st-avatar>${user.displayName}</h2>
            <p>${user.login} · ${w(user.role)} · ${w(user.status)}</p>
            ${isAdmin
              ? html`
                <st-select label=${w("role")} .value=${user.role} ?disabled=${user.id === session.me?.userId}
                  .options=${RoleCode.options.map((role) => ({ value: role, label: w(role) }))}
                  hint=${user.id === session.me?.userId ? w("isYou") : ""}
                  @change=${this.#setRole(user)}></st-select>
                <div class="actions">
                  ${user.status === "disabled"
                    ? html`<st-action command="people.enable" .target=${user.id}></st-action>`
                    : html`
                      <st-action command="people.new_link" .target=${user.id}></st-action>
                      <st-action command="people.suspend" .target=${user.id}></st-action>
                    `}
                </div>
                ${user.status === "disabled" ? nothing : html`<p class="quiet">${w("suspendHint")}</p>`}
              `
              : nothing}
          `
          : people.all.length <= 1 && isAdmin
          ? html`
            <st-empty icon="userPlus" heading=${w("invite")} text=${w("emptyText")}>
              <st-action command="people.invite" look="primary"></st-action>
            </st-empty>
          `
          : html`<st-empty icon="user" heading=${w("selectOne")} text=${
            w(isAdmin ? "selectOneText" : "selectOneLook")
          }></st-empty>`}
      </div>
    `;
  }

  #link() {
    const shown = shownLink.get();
    if (!shown) return nothing;
    const until = new Date(shown.link.expiresAt).toLocaleTimeString(locale(), {
      hour: "2-digit",
      minute: "2-digit",
    });
    return html`
      <div class="once" role="status">
        <h2>${w("linkFor", { name: shown.name })}</h2>
        <st-copy-text text=${`${location.origin}${shown.link.path}`}></st-copy-text>
        <p class="quiet">${w("linkOnce", { time: until })}</p>
        <div class="actions">
          <st-action command="people.close" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  #form() {
    const form = inviteForm.now;
    if (!form) return nothing;
    const { problem } = form;
    const faultOf = (name: string) =>
      problem?.fields.filter(({ field }) => field.endsWith(name)).map(({ message }) => message).join(" ") ??
        "";
    return html`
      <div class="stack" @keydown=${this.#formKey}>
        <h2>${w("invite")}</h2>
        <p>${w("inviteHint")}</p>
        <st-field id="login" label=${w("login")} hint=${w("loginHint")} maxlength="120" .value=${form.login}
          fault=${faultOf("login")} autocomplete="off"
          @input=${(event: Event) =>
            inviteForm.type({ login: textOf(event), problem: undefined })}></st-field>
        <st-field label=${w("shownAs")} maxlength="120" .value=${form.displayName} fault=${faultOf(
          "displayName",
        )}
          autocomplete="off"
          @input=${(event: Event) =>
            inviteForm.type({ displayName: textOf(event), problem: undefined })}></st-field>
        <st-select label=${w("role")} .value=${form.role}
          .options=${RoleCode.options.map((role) => ({ value: role, label: w(role) }))}
          @change=${(event: Event) => inviteForm.type({ role: RoleCode.parse(textOf(event)) })}></st-select>
        ${problem && problem.fields.length === 0
          ? html`<st-error heading=${problem.message} id-to-copy=${problem.requestId}></st-error>`
          : nothing}
        <div class="actions">
          <st-action command="people.invite_now" look="primary"></st-action>
          <st-action command="people.close" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  protected override updated() {
    const isOpen = inviteForm.now !== undefined;
    if (isOpen === this.#wasFormOpen) return;
    this.#wasFormOpen = isOpen;
    if (isOpen) focusWhenDrawn(this.renderRoot.querySelector<Field>("#login"));
    else {
      const { table } = this;
      if (table) table.active = selection("user")?.ids.at(-1);
      table?.focus();
    }
  }

  override focus(): void {
    this.table?.focus();
  }

  readonly #select = ({ ids }: SelectEvent) => {
    shownLink.set(undefined);
    select("user", ids);
  };

  #setRole(user: User) {
    return (event: Event) => void runCommand(`people.make_${textOf(event)}`, user.id);
  }

  readonly #formKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") void runCommand("people.close");
    else if (
      event.key === "Enter" && event.target instanceof HTMLElement && event.target.localName === "st-field"
    ) {
      void runCommand("people.invite_now");
    }
  };
}

/** The value of a field or select of the template. */
function textOf({ target }: Event): string {
  return (target as Field | Select).value;
}

function since(instant: string | null): string {
  return instant === null ? w("never") : w("ago", { time: formatDuration(Date.now() - Date.parse(instant)) });
}
