import { session } from "#client/auth/session_store.ts";
import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { entity, go, select, selection } from "#client/core/place.ts";
import type { Note } from "#client/core/undoable.ts";
import { Lane } from "#server/core/job_kind.ts";
import type { QueueJob } from "#server/jobs/contract.ts";
import {
  moveNoted,
  noteCancel,
  noteHold,
  notePause,
  notePriority,
  noteQueued,
  setPriorities,
} from "./changes.ts";
import { nameOf } from "./describe_job.ts";
import { laneName } from "./names.ts";
import { blockMoveOf, isEnded, isGroup, isWaiting, type QueueRow, type Spot } from "./queue_order.ts";
import { askForJob } from "./job_asked.ts";
import { exportToFile, importFromFile } from "./queue_files.ts";
import { queue, type Steering } from "./queue_store.ts";
import { openQueueView } from "./queue_view.ts";
import { w } from "./words.ts";

const PANELS: readonly string[] = ["queue", "job"];
/** Each is a request of its own, and a line of the history. */
const MOST_MOVED = 100;
const group = () => w("jobs");

/** The jobs that are meant: those that a button stands beside, else the selected ones, else the open one. */
function jobsOf(target: unknown): QueueJob[] {
  const ids = typeof target === "string"
    ? [target]
    : Array.isArray(target)
    ? target.map(String)
    : selection("job")?.ids ?? [entity("job")?.id ?? ""];
  return ids.flatMap((id) => queue.find(id) ?? []);
}

const isMine = (job: QueueJob) => job.userId === session.me?.userId || session.may("queue.admin");

interface Verb {
  fits(job: QueueJob): boolean;
  readonly why:
    | "notWaiting"
    | "notEnded"
    | "hasEnded"
    | "noDependents"
    | "cantMove"
    | "cantEdit"
    | "cantDuplicate";
}

/** A command on jobs: possible when it fits one of them and they are one's own. */
function onJobs(verb: Verb): Pick<Command, "permission" | "scope" | "when" | "whyNot"> {
  return {
    permission: "job.control",
    scope: PANELS,
    when: (target) => jobsOf(target).some((job) => verb.fits(job) && isMine(job)),
    whyNot: (target) => {
      const jobs = jobsOf(target);
      if (jobs.length === 0) return w("nothingSelected");
      return jobs.some((job) => verb.fits(job)) ? w("notYours") : w(verb.why);
    },
  };
}

const fitting = (target: unknown, { fits }: Verb) => jobsOf(target).filter((job) => fits(job) && isMine(job));

const OPEN: Verb = { fits: (job) => !isEnded(job) && !job.isCancelAsked, why: "hasEnded" };
const NEEDED: Verb = { fits: (job) => !isEnded(job) && job.dependents > 0, why: "noDependents" };
const ENDED: Verb = { fits: ({ status }) => status === "failed" || status === "cancelled", why: "notEnded" };
const WAITS: Verb = { fits: isWaiting, why: "notWaiting" };
const EDITS: Verb = { fits: isWaiting, why: "cantEdit" };
const COPIES: Verb = {
  fits: (job) =>
    ["comfy.generate", "media.inspect", "media.proxy", "seeds.measure"].includes(job.kind) &&
    !job.takeId && !job.seedId && !job.cutId && !job.masterId && !job.fileHash,
  why: "cantDuplicate",
};
const STANDS: Verb = { fits: isWaiting, why: "cantMove" };

const areHeld = (target: unknown) => {
  const jobs = fitting(target, WAITS);
  return jobs.length > 0 && jobs.every(({ status }) => status === "held");
};

type Counted = "cancelled1" | "retried" | "heldNow" | "releasedNow";

