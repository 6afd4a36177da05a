import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import "#client/app/st_action.ts";
import type { Panel } from "#client/core/panels.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/error_state.ts";
import { icon } from "#client/ui/icons.ts";
import "#client/ui/skeleton.ts";
import { Permission } from "#server/core/permissions.ts";
import { people } from "./people_store.ts";
import { permissionName } from "./permission_names.ts";
import { w } from "./words.ts";

const GROUPS = [
  ["permission_group_project", ["project", "asset"]],
  ["permission_group_work", ["character", "clip", "generate", "job", "queue", "workflow"]],
  ["permission_group_review", ["review", "delivery"]],
  ["permission_group_studio", ["worker", "user", "audit", "settings", "token"]],
] as const;

/** What each role may do, as the studio has it: to be read, not changed. */
@customElement("st-roles-panel")
export class RolesPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        height: 100%;
        overflow: auto;
        background: var(--color-ground);
        padding: var(--space-4);
      }
      p {
        margin: 0 0 var(--space-3);
        color: var(--color-text-quiet);
      }
      table {
        border-collapse: collapse;
        width: min(100%, var(--size-dialog-wide));
      }
      th,
      td {
        height: var(--size-control);
        padding: 0 var(--space-2);
        border-bottom: var(--size-hairline) solid color-mix(in oklab, var(--color-line) 55%, transparent);
        text-align: start;
        font-weight: var(--font-weight-regular);
      }
      thead th {
        position: sticky;
        top: calc(-1 * var(--space-4));
        background: var(--color-ground);
        font-weight: var(--font-weight-medium);
      }
      .group th {
        padding-top: var(--space-3);
        color: var(--color-text-quiet);
        font-size: var(--size-label);
      }
      td {
        width: 12ch;
        text-align: center;
      }
      thead th:not(:first-child) {
        text-align: center;
      }
      .may {
        color: var(--color-lime);
      }
      .not {
        color: var(--color-text-off);
      }
      tbody tr:not(.group):hover {
        background: var(--color-surface);
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  #close: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#close = people.open();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
  }

  override render() {
    const { roles } = people;
    const { problem } = people.reading;
    if (roles.length === 0) {
      return problem
        ? html`
          <st-error heading=${w("rolesUnread")} text=${problem.message} id-to-copy=${problem.requestId}>
            <st-action command="people.read_again"></st-action>
          </st-error>
        `
        : html`<st-skeleton count="12"></st-skeleton>`;
    }
    return html`
      <h1 class="unseen">${w("roles")}</h1>
      <p>${w("rolesText")}</p>
      <table>
        <thead>
          <tr><th scope="col">${w("permission")}</th>${roles.map(({ role }) =>
            html`<th scope="col">${w(role)}</th>`
          )}</tr>
        </thead>
        <tbody>${GROUPS.map(([title, slices]) =>
          html`
            <tr class="group">
              <th scope="rowgroup" colspan=${roles.length + 1}>${w(title)}</th>
            </tr>
            ${Permission.options.filter((code) => slices.some((slice) => code.split(".")[0] === slice)).map((
              code,
            ) =>
              html`
                <tr>
                  <th scope="row">${permissionName(code)}</th>
                  ${roles.map(({ permissions }) => {
                    const may = permissions.includes(code);
                    return html`<td class=${may ? "may" : "not"}>${icon(may ? "check" : "minus")}<span
                  class="unseen">${w(may ? "may" : "mayNot")}</span></td>`;
                  })}
                </tr>
              `
            )}
          `
        )}</tbody>
      </table>
    `;
  }
}
