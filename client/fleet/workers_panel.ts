import { SignalWatcher } from "@lit-labs/signals";
import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { session } from "#client/auth/session_store.ts";
import "#client/app/st_action.ts";
import { runCommand } from "#client/core/commands.ts";
import type { Panel } from "#client/core/panels.ts";
import { entity, select, selection } from "#client/core/place.ts";
import "#client/ui/badge.ts";
import { controlStyles } from "#client/ui/control_styles.ts";
import { sideStyles } from "#client/ui/side_styles.ts";
import "#client/ui/empty_state.ts";
import "#client/ui/error_state.ts";
import "#client/ui/field.ts";
import type { Field } from "#client/ui/field.ts";
import type { SelectEvent } from "#client/ui/list_events.ts";
import "#client/ui/skeleton.ts";
import "#client/ui/state_mark.ts";
import "#client/ui/table.ts";
import type { Column, Table } from "#client/ui/table.ts";
import { focusWhenDrawn } from "#client/users/focus_when_drawn.ts";
import type { Worker } from "#server/fleet/contract.ts";
import { markOfWorker, statusOfWorker } from "./describe_worker.ts";
import { fleet } from "./fleet_store.ts";
import "./probe_facts.ts";
import "./worker_side.ts";
import { w } from "./words.ts";
import { typeWorker, workerForm } from "./worker_form.ts";

const COLUMNS: readonly (Omit<Column<Worker>, "label"> & { name(): string })[] = [
  {
    id: "name",
    name: () => w("name"),
    width: "minmax(14ch, 3fr)",
    cell: (worker) =>
      html`<st-state-mark state=${
        markOfWorker(worker)
      }></st-state-mark> <span title=${worker.name}>${worker.name}</span>${
        worker.kind === "cpu_engine"
          ? html`
            <st-badge>${w("cpuPreview")}</st-badge>
          `
          : nothing
      }`,
  },
  {
    id: "state",
    name: () => w("state"),
    width: "minmax(12ch, 3fr)",
    cell: (worker) =>
      html`<span class="quiet" title=${statusOfWorker(worker)}>${statusOfWorker(worker)}</span>`,
  },
  {
    id: "software",
    name: () => w("version"),
    width: "minmax(10ch, 2fr)",
    cell: ({ software, version }) =>
      html`<span class="quiet">${[software, version].filter(Boolean).join(" ")}</span>`,
  },
  {
    id: "parallel",
    name: () => w("atOnce"),
    width: "11ch",
    align: "end",
    cell: ({ maxParallel }) => html`<span class="quiet">${maxParallel}</span>`,
  },
];

/** In a panel narrower than this, in pixels, only what is read first stands in the list: all is in the side. */
const ALL_COLUMNS_PX = 560;
const FIRST_COLUMNS: readonly string[] = ["name", "state"];

/** The worker beside the list: the chosen one, else the open one, else the first. */
function shownId(): string | undefined {
  return selection("worker")?.ids.at(-1) ?? entity("worker")?.id ?? fleet.all[0]?.id;
}

/** All workers; one of them with what it can run and what it lacks; the form that adds one. */
@customElement("st-workers-panel")
export class WorkersPanel extends SignalWatcher(LitElement) {
  static override styles = [
    controlStyles,
    sideStyles,
    css`
      @container panel (width < 640px) {
        .frame {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: auto minmax(0, 1fr) minmax(0, 2fr);
        }
        .side {
          grid-area: 3 / 1;
          border-inline-start: 0;
          border-top: var(--size-hairline) solid var(--color-line);
        }
      }
    `,
  ];

  @property({ attribute: false })
  accessor panel!: Panel;
  @query("st-table")
  accessor table: Table<Worker> | null = null;
  @state()
  accessor isNarrow = false;
  readonly #resized = new ResizeObserver(() => this.isNarrow = this.clientWidth < ALL_COLUMNS_PX);
  #close: (() => void) | undefined;
  #wasFormOpen = false;

  override connectedCallback() {
    super.connectedCallback();
    this.#close = fleet.open();
    this.#resized.observe(this);
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#close?.();
    this.#resized.disconnect();
  }

