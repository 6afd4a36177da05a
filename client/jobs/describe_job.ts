import { formatDuration } from "#client/core/format.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { Estimate, Job, JobStatus, QueueJob } from "#server/jobs/contract.ts";
import { waitOf } from "./describe_wait.ts";
import { kindName } from "./names.ts";
import { w } from "./words.ts";

const MARKS: Readonly<Record<JobStatus, State>> = {
  blocked: "waiting",
  queued: "queued",
  held: "waiting",
  running: "running",
  done: "good",
  failed: "failed",
  cancelled: "off",
};

/** The shape of a job's state; amber where it does not go on without somebody. */
export function markOf({ status, waitsFor }: Pick<QueueJob, "status" | "waitsFor">): State {
  return status === "queued" && waitsFor !== null ? "waiting" : MARKS[status];
}

export function statusName(status: JobStatus): string {
  return w(status);
}

/** "Clip 020 · V2", else what the kind of work is called. */
export function nameOf(job: Pick<QueueJob, "subject" | "label" | "kind">): string {
  return job.subject ?? kindName(job);
}

/** How it is, in one sentence: the reason for waiting or failing, what it does now, when it ended. */
export function stateOf(
  job: QueueJob,
  facts: { readonly note: string; readonly turn: number | undefined; readonly now: number },
): string {
  if (job.isCancelAsked) return w("stopping");
  const wait = job.wait?.code === "in_line" ? undefined : waitOf(job.wait, facts.now);
  if (wait !== undefined) return wait;
  switch (job.status) {
    case "running":
      return facts.note || w("starting");
    case "failed":
      return job.error ?? w("failed");
    case "queued":
      return facts.turn === 1 ? w("isNext") : facts.turn ? w("ahead", { n: facts.turn - 1 }) : w("queued");
    case "done":
    case "cancelled":
      return `${statusName(job.status)} · ${ago(job.finishedAt, facts.now)}`;
    default:
      return statusName(job.status);
  }
}

/** "12 min – 18 min": half of them end by the first, nine of ten by the second. */
export function spanOf({ p50Ms, p90Ms }: Estimate): string {
  const [usual, long] = [formatDuration(p50Ms), formatDuration(p90Ms)];
  return usual === long ? usual : `${usual} – ${long}`;
}

/** "4 min ago". */
export function ago(instant: string | null, now: number): string {
  if (instant === null) return "";
  const ms = now - Date.parse(instant);
  return ms < 5_000 ? w("justNow") : w("ago", { time: formatDuration(ms) });
}

/** How long it has run, ran, or is expected to take. */
export function timeOf(
  job: Pick<QueueJob, "startedAt" | "finishedAt" | "expectedMs" | "status">,
  now: number,
): string {
  if (job.startedAt !== null && job.status !== "queued") {
    const end = job.finishedAt === null ? now : Date.parse(job.finishedAt);
    return formatDuration(end - Date.parse(job.startedAt));
  }
  return isOver(job.status) ? "" : `~${formatDuration(job.expectedMs)}`;
}

function isOver(status: Job["status"]): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

/** Address of the picture that stands for what a job works on; undefined where there is none. */
export function pictureOf({ pictureAssetId }: Pick<QueueJob, "pictureAssetId">): string | undefined {
  return pictureAssetId === null ? undefined : `/api/assets/${pictureAssetId}/derivatives/thumbnail`;
}
