import { type Note, undoable } from "#client/core/undoable.ts";
import type { JobChange, PauseTarget, QueueJob } from "#server/jobs/contract.ts";
import { isWaiting, type Move, type Spot } from "./queue_order.ts";
import { queue } from "./queue_store.ts";

interface MoveFacts {
  /** In the order in which they waited. */
  readonly moves: readonly (Move & {
    /** Where it stood: some of these may have begun or ended since. */
    readonly was: readonly Spot[];
  })[];
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

const noteMoveFacts: Note<MoveFacts> = undoable<MoveFacts>("jobs.moves", {
  undo: ({ moves }) =>
    queue.move(moves.flatMap(({ jobId, was }) => {
      const to = was.find((spot) => {
        const job = queue.find("beforeJobId" in spot ? spot.beforeJobId : spot.afterJobId);
        return job !== undefined && isWaiting(job);
      });
      // Those beside which it stood have begun: it is their turn's end that it would go back to.
      return to ? [{ jobId, to }] : [];
    })),
  redo: ({ moves }) => queue.move(moves),
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

/** Moves jobs of one lane, which stay behind one another, to another turn and notes it. Throws ApiError. */
export async function moveNoted(label: string, jobs: readonly QueueJob[], to: Spot): Promise<void> {
  const [first] = jobs;
  const lane = queue.all.filter((one) => one.lane === first?.lane && isWaiting(one));
  const ids = new Set(jobs.map(({ id }) => id));
  const moves = jobs.map((job, at) => {
    const stood = lane.findIndex(({ id }) => id === job.id);
    // Going back in their order each finds those before it back in their places, those after it not yet.
    const next = lane.slice(stood + 1).filter(({ id }) => !ids.has(id)).slice(0, 3);
    const was: Spot[] = [
      ...next.map(({ id }) => ({ beforeJobId: id })),
      ...lane.slice(Math.max(0, stood - 3), stood).reverse().map(({ id }) => ({ afterJobId: id })),
    ];
    const before = jobs[at - 1];
    return { jobId: job.id, was, to: before ? { afterJobId: before.id } : to };
  });
  await noteMoveFacts(label, { moves }).settle(queue.move(moves));
}
