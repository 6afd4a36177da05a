import { inOrder } from "#client/core/order.ts";
import type { JobStatus, QueueJob } from "#server/jobs/contract.ts";
import { kindName } from "./names.ts";

/** What the queue shows: kept in the panel. */
export interface QueueFilter {
  readonly show: "open" | "running" | "waiting" | "failed" | "ended";
  /** A lane's code; empty for all. */
  readonly lane: string;
  readonly text: string;
}

export type QueueGroup = "none" | "user" | "worker" | "project";

/** A heading between jobs of the table. */
export interface GroupRow {
  readonly id: string;
  readonly isGroup: true;
  readonly name: string;
  readonly jobIds: readonly string[];
  readonly running: number;
  readonly isFolded: boolean;
}

export type QueueRow = QueueJob | GroupRow;

export const EVERYTHING_OPEN: QueueFilter = { show: "open", lane: "", text: "" };

const WAITING: ReadonlySet<JobStatus> = new Set(["queued", "blocked", "held"]);
const ENDED: ReadonlySet<JobStatus> = new Set(["done", "failed", "cancelled"]);
const LANES: readonly string[] = ["gpu", "cpu", "io", "script"];

export function isGroup(row: QueueRow): row is GroupRow {
  return "isGroup" in row;
}

export function isWaiting({ status }: Pick<QueueJob, "status">): boolean {
  return WAITING.has(status);
}

export function isEnded({ status }: Pick<QueueJob, "status">): boolean {
  return ENDED.has(status);
}

/** Running first, then what waits in the order of its turn, lane by lane, then what has ended, newest first. */
export function byTurn(one: QueueJob, other: QueueJob): number {
  return rank(one) - rank(other) ||
    (isEnded(one)
      ? inOrder(other.finishedAt ?? "", one.finishedAt ?? "")
      : LANES.indexOf(one.lane) - LANES.indexOf(other.lane) || one.orderKey - other.orderKey) ||
    inOrder(one.id, other.id);
}

function rank({ status }: QueueJob): number {
  return status === "running" ? 0 : WAITING.has(status) ? 1 : 2;
}

/** Whose turn it is in each lane: job id → 1 for the next one. Jobs that are blocked or held have none. */
export function turnsOf(jobs: readonly QueueJob[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  const turns = new Map<string, number>();
  for (const { id, lane, status } of [...jobs].sort(byTurn)) {
    if (status !== "queued") continue;
    const turn = (last.get(lane) ?? 0) + 1;
    last.set(lane, turn);
    turns.set(id, turn);
  }
  return turns;
}

/** How many of the jobs are in which state; failed ones have ended, too. */
export function countJobs(
  jobs: readonly QueueJob[],
): Readonly<Record<"running" | "waiting" | "failed" | "ended", number>> {
  const counts = { running: 0, waiting: 0, failed: 0, ended: 0 };
  for (const job of jobs) {
    if (job.status === "running") counts.running++;
    else if (isWaiting(job)) counts.waiting++;
    else counts.ended++;
    if (job.status === "failed") counts.failed++;
  }
  return counts;
}

/** The jobs that a filter lets through, in their order. */
export function filterJobs(jobs: readonly QueueJob[], { show, lane, text }: QueueFilter): QueueJob[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return jobs.filter((job) => {
    if (lane !== "" && job.lane !== lane) return false;
    if (!isShown(job, show)) return false;
    const told = textOf(job);
    return words.every((word) => told.includes(word));
  });
}

function isShown(job: QueueJob, show: QueueFilter["show"]): boolean {
  switch (show) {
    case "open":
      return !isEnded(job);
    case "running":
      return job.status === "running";
    case "waiting":
      return isWaiting(job);
    case "failed":
      return job.status === "failed";
    case "ended":
      return isEnded(job);
  }
}

function textOf(job: QueueJob): string {
  return [
    job.subject,
    job.label,
    kindName(job),
    job.kind,
    job.projectName,
    job.userName,
    job.workerName,
    job.error,
    job.id,
  ]
    .filter(Boolean).join(" ").toLocaleLowerCase();
}

/** The table's rows: jobs under a heading each, groups in the order of their first job; folded ones show none. */
export function groupJobs(
  jobs: readonly QueueJob[],
  by: QueueGroup,
  nameOf: (job: QueueJob) => string,
  folded: readonly string[],
): QueueRow[] {
  if (by === "none") return [...jobs];
  const groups = new Map<string, QueueJob[]>();
  for (const job of jobs) {
    const key = (by === "user" ? job.userId : by === "worker" ? job.workerId : job.projectId) ?? "";
    const group = groups.get(key);
    if (group) group.push(job);
    else groups.set(key, [job]);
  }
  return [...groups].flatMap(([key, members]): QueueRow[] => {
    const id = `group:${by}:${key}`;
    const isFolded = folded.includes(id);
    const [first] = members;
    const heading: GroupRow = {
      id,
      isGroup: true,
      name: first ? nameOf(first) : "",
      jobIds: members.map((job) => job.id),
      running: members.filter(({ status }) => status === "running").length,
      isFolded,
    };
    return isFolded ? [heading] : [heading, ...members];
  });
}

/** A place in line. */
export type Spot = { readonly beforeJobId: QueueJob["id"] } | { readonly afterJobId: QueueJob["id"] };

/** A job that is to stand elsewhere. */
export interface Move {
  readonly jobId: QueueJob["id"];
  readonly to: Spot;
}

/**
 * Where the first of a block of jobs, `ids`, of one lane is to go when they are dropped before `beforeId` of the shown
 * rows: "here" where they stand there already, undefined where that is nowhere.
 */
export function blockMoveOf(
  rows: readonly QueueRow[],
  ids: readonly string[],
  beforeId: string | undefined,
): Spot | "here" | undefined {
  const [first = ""] = ids;
  const moved = new Set(ids);
  const block = rows.filter(({ id }) => moved.has(id));
  const others = rows.filter(({ id }) => !moved.has(id));
  const at = beforeId === undefined ? rows.length : rows.findIndex(({ id }) => id === beforeId);
  const before = rows.slice(at).find(({ id }) => !moved.has(id));
  const end = before === undefined ? others.length : others.indexOf(before);
  const after = others.toSpliced(end, 0, ...block);
  if (after.every((row, place) => row === rows[place])) return "here";
  return moveOf(rows.filter(({ id }) => id === first || !moved.has(id)), first, before?.id);
}

/** What the studio is asked when a job is put before `beforeId` of the shown rows; undefined where that is nowhere. */
export function moveOf(
  rows: readonly QueueRow[],
  jobId: string,
  beforeId: string | undefined,
): Spot | undefined {
  const jobs = rows.filter((row): row is QueueJob => !isGroup(row));
  const moved = jobs.find(({ id }) => id === jobId);
  if (!moved || !isWaiting(moved)) return undefined;
  const fits = (job: QueueJob | undefined): job is QueueJob =>
    job !== undefined && job.id !== jobId && job.lane === moved.lane && isWaiting(job);
  const at = beforeId === undefined ? rows.length : rows.findIndex(({ id }) => id === beforeId);
  const after = rows.slice(0, at).findLast((row): row is QueueJob => !isGroup(row) && fits(row));
  const before = rows.slice(at).find((row) => !isGroup(row));
  if (before && !isGroup(before) && fits(before)) return { beforeJobId: before.id };
  return after ? { afterJobId: after.id } : undefined;
}
