import * as z from "zod/mini";
import { id } from "#server/core/id.ts";
import { Lane } from "#server/core/job_kind.ts";
import { Instant } from "#server/core/time.ts";

const Needed = z.object({ jobId: id("job"), kind: z.string(), label: z.string(), status: z.string() });
const by = z.nullable(z.string());

/** A worker that could not take a job, and its own reason. */
const WorkerInTheWay = z.object({
  name: z.string(),
  /** A code of `worker_status`; "paused" while somebody has paused it. */
  state: z.string(),
  /** What the worker or its guard says of it. */
  problem: z.nullable(z.string()),
});

/** The worker that alone may run the job; null where any able one may. */
const pinnedTo = z.nullable(z.string());

/** Why a job does not run yet, or does not go on: a code, and the facts that its sentence is made of. */
export const WaitReason = z.discriminatedUnion("code", [
  z.object({ code: z.literal("cancelling") }),
  z.object({ code: z.literal("held") }),
  /** It needs these to be done; `more` are not listed. */
  z.object({ code: z.literal("needs_jobs"), jobs: z.array(Needed), more: z.int() }),
  /** It needs one that failed or was cancelled. */
  z.object({ code: z.literal("needs_ended"), job: Needed }),
  z.object({ code: z.literal("lane_paused"), lane: Lane, by, since: Instant }),
  z.object({ code: z.literal("person_paused"), name: z.string(), by, since: Instant }),
  z.object({ code: z.literal("scheduled"), at: Instant }),
  z.object({
    code: z.literal("retry_at"),
    at: Instant,
    failureClass: z.string(),
    error: z.nullable(z.string()),
  }),
  z.object({ code: z.literal("no_worker") }),
  z.object({ code: z.literal("pinned_worker_gone"), name: z.string() }),
  /** What each worker lacks for it, all at once. */
  z.object({
    code: z.literal("no_able_worker"),
    pinnedTo,
    workers: z.array(z.object({
      name: z.string(),
      state: z.string(),
      isChecked: z.boolean(),
      missing: z.array(z.string()),
    })),
  }),
  /** Such work takes so much GPU memory, and these have less. */
  z.object({
    code: z.literal("too_little_memory"),
    pinnedTo,
    needBytes: z.number(),
    workers: z.array(z.object({ name: z.string(), totalBytes: z.number() })),
  }),
  /** Those that can run it are offline, draining, paused, resting by a guard … */
  z.object({ code: z.literal("not_ready"), pinnedTo, workers: z.array(WorkerInTheWay) }),
  /** Others of its lane come first. */
  z.object({
    code: z.literal("in_line"),
    lane: Lane,
    ahead: z.int(),
    /** Those of `ahead` that are other people's: each person gets a share, whoever came first. */
    aheadOfOthers: z.int(),
    /** Whose they are, most first; told of one job only, not in lists. */
    people: z.array(z.object({ name: z.nullable(z.string()), jobs: z.int() })),
    /** Workers that can run it now, by name, and those of them that are at something else; none off the gpu lane. */
    ready: z.array(z.string()),
    busy: z.array(z.string()),
  }),
  /** It runs, but its worker can't be reached. */
  z.object({ code: z.literal("worker_away"), worker: WorkerInTheWay }),
]);
export type WaitReason = z.infer<typeof WaitReason>;

/** The reason as an English sentence: what is in the way and what would end it. */
export function describeWait(reason: WaitReason): string {
  switch (reason.code) {
    case "cancelling":
      return "It is being cancelled";
    case "held":
      return "It is held: release it to let it wait its turn";
    case "needs_jobs":
      return describeNeeds(reason);
    case "needs_ended": {
      const ended = reason.job.status === "failed" ? "failed" : "was cancelled";
      return `It needs "${reason.job.label}", which ${ended}: retry that, or cancel this`;
    }
    case "lane_paused":
      return `The ${reason.lane} lane is paused${byWhom(reason.by)}: resume it to go on`;
    case "person_paused":
      return `Jobs of ${reason.name} are paused${byWhom(reason.by)}`;
    case "scheduled":
      return `It is to start at ${reason.at}`;
    case "retry_at":
      return `It is to be tried again at ${reason.at}${reason.error ? `: ${reason.error}` : ""}`;
    case "no_worker":
      return "There is no worker: register a ComfyUI server, or start the CPU engine";
    case "pinned_worker_gone":
      return `It is pinned to ${reason.name}, which was removed: let it run anywhere, or pin it to another worker`;
    case "no_able_worker":
      return describeLacks(reason);
    case "too_little_memory": {
      const has = reason.workers.map(({ name, totalBytes }) => `${name} has ${gigabytes(totalBytes)}`);
      return `It takes about ${gigabytes(reason.needBytes)} of GPU memory: ${has.join(", ")}`;
    }
    case "not_ready": {
      const states = reason.workers.map(({ name, state, problem }) =>
        `${name} is ${state}${problem ? ` (${problem})` : ""}`
      );
      const who = reason.pinnedTo ? "The worker that it is pinned to" : "No worker that can run it";
      return `${who} is ${reason.pinnedTo ? "not ready" : "ready"}: ${states.join(", ")}`;
    }
    case "in_line":
      return describeLine(reason);
    case "worker_away": {
      const { name, state } = reason.worker;
      return `${name} is ${state}: it goes on, or begins again, when ${name} is back`;
    }
  }
}

function byWhom(name: string | null): string {
  return name ? ` by ${name}` : "";
}

function describeNeeds({ jobs, more }: Extract<WaitReason, { code: "needs_jobs" }>): string {
  const [first] = jobs;
  if (!first) return "It is about to be queued";
  const others = jobs.length - 1 + more;
  return `It waits for "${first.label}"${others > 0 ? ` and ${others} more` : ""} to be done`;
}

function describeLacks({ workers, pinnedTo }: Extract<WaitReason, { code: "no_able_worker" }>): string {
  const lacks = workers.map(({ name, state, isChecked, missing }) => {
    if (!isChecked) return `${name} has not been checked yet (${state})`;
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
    return `${name} lacks ${missing.slice(0, 3).join(", ")}${more}`;
  });
  const who = pinnedTo ? "The worker that it is pinned to can't" : "No worker can";
  return `${who} run its workflow: ${lacks.join("; ")}`;
}

function describeLine(
  { ahead, aheadOfOthers, people, ready, busy }: Extract<WaitReason, { code: "in_line" }>,
): string {
  const who = people.map(({ name, jobs }) => `${name ?? "the studio"} ${jobs}`).join(", ");
  const others = who || (aheadOfOthers > 0 ? `${aheadOfOthers} of other people` : "");
  const line = ahead === 0 ? "It is next" : `${ahead} before it${others ? ` (${others})` : ""}`;
  return busy.length === 0 || busy.length < ready.length
    ? line
    : `${line}: ${busy.join(", ")} ${busy.length > 1 ? "are" : "is"} busy`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)} GiB`;
}
