import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import "#client/app/st_action.ts";
import { runCommand } from "#client/core/commands.ts";
import type { Panel } from "#client/core/panels.ts";
import { locale } from "#client/core/words.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import "#client/ui/copy_text.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import type { SelectEvent } from "#client/ui/list_events.ts";
import "#client/ui/select.ts";
import type { Select } from "#client/ui/select.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/table.ts";
import type { Column, Table } from "#client/ui/table.ts";
import { people } from "#client/users/people_store.ts";
import { sideStyles } from "#client/ui/side_styles.ts";
import type { AuditEntry } from "#server/audit/contract.ts";
import { actionName } from "./action_names.ts";
import { auditLog, type AuditView, EVERYTHING } from "./audit_store.ts";
import { w } from "./words.ts";

const HOURS = [[0, "anyTime"], [1, "hour"], [24, "day"], [168, "week"]] as const;

const COLUMNS: readonly (Omit<Column<AuditEntry>, "label"> & { name(): string })[] = [
  {
    id: "at",
    name: () => w("when"),
    width: "19ch",
    cell: ({ at }) => html`<span class="quiet">${shownTime(at)}</span>`,
  },
  {
    id: "who",
    name: () => w("who"),
    width: "minmax(10ch, 1fr)",
    cell: ({ login, tokenId }) =>
      html`${login ?? w("studio")}${
        tokenId
          ? html`
            <span class="quiet">${w("byToken")}</span>
          `
          : nothing
      }`,
  },
  {
    id: "did",
    name: () => w("did"),
    width: "minmax(16ch, 2fr)",
    cell: ({ action, label }) => actionName(action, label),
  },
  {
    id: "what",
    name: () => w("what"),
    width: "minmax(14ch, 2fr)",
    cell: (entry) => html`<span class="quiet">${aboutOf(entry)}</span>`,
  },
  {
    id: "ip",
    name: () => w("where"),
    width: "13ch",
    cell: ({ ip }) => html`<span class="quiet">${ip ?? ""}</span>`,
  },
];

