import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { session } from "#client/auth/session_store.ts";
import { tell, tellError } from "#client/core/notices.ts";
import type { Panel } from "#client/core/panels.ts";
import { projectId } from "#client/core/place.ts";
import { isolate, locale } from "#client/core/words.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import type { Select } from "#client/ui/select.ts";
import { RoleCode } from "#server/core/permissions.ts";
import type { ProjectMember } from "#server/projects/contract.ts";
import type { User } from "#server/users/contract.ts";
import "#client/app/st_action.ts";
import "#client/ui/avatar.ts";
import "#client/ui/badge.ts";
import "#client/ui/button.ts";
import "#client/ui/dialog.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import { noteMember } from "./changes.ts";
import { closeAddingMember, isAddingMember } from "./commands.ts";
import { membersOf, type MemberStore, readPeople } from "./member_store.ts";
import { w } from "./words.ts";

const ROLE_WORDS = { admin: "roleAdmin", creator: "roleCreator", reviewer: "roleReviewer" } as const;
const ROLE_TEXTS = {
  admin: "roleAdminText",
  creator: "roleCreatorText",
  reviewer: "roleReviewerText",
} as const;

/** Who is in the open project, and as what. */
@customElement("st-members-panel")
export class MembersPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        height: 100%;
        overflow: auto;
      }
      st-error {
        margin: var(--space-4);
      }
      .page {
        display: grid;
        gap: var(--space-4);
        max-width: calc(2 * var(--size-side));
        padding: var(--space-4);
      }
      .bar {
        display: flex;
        gap: var(--space-3);
        align-items: center;
      }
      h1 {
        margin: 0;
        font-size: var(--size-text-lead);
        font-weight: var(--font-weight-strong);
      }
      .count,
      .quiet {
        color: var(--color-text-quiet);
      }
      .bar st-action {
        margin-inline-start: auto;
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) minmax(0, auto) minmax(0, 30%) auto;
        gap: var(--space-3);
        align-items: center;
        min-height: calc(var(--size-row) + var(--space-2));
        border-bottom: var(--size-hairline) solid var(--color-line);
      }
      .who {
        display: grid;
        min-width: 0;
      }
      .small {
        font-size: var(--size-text-small);
      }
      .form {
        display: grid;
        gap: var(--space-4);
        min-width: min(100%, var(--size-form));
      }
      @container panel (width < 40rem) {
        .since {
          display: none;
        }
        li {
          grid-template-columns: auto minmax(0, 1fr) minmax(0, 40%) auto;
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @state()
  accessor people: readonly User[] = [];
  @state()
  accessor chosen = "";
  @state()
  accessor newRole: RoleCode = "creator";
  #store: MemberStore | undefined;
  #shown: string | undefined;
  #close: (() => void) | undefined;

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
    this.#shown = undefined;
  }

  #follow(id: string | undefined): void {
    if (id === this.#shown) return;
    this.#close?.();
    this.#shown = id;
    this.#store = id === undefined ? undefined : membersOf(id);
    this.#close = this.#store?.open();
  }

  override render() {
    this.#follow(projectId());
    if (!this.#store) {
      return html`
        <st-empty icon="users" heading=${w("noProjectHeading")} text=${w("noProjectText")}>
          <st-action command="projects.show"></st-action>
        </st-empty>
      `;
    }
    const { isKnown, problem } = this.#store.reading;
    if (!isKnown && problem) {
      return html`
        <st-error heading=${w("membersFailed")} text=${problem.message} id-to-copy=${problem.requestId}>
          <st-button @click=${() => void this.#store?.reading.read()}>${w("tryAgain")}</st-button>
        </st-error>
      `;
    }
    return html`
      <div class="page">
        <div class="bar">
          <h1>${w("members")}</h1><span class="count">${isKnown ? this.#store.all.length : ""}</span>
          <st-action command="members.add"></st-action>
        </div>
        ${isKnown
          ? html`<ul>${repeat(this.#store.all, ({ userId }) => userId, (member) => this.#row(member))}</ul>`
          : html`<st-skeleton count="4"></st-skeleton>`}
      </div>
      ${this.#form()}
    `;
  }

  #row(member: ProjectMember) {
    const { displayName, login, role, addedAt } = member;
    const isMe = member.userId === session.me?.userId;
    const may = session.may("project.members");
    const since = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(new Date(addedAt));
    return html`
      <li>
        <st-avatar name=${displayName}></st-avatar>
        <span class="who">
          <span class="cut" title=${displayName}>${displayName}${isMe
            ? html`
              <span class="quiet small">(${w("you")})</span>
            `
            : nothing}</span>
          <span class="cut quiet small">${login}</span>
        </span>
        <span class="since quiet small cut">${w("since", { date: since })}</span>
        ${may
          ? html`
            <st-select label=${w("roleOf", { name: displayName })} label-unseen .options=${roleOptions(role)}
              .value=${role} @change=${(event: Event) => void this.#setRole(member, event)}></st-select>
          `
          : html`<span>${w(ROLE_WORDS[role])}</span>`}
        <st-action command="members.remove" .target=${member} look="quiet" icon-only></st-action>
      </li>
    `;
  }

  #form() {
    const members = new Set<string>(this.#store?.all.map(({ userId }) => userId));
    const others = this.people.filter(({ id }) => !members.has(id));
    const chosen = others.some(({ id }) => id === this.chosen) ? this.chosen : others[0]?.id ?? "";
    return html`
      <st-dialog heading=${w("addMember")} .open=${isAddingMember()} @st-close=${closeAddingMember}>
        ${others.length === 0 ? html`<p class="quiet">${w("nobodyLeft")}</p>` : html`
          <div class="form">
            <st-select autofocus label=${w("person")} .value=${chosen} .options=${others.map((user) => ({
              value: user.id,
              label: `${isolate(user.displayName)} · ${user.login}`,
            }))}
              @change=${(event: Event) => this.chosen = (event.target as Select).value}></st-select>
            <st-select label=${w("role")} .value=${this.newRole} .options=${roleOptions(this.newRole)}
              hint=${w(ROLE_TEXTS[this.newRole])}
              @change=${(event: Event) =>
                this.newRole = RoleCode.parse((event.target as Select).value)}></st-select>
          </div>
        `}
        <st-button slot="actions" variant="quiet" @click=${closeAddingMember}>${w("cancel")}</st-button>
        ${others.length === 0 ? nothing : html`
          <st-button slot="actions" variant="primary" @click=${() => void this.#add(others, chosen)}>${w(
            "addMember",
          )}</st-button>
        `}
      </st-dialog>
    `;
  }

  protected override updated() {
    if (isAddingMember() && this.people.length === 0) {
      void readPeople().then((people) => this.people = people, tellError);
    }
  }

  async #add(others: readonly User[], chosen: string): Promise<void> {
    const user = others.find(({ id }) => id === chosen);
    const store = this.#store;
    if (!user || !store) return;
    try {
      await store.set(user.id, this.newRole);
      closeAddingMember();
      const text = w("added", { name: user.displayName });
      const [before, after] = [null, this.newRole];
      const undo = noteMember(text, { projectId: projectId() ?? "", userId: user.id, before, after });
      tell({ kind: "done", text, undo });
    } catch (error) {
      tellError(error);
    }
  }

  async #setRole(member: ProjectMember, event: Event): Promise<void> {
    const select = event.target as Select;
    const store = this.#store;
    try {
      const role = RoleCode.parse(select.value);
      await store?.set(member.userId, role);
      const text = w("roleChanged", { name: member.displayName, role: w(ROLE_WORDS[role]) });
      const { userId, role: before } = member;
      const undo = noteMember(text, { projectId: projectId() ?? "", userId, before, after: role });
      tell({ kind: "done", text, undo });
    } catch (error) {
      select.value = member.role;
      tellError(error);
    }
  }
}

/** Only an admin may make admins of a project. */
function roleOptions(now: RoleCode) {
  return RoleCode.options.filter((role) => role !== "admin" || role === now || session.me?.role === "admin")
    .map((role) => ({ value: role, label: w(ROLE_WORDS[role]) }));
}