  override render() {
    const { isStale } = fleet.reading;
    return html`
      <div class="frame">
        <h1 class="unseen">${w("workers")}</h1>
        <div class="bar">
        <st-action command="workers.add"></st-action>
        <span class="gap"></span>
        ${isStale ? html`<span class="stale" role="status">${w("stale")}</span>` : nothing}
        </div>
        <div class="list">${this.#list()}</div>
        <div class="side">${workerForm() ? this.#form() : this.#side()}</div>
      </div>
    `;
  }

  #list() {
    const { problem, isKnown } = fleet.reading;
    if (!isKnown) {
      return problem
        ? html`
          <st-error heading=${w("unread")} text=${problem.message} id-to-copy=${problem.requestId}>
            <st-action command="workers.read_again"></st-action>
          </st-error>
        `
        : html`<st-skeleton count="4"></st-skeleton>`;
    }
    if (fleet.all.length === 0) {
      return html`
        <st-empty icon="server" heading=${w("empty")} text=${w(
          session.may("worker.admin") ? "emptyText" : "emptyLook",
        )}>
          <st-action command="workers.add"></st-action>
        </st-empty>
      `;
    }
    const columns = COLUMNS.filter(({ id }) => !this.isNarrow || FIRST_COLUMNS.includes(id));
    return html`
      <st-table single label=${w("workers")} .rows=${fleet.all}
        .columns=${columns.map((column) => ({ ...column, label: column.name() }))}
        .selected=${new Set([shownId() ?? ""])} @st-select=${this.#select}></st-table>
    `;
  }

  #side() {
    const workerId = shownId();
    const worker = workerId === undefined ? undefined : fleet.find(workerId);
    if (!worker) {
      return html`<st-empty icon="server" heading=${w("selectOne")} text=${w("selectOneText")}></st-empty>`;
    }
    return html`<st-worker-side .worker=${worker}></st-worker-side>`;
  }

  #form() {
    const form = workerForm();
    if (!form) return nothing;
    const { probe, problem } = form;
    const fault = problem?.fields.map(({ message }) => message).join(" ") || problem?.message || "";
    return html`
      <div class="stack" @keydown=${this.#formKey}>
        <h2>${w("addWorker")}</h2>
        <p>${w("addHint")}</p>
        <st-field id="url" label=${w("address")} type="url" placeholder="http://192.168.1.20:8188" mono
          hint=${w("addressHint")} .value=${form.url} fault=${fault} @input=${this.#typeUrl}></st-field>
        <div class="actions"><st-action command="workers.test"></st-action></div>
        ${!probe ? nothing : html`
          <st-probe-facts open .facts=${{
            isReachable: probe.isReachable,
            heading: probe.isReachable
              ? w("reached", { software: probe.software ?? "", version: probe.version ?? "" })
              : w("notReached"),
            problem: probe.problem,
            devices: probe.devices,
            abilities: probe.workflows.map(({ workflowTitle, isAble, missing }) => ({
              title: workflowTitle,
              isAble,
              missing,
            })),
          }}></st-probe-facts>
        `}
        <st-field id="name" label=${w("name")} maxlength="80" .value=${form.name}
          @input=${this.#typeName}></st-field>
        <div class="actions">
          <st-action command="workers.register" look="primary"></st-action>
          <st-action command="workers.close_form" look="quiet"></st-action>
        </div>
      </div>
    `;
  }

  /** The form takes the keyboard when it opens, and the list gets it back. */
  protected override updated() {
    const isOpen = workerForm() !== undefined;
    if (isOpen === this.#wasFormOpen) return;
    this.#wasFormOpen = isOpen;
    if (isOpen) focusWhenDrawn(this.renderRoot.querySelector<Field>("#url"));
    else this.table?.focus();
  }

  override focus(): void {
    this.table?.focus();
  }

  readonly #select = ({ ids }: SelectEvent) => select("worker", ids);
  // The targets are this template's own fields.
  readonly #typeUrl = (event: Event) => typeWorker({ url: (event.target as Field).value });
  readonly #typeName = (event: Event) => typeWorker({ name: (event.target as Field).value });

  readonly #formKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") void runCommand("workers.close_form");
    else if (
      event.key === "Enter" && event.target instanceof HTMLElement && event.target.localName === "st-field"
    ) {
      void runCommand(workerForm()?.probe ? "workers.register" : "workers.test");
    }
  };
}