/** The audit log with its filter; one entry with all that was recorded. */
@customElement("st-audit-panel")
export class AuditPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    sideStyles,
    css`
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: var(--space-1) var(--space-3);
        margin: 0;
        font-size: var(--size-text-small);
      }
      dt {
        color: var(--color-text-quiet);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      pre {
        margin: 0;
        padding: var(--space-2);
        overflow: auto;
        background: var(--color-ground);
        border-radius: var(--radius-control);
        font: var(--font-weight-regular) var(--size-label) / 1.6 var(--font-mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @query("st-table")
  accessor table: Table<AuditEntry> | null = null;
  #close: (() => void) | undefined;

  override connectedCallback() {
    super.connectedCallback();
    this.#close = people.open();
    void auditLog.read(this.#view());
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
  }

  override render() {
    const { entries, actions } = auditLog.facts;
    const view = this.#view();
    return html`
      <div class="frame">
        <h1 class="unseen">${w("audit")}</h1>
        <div class="bar">
        <st-select label=${w("filterAction")} label-unseen .value=${view.action}
          .options=${[
            { value: "", label: w("everyAction") },
            ...actions.map(({ action, label }) => ({
              value: action,
              label: actionName(action, label),
              group: action.split(".")[0],
            })),
          ]} @change=${(event: Event) => this.#set({ action: valueOf(event) })}></st-select>
        <st-select label=${w("filterUser")} label-unseen .value=${view.userId}
          .options=${[
            { value: "", label: w("everyone") },
            ...people.all.map(({ id, displayName }) => ({ value: id, label: displayName })),
          ]} @change=${(event: Event) => this.#set({ userId: valueOf(event) })}></st-select>
        <st-select label=${w("filterTime")} label-unseen .value=${String(view.hours)}
          .options=${HOURS.map(([hours, name]) => ({ value: String(hours), label: w(name) }))}
          @change=${(event: Event) => this.#set({ hours: Number(valueOf(event)) })}></st-select>
        <span class="gap"></span>
        ${entries ? html`<span class="quiet" role="status">${this.#count(entries.length)}</span>` : nothing}
        <st-action command="audit.refresh" look="quiet" icon-only></st-action>
        </div>
        <div class="list">${this.#list()}</div>
        <div class="side">${this.#side()}</div>
      </div>
    `;
  }

  #count(n: number): string {
    return auditLog.facts.next === undefined ? w("counted", { n }) : w("countedMore", { n });
  }

  #list() {
    const { entries, problem } = auditLog.facts;
    if (problem) {
      return html`
        <st-error heading=${w("unread")} text=${problem.message} id-to-copy=${problem.requestId}>
          <st-action command="audit.refresh"></st-action>
        </st-error>
      `;
    }
    if (!entries) return html`<st-skeleton count="12"></st-skeleton>`;
    if (entries.length === 0) {
      return html`<st-empty icon="filter" heading=${w("empty")} text=${w("emptyText")}></st-empty>`;
    }
    const chosen = this.#chosen;
    return html`
      <st-table single label=${w("audit")} .rows=${entries} .idOf=${idOf}
        .columns=${COLUMNS.map((column) => ({ ...column, label: column.name() }))}
        .selected=${new Set(chosen === undefined ? [] : [chosen])}
        @st-select=${({ ids }: SelectEvent) => this.panel.state.set("chosen", ids.at(-1))}
        @st-near-end=${() => void runCommand("audit.more")}></st-table>
    `;
  }

  #side() {
    const entry = auditLog.facts.entries?.find((one) => idOf(one) === this.#chosen);
    if (!entry) {
      return html`<st-empty icon="history" heading=${w("selectOne")} text=${w("selectOneText")}></st-empty>`;
    }
    const { facts } = entry;
    return html`
      <div class="stack">
        <h2>${actionName(entry.action, entry.label)}</h2>
        <dl>
          <dt>${w("who")}</dt><dd>${entry.login ?? w("studio")}</dd>
          <dt>${w("when")}</dt><dd>${new Date(entry.at).toLocaleString(locale())}</dd>
          ${entry.ip
            ? html`
              <dt>${w("where")}</dt>
              <dd>${entry.ip}</dd>
            `
            : nothing}
          ${entry.subjectId
            ? html`
              <dt>${w("subject")}</dt>
              <dd>${entry.subjectKind} <st-copy-text
                            text=${entry.subjectId}></st-copy-text></dd>
            `
            : nothing}
          ${entry.requestId
            ? html`
              <dt>${w("request")}</dt>
              <dd>
                <st-copy-text text=${entry.requestId}></st-copy-text>
              </dd>
            `
            : nothing}
        </dl>
        ${Object.keys(facts).length === 0 ? nothing : html`
          <h3>${w("facts")}</h3>
          <pre tabindex="0">${JSON.stringify(facts, null, 2)}</pre>
        `}
      </div>
    `;
  }

  get #chosen(): string | undefined {
    return this.panel.state.get<string | undefined>("chosen", undefined);
  }

  #view(): AuditView {
    return { ...EVERYTHING, ...this.panel.state.get<Partial<AuditView>>("filter", {}) };
  }

  #set(change: Partial<AuditView>): void {
    const view = { ...this.#view(), ...change };
    this.panel.state.set("filter", view);
    void auditLog.read(view);
  }

  override focus(): void {
    this.table?.focus();
  }
}

const idOf = ({ id }: AuditEntry) => String(id);

/** The value of a select of the template. */
function valueOf({ target }: Event): string {
  return (target as Select).value;
}

function shownTime(instant: string): string {
  const at = new Date(instant);
  const day = at.toLocaleDateString(locale(), { month: "short", day: "numeric" });
  return `${day}, ${at.toLocaleTimeString(locale(), { hour12: false })}`;
}

/** The name among the facts that tells most, else what kind of thing it is about. */
function aboutOf({ facts, subjectKind }: AuditEntry): string {
  const named = facts["name"] ?? facts["login"];
  return typeof named === "string" ? named : (subjectKind ?? "").replaceAll("_", " ");
}
