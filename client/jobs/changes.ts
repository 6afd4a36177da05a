import { type Note, undoable } from "#client/core/undoable.ts";
import type { JobChange, PauseTarget, QueueJob } from "#server/jobs/contract.ts";
import { isWaiting } from "./queue_order.ts";
import { queue } from "./queue_store.ts";

type Spot = { readonly beforeJobId: QueueJob["id"] } | { readonly afterJobId: QueueJob["id"] };

interface MoveFacts {
  readonly jobId: QueueJob["id"];
  /** Where it stood: some of these may have begun or ended since. */
  readonly was: readonly Spot[];
  readonly to: Spot;
}

interface HoldFacts {
  readonly jobIds: readonly string[];
  readonly isHeld: boolean;
}

interface PriorityFacts {
  readonly changes: readonly {
    readonly id: QueueJob["id"];
    readonly before: number;
    readonly after: number;
  }[];
}

interface JobChangeFacts {
  readonly jobId: QueueJob["id"];
  readonly before: JobChange;
  readonly after: JobChange;
}

interface EndFacts {
  readonly jobIds: readonly string[];
}

interface PauseFacts {
  readonly target: PauseTarget;
  /** Paused only once this one has ended; left out, at once. */
  readonly afterJobId?: QueueJob["id"];
  readonly isPaused: boolean;
}

const cancelAll = async ({ jobIds }: EndFacts) => void await queue.steer(jobIds, { verb: "cancel" });
const retryAll = async ({ jobIds }: EndFacts) => void await queue.steer(jobIds, { verb: "retry" });
const holdAll = async (jobIds: readonly string[], isHeld: boolean) =>
  void await queue.steer(jobIds, { verb: isHeld ? "hold" : "release" });

const setPaused = async ({ target, afterJobId }: PauseFacts, isPaused: boolean) => {
  if (!isPaused) return await queue.resume(target);
  // One that has ended meanwhile needs no waiting for.
  const isOpen = (queue.find(afterJobId ?? "")?.finishedAt ?? undefined) === undefined;
  await queue.pause({ ...target, ...(afterJobId !== undefined && isOpen ? { afterJobId } : {}) });
};

const noteMoveFacts: Note<MoveFacts> = undoable<MoveFacts>("jobs.move", {
  undo: async ({ jobId, was }) => {
    const spot = was.find((spot) => {
      const job = queue.find("beforeJobId" in spot ? spot.beforeJobId : spot.afterJobId);
      return job !== undefined && isWaiting(job);
    });
    // Those beside which it stood have begun: it is their turn's end that it would go back to.
    if (spot) await queue.move(jobId, spot);
  },
  redo: ({ jobId, to }) => queue.move(jobId, to),
});

/** Notes that jobs were cancelled; taken back, they wait again. Returns its undo. */
export const noteCancel: Note<EndFacts> = undoable<EndFacts>("jobs.cancel", {
  undo: retryAll,
  redo: cancelAll,
});

/** Notes that jobs wait which had ended, or were not there before. Returns its undo. */
export const noteQueued: Note<EndFacts> = undoable<EndFacts>("jobs.queue", {
  undo: cancelAll,
  redo: retryAll,
});

/** Notes that a lane or a worker was paused, or goes on. Returns its undo. */
export const notePause: Note<PauseFacts> = undoable<PauseFacts>("jobs.pause", {
  undo: (facts) => setPaused(facts, !facts.isPaused),
  redo: (facts) => setPaused(facts, facts.isPaused),
});

/** Notes that jobs were held or released. Returns its undo. */
export const noteHold: Note<HoldFacts> = undoable<HoldFacts>("jobs.hold", {
  undo: ({ jobIds, isHeld }) => holdAll(jobIds, !isHeld),
  redo: ({ jobIds, isHeld }) => holdAll(jobIds, isHeld),
});

/** Notes that jobs have another priority. */
export const notePriority: Note<PriorityFacts> = undoable<PriorityFacts>("jobs.priority", {
  undo: ({ changes }) => setPriorities(changes.map(({ id, before }) => ({ id, priority: before }))),
  redo: ({ changes }) => setPriorities(changes.map(({ id, after }) => ({ id, priority: after }))),
});

/** Gives each of the jobs its priority, those of one priority at once. Throws ApiError. */
export async function setPriorities(
  jobs: readonly { readonly id: string; readonly priority: number }[],
): Promise<void> {
  for (const [priority, some] of Map.groupBy(jobs, ({ priority }) => priority)) {
    await queue.steer(some.map(({ id }) => id), { priority });
  }
}

/** Notes that a waiting job was changed. */
export const noteJobChange: Note<JobChangeFacts> = undoable<JobChangeFacts>("jobs.change", {
  undo: ({ jobId, before }) => queue.change(jobId, before),
  redo: ({ jobId, after }) => queue.change(jobId, after),
});

/** Moves a job to another turn and notes it. Throws ApiError. */
export async function moveNoted(label: string, job: QueueJob, to: Spot): Promise<void> {
  const lane = queue.all.filter((one) => one.lane === job.lane && isWaiting(one));
  const at = lane.findIndex(({ id }) => id === job.id);
  const was = [
    ...lane.slice(at + 1, at + 4).map(({ id }): Spot => ({ beforeJobId: id })),
    ...lane.slice(Math.max(0, at - 3), Math.max(0, at)).reverse().map(({ id }): Spot => ({ afterJobId: id })),
  ];
  await noteMoveFacts(label, { jobId: job.id, was, to }).settle(queue.move(job.id, to));
}