/** Does it and tells how many it was done to; `note` puts it into the history ahead. */
async function steer<Facts>(
  jobs: readonly QueueJob[],
  steering: Steering,
  word: Counted,
  note?: Note<Facts>,
  factsOf?: (jobIds: readonly string[]) => Facts,
): Promise<void> {
  if (jobs.length === 0) return;
  const ids = jobs.map(({ id }) => id);
  const label = (n: number) => w(word, { n });
  const undo = factsOf && note?.(label(ids.length), factsOf(ids));
  const acted = queue.steer(ids, steering);
  const { done, refused, refusal } = await (undo?.settle(acted) ?? acted);
  const text = label(done.length);
  if (refusal !== undefined && factsOf) undo?.amend(text, factsOf(done));
  const told = refusal === undefined ? text : `${text}. ${w("refusedSome", { n: refused, reason: refusal })}`;
  tell({ kind: refusal === undefined ? "done" : "info", text: told, ...(undo ? { undo } : {}) });
}

const cancel = (target: unknown) =>
  steer(fitting(target, OPEN), { verb: "cancel" }, "cancelled1", noteCancel, (jobIds) => ({ jobIds }));

const retry = (jobs: readonly QueueJob[]) =>
  steer(jobs, { verb: "retry" }, "retried", noteQueued, (jobIds) => ({ jobIds }));

async function holdOrRelease(target: unknown): Promise<void> {
  const isHeld = !areHeld(target);
  const jobs = fitting(target, WAITS).filter(({ status }) => isHeld === (status !== "held"));
  const [verb, word] = isHeld ? ["hold", "heldNow"] as const : ["release", "releasedNow"] as const;
  await steer(jobs, { verb }, word, noteHold, (jobIds) => ({ jobIds, isHeld }));
}

async function changePriority(target: unknown, step: number): Promise<void> {
  const highest = session.may("queue.admin") ? 10 : 0;
  const changes = fitting(target, WAITS).map(({ id, priority }) => ({
    id,
    before: priority,
    after: Math.max(-10, Math.min(Math.max(highest, priority), priority + step)),
  })).filter(({ before, after }) => before !== after);
  const wanted = changes.map(({ id, after }) => ({ id, priority: after }));
  await notePriority(w(step > 0 ? "raise" : "lower"), { changes }).settle(setPriorities(wanted));
}

/** A generation that runs stops its worker, all else its lane: when it has ended. */
async function pauseAfter(target: unknown): Promise<void> {
  const job = jobsOf(target).find((one) => !isEnded(one));
  if (!job) return;
  const what = job.lane === "gpu" && job.status === "running" && job.workerId
    ? { workerId: job.workerId }
    : { lane: job.lane };
  const text = w("pauseAfterNow", { name: nameOf(job) });
  const undo = notePause(text, { target: what, afterJobId: job.id, isPaused: true });
  await undo.settle(queue.pause({ ...what, afterJobId: job.id }));
  tell({ kind: "done", text, undo });
}

/** One place on among those of their lane, or to the front of it; several go as one block. */
async function step(target: unknown, by: -1 | 1 | "first"): Promise<void> {
  const fit = fitting(target, STANDS);
  const lane = queue.all.filter((one) => one.lane === fit[0]?.lane && isWaiting(one));
  const ids = new Set(fit.map(({ id }) => id));
  const block = lane.filter(({ id }) => ids.has(id));
  const [first, last] = [block[0], block.at(-1)];
  if (!first || !last) return;
  const before = by === "first"
    ? lane[0]
    : by === -1
    ? lane[lane.indexOf(first) - 1] ?? first
    : lane[lane.indexOf(last) + 2];
  const to = blockMoveOf(lane, block.map(({ id }) => id), before?.id);
  if (to && to !== "here") await moveBlock(block, to);
}

/**
 * Moves a job, and what is selected with it in its lane, to before another of the shown rows; says why where that is no
 * place for it.
 */
export async function moveTo(
  rows: readonly QueueRow[],
  jobId: string,
  beforeId: string | undefined,
): Promise<void> {
  const job = queue.find(jobId);
  const selected = selection("job")?.ids ?? [];
  const wanted = new Set(selected.includes(jobId) ? selected : [jobId]);
  const block = rows.filter((row): row is QueueJob =>
    !isGroup(row) && wanted.has(row.id) && row.lane === job?.lane && isWaiting(row) && isMine(row)
  );
  const to = block.some(({ id }) => id === jobId)
    ? blockMoveOf(rows, block.map(({ id }) => id), beforeId)
    : undefined;
  if (to === "here") return;
  if (!to) return void tell({ kind: "info", text: w("cantMove") });
  await moveBlock(block, to);
}

