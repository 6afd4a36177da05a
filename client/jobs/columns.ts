import { css, html, nothing } from "lit";
import { icon } from "#client/ui/icons.ts";
import type { Column } from "#client/ui/table.ts";
import { markOf, nameOf } from "./describe_job.ts";
import "./job_line.ts";
import "./job_picture.ts";
import "./job_time.ts";
import { kindName } from "./names.ts";
import { isGroup, type QueueRow } from "./queue_order.ts";
import { queue } from "./queue_store.ts";
import { w } from "./words.ts";
import "#client/ui/state_mark.ts";

/** Below these widths of the panel, in pixels, a column gives its room to what is read first. */
const LEAST_WIDTH: Readonly<Record<string, number>> = {
  project: 1200,
  worker: 900,
  person: 1000,
  kind: 720,
  time: 560,
};

/** What the queue's table shows at a width; `turns` is whether a turn means something in this order. */
export function queueColumns(width: number): Column<QueueRow>[] {
  return ALL.filter(({ id }) => width >= (LEAST_WIDTH[id] ?? 0)).map((column) => ({
    ...column,
    label: column.name(),
  }));
}

type NamedColumn = Omit<Column<QueueRow>, "label"> & { name(): string };

const ALL: readonly NamedColumn[] = [
  {
    id: "what",
    name: () => w("what"),
    width: "minmax(18ch, 3fr)",
    cell: (row) =>
      isGroup(row)
        ? html`
          <span class="what">${icon(row.isFolded ? "chevronRight" : "chevronDown")}<strong>${row
            .name}</strong>
            <span class="quiet">${groupFacts(row)}</span></span>
        `
        : html`
          <span class="what"><st-state-mark state=${markOf(row)}></st-state-mark>
            <st-job-picture .job=${row}></st-job-picture>
            <span class="cut" title=${`${nameOf(row)} · ${kindName(row)}`}>${nameOf(row)}</span>
            ${row.priority === 0
              ? nothing
              : html`<span class="priority">${signed(row.priority)}</span>`}</span>
        `,
  },
  {
    id: "kind",
    name: () => w("kind"),
    width: "minmax(13ch, 1fr)",
    cell: (row) =>
      isGroup(row) ? nothing : html`<span class="quiet" title=${kindName(row)}>${kindName(row)}</span>`,
  },
  {
    id: "state",
    name: () => w("state"),
    width: "minmax(18ch, 6fr)",
    cell: (row) => isGroup(row) ? nothing : html`<st-job-line .job=${row}></st-job-line>`,
  },
  {
    id: "turn",
    name: () => w("place"),
    width: "5ch",
    align: "end",
    cell: (row) => {
      const turn = isGroup(row) ? undefined : queue.turnOf(row.id);
      return turn === undefined ? nothing : html`<span class="quiet">${turn}</span>`;
    },
  },
  {
    id: "worker",
    name: () => w("worker"),
    width: "minmax(10ch, 1fr)",
    cell: (row) => isGroup(row) ? nothing : html`<span class="quiet">${row.workerName ?? row.lane}</span>`,
  },
  {
    id: "person",
    name: () => w("person"),
    width: "minmax(8ch, 1fr)",
    cell: (row) =>
      isGroup(row) ? nothing : html`<span class="quiet">${row.userName ?? w("studioItself")}</span>`,
  },
  {
    id: "project",
    name: () => w("project"),
    width: "minmax(8ch, 1fr)",
    cell: (row) => isGroup(row) ? nothing : html`<span class="quiet">${row.projectName ?? ""}</span>`,
  },
  {
    id: "time",
    name: () => w("takes"),
    width: "9ch",
    align: "end",
    cell: (row) => isGroup(row) ? nothing : html`<st-job-time class="quiet" .job=${row}></st-job-time>`,
  },
];

function groupFacts(
  { jobIds, running }: { readonly jobIds: readonly string[]; readonly running: number },
): string {
  const count = w("groupCount", { n: jobIds.length });
  return running > 0 ? `${count} · ${running} ${w("running").toLocaleLowerCase()}` : count;
}

function signed(priority: number): string {
  return priority > 0 ? `+${priority}` : `−${-priority}`;
}

/** Styles of what these cells render. */
export const queueCellStyles = css`
  .what {
    display: flex;
    gap: var(--space-3);
    align-items: center;
    min-width: 0;
  }
  strong {
    font-weight: var(--font-weight-medium);
  }
  st-job-picture {
    flex: none;
    height: var(--size-control);
  }
  .priority {
    flex: none;
    padding: 0 var(--space-1);
    border: var(--size-hairline) solid var(--color-line);
    border-radius: var(--radius-control);
    color: var(--color-text-quiet);
    font-size: var(--size-label);
  }
`;