async function moveBlock(jobs: readonly QueueJob[], to: Spot): Promise<void> {
  if (jobs.length > MOST_MOVED) {
    return void tell({ kind: "info", text: w("tooManyMoved", { n: MOST_MOVED }) });
  }
  const [job] = jobs;
  const label = job && jobs.length === 1
    ? w("moved", { name: nameOf(job) })
    : w("movedSome", { n: jobs.length });
  await moveNoted(label, jobs, to);
}

function laneCommand(lane: Lane): Command {
  return {
    id: `jobs.pause_${lane}`,
    label: () => w(queue.isLanePaused(lane) ? "resumeLane" : "pauseLane", { lane: laneName(lane) }),
    keywords: () =>
      `${w("pauseLane", { lane: laneName(lane) })} ${w("resumeLane", { lane: laneName(lane) })}`,
    group,
    icon: "pause",
    permission: "queue.admin",
    isOn: () => queue.isLanePaused(lane),
    run: async () => {
      const isPaused = queue.isLanePaused(lane);
      const text = w(isPaused ? "resumedNow" : "pausedNow", { lane: laneName(lane) });
      const undo = notePause(text, { target: { lane }, isPaused: !isPaused });
      await undo.settle(isPaused ? queue.resume({ lane }) : queue.pause({ lane }));
      tell({ kind: "done", text, undo });
    },
  };
}

/** Everything that can be done with jobs and the queue. */
export const jobCommands: readonly Command[] = [
  {
    id: "jobs.tray",
    label: () => w("openTray"),
    group,
    icon: "activity",
    keys: ["mod+j"],
    permission: "job.read",
    // The top bar has the tray, and closes it when one goes on.
    run: () => void dispatchEvent(new Event("st-tray")),
  },
  {
    id: "jobs.open_queue",
    label: () => w("openQueue"),
    group,
    icon: "list",
    permission: "job.read",
    run: () => go({ screen: "queue" }),
  },
  {
    id: "jobs.open",
    label: () => w("openJob"),
    group,
    icon: "arrowRight",
    permission: "job.read",
    when: (target) => jobsOf(target).length > 0,
    whyNot: () => w("nothingSelected"),
    run: (target) => {
      const [job] = jobsOf(target);
      if (!job) return;
      select("job", [job.id]);
      go({ screen: "queue", entity: { kind: "job", id: job.id } });
    },
  },
  {
    id: "jobs.cancel",
    label: () => w("cancel"),
    group,
    icon: "ban",
    keys: ["delete"],
    isDanger: true,
    ...onJobs(OPEN),
    run: cancel,
  },
  {
    id: "jobs.cancel_with_dependents",
    label: () => w("cancelAll"),
    group,
    icon: "ban",
    keys: ["shift+delete"],
    isDanger: true,
    // Trying these again would not bring back those that need them.
    isForGood: true,
    ...onJobs(NEEDED),
    run: (target) => steer(fitting(target, NEEDED), { verb: "cancel_with_dependents" }, "cancelled1"),
  },
  {
    id: "jobs.retry",
    label: () => w("retry"),
    group,
    icon: "refresh",
    keys: ["r"],
    ...onJobs(ENDED),
    run: (target) => retry(fitting(target, ENDED)),
  },
  {
    id: "jobs.retry_failed",
    label: () => w("retryFailed"),
    group,
    icon: "refresh",
    permission: "job.control",
    when: () => queue.all.some((job) => job.status === "failed" && isMine(job)),
    whyNot: () => w("nothingFailed"),
    run: async () => retry((await queue.readFailed()).filter(isMine)),
  },
  {
    id: "jobs.hold",
    label: (target) => w(areHeld(target) ? "release" : "hold"),
    group,
    icon: "pause",
    keys: ["h"],
    isOn: areHeld,
    ...onJobs(WAITS),
    run: holdOrRelease,
  },
  {
    id: "jobs.edit",
    label: () => w("edit"),
    group,
    icon: "edit",
    keys: ["e"],
    ...onJobs(EDITS),
    run: (target) => askForJob(fitting(target, EDITS)[0]?.id),
  },
  {
    id: "jobs.duplicate",
    label: () => w("duplicate"),
    group,
    icon: "copy",
    keys: ["mod+d"],
    ...onJobs(COPIES),
    run: async (target) => {
      const jobIds = await queue.duplicate(fitting(target, COPIES).map(({ id }) => id));
      const text = w("duplicated", { n: jobIds.length });
      tell({ kind: "done", text, undo: noteQueued(text, { jobIds }) });
    },
  },
  {
    id: "jobs.pause_after",
    label: (target) => {
      const [job] = jobsOf(target);
      return job?.lane === "gpu" && job.status === "running" && job.workerName
        ? w("pauseAfterWorker", { name: job.workerName })
        : w("pauseAfter");
    },
    group,
    icon: "hourglass",
    keys: ["shift+p"],
    permission: "queue.admin",
    scope: PANELS,
    when: (target) => jobsOf(target).some((job) => !isEnded(job)),
    whyNot: (target) => w(jobsOf(target).length === 0 ? "nothingSelected" : "notOpen"),
    run: pauseAfter,
  },
  {
    id: "jobs.export",
    label: () => w("exportQueue"),
    group,
    icon: "download",
    permission: "job.read",
    run: exportToFile,
  },
  {
    id: "jobs.import",
    label: () => w("importQueue"),
    group,
    icon: "upload",
    permission: "job.control",
    run: async () => {
      // The form that tells what can't be taken in is the queue's.
      go({ screen: "queue" });
      await importFromFile();
    },
  },
  {
    id: "jobs.move_up",
    label: () => w("moveUp"),
    group,
    icon: "arrowUp",
    keys: ["alt+arrowup"],
    ...onJobs(STANDS),
    run: (target) => step(target, -1),
  },
  {
    id: "jobs.move_down",
    label: () => w("moveDown"),
    group,
    icon: "arrowDown",
    keys: ["alt+arrowdown"],
    ...onJobs(STANDS),
    run: (target) => step(target, 1),
  },
  {
    id: "jobs.move_first",
    label: () => w("moveFirst"),
    group,
    icon: "skipBack",
    keys: ["alt+home"],
    ...onJobs(STANDS),
    run: (target) => step(target, "first"),
  },
  {
    id: "jobs.raise",
    label: () => w("raise"),
    group,
    icon: "plus",
    keys: ["+"],
    ...onJobs(WAITS),
    when: (target) =>
      fitting(target, WAITS).some(({ priority }) => priority < (session.may("queue.admin") ? 10 : 0)),
    whyNot: (target) =>
      jobsOf(target).length === 0
        ? w("nothingSelected")
        : w(fitting(target, WAITS).length === 0 ? "notWaiting" : "onlyAdminRaises"),
    run: (target) => changePriority(target, 1),
  },
  {
    id: "jobs.lower",
    label: () => w("lower"),
    group,
    icon: "minus",
    keys: ["-"],
    ...onJobs(WAITS),
    run: (target) => changePriority(target, -1),
  },
  {
    id: "jobs.group",
    label: () => w("cycleGroup"),
    group,
    icon: "layers",
    keys: ["g"],
    permission: "job.read",
    scope: "queue",
    run: () => openQueueView()?.cycleGroup(),
  },
  {
    id: "jobs.view",
    label: () => w("switchView"),
    group,
    icon: "columns",
    keys: ["l"],
    permission: "job.read",
    scope: "queue",
    run: () => openQueueView()?.switchView(),
  },
  {
    id: "jobs.find",
    label: () => w("findInQueue"),
    group,
    icon: "search",
    keys: ["/"],
    permission: "job.read",
    scope: "queue",
    run: () => openQueueView()?.focusFilter(),
  },
  {
    id: "jobs.show_open",
    label: () => w("clearFilter"),
    group,
    icon: "filter",
    permission: "job.read",
    scope: "queue",
    run: () => openQueueView()?.clearFilter(),
  },
  {
    id: "jobs.read_again",
    label: () => w("tryAgain"),
    group,
    icon: "refresh",
    permission: "job.read",
    scope: "queue",
    run: () => queue.read(),
  },
  ...Lane.options.map(laneCommand),
];
