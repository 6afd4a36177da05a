import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError, errorMessage } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { Lane } from "#server/core/job_kind.ts";
import { toInstant } from "#server/core/time.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact, type Tx } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { requireAccess } from "#server/projects/service.ts";
import type { ExportedJob, QueueDocument } from "./contract.ts";
import {
  type ExportRow,
  findEndedTwin,
  findUsableWorkers,
  findVersionByHash,
  listExportRows,
} from "./order_queries.ts";
import { type Draft, draftOrder, type Kinds, Refusal, refuse, resolveNeeds } from "./orders.ts";
import { type GenerateRequest, type JobSubmission, submitJobs } from "./service.ts";
import type { SettledJob, Settlement } from "./settle.ts";
import { blockIfNeeded } from "./steer.ts";

/** The jobs that wait and that the actor may see, in the order of their turn. */
export async function exportQueue(
  db: Db,
  actor: Actor,
  filter: { projectId?: string | undefined; lane?: Lane | undefined },
): Promise<z.input<typeof QueueDocument>> {
  if (filter.projectId) await requireAccess(db, actor, filter.projectId, "job.read");
  const rows = await listExportRows(db, actor, filter);
  await audit(db, actor, "queue.export", {
    ...(filter.projectId ? { projectId: filter.projectId } : {}),
    facts: { jobs: rows.length, ...filter },
  });
  const jobs = rows.map(exportJob);
  return { format: "seedloop.queue", version: 1, exportedAt: toInstant(new Date()), jobs };
}

function exportJob(row: ExportRow): z.input<typeof ExportedJob> {
  return {
    key: row.id,
    kind: row.kind,
    label: row.label,
    projectId: row.projectId,
    needs: row.needs,
    priority: row.priority,
    isHeld: row.isHeld,
    ...(row.isDue ? {} : { runAt: row.runAt }),
    ...(row.subjectKind && row.subjectId ? { subject: { kind: row.subjectKind, id: row.subjectId } } : {}),
    ...(row.pinnedWorker ? { pinnedWorker: row.pinnedWorker } : {}),
    ...exportInput(row),
  };
}

/** A generation is told by what was bound, and bound anew where it is taken in; other input is taken as it is. */
function exportInput({ kind, input, workflowVersionId, workflowHash }: ExportRow) {
  if (kind !== generate.code || workflowVersionId === null) {
    return { input: Object(input) as Record<string, unknown> };
  }
  // It was parsed by this schema when it was submitted.
  const { values, uploads } = input as z.output<typeof GenerateRequest>;
  const files = uploads.flatMap(({ parameter, file }) => parameter ? [[parameter, file] as const] : []);
  return {
    workflowVersionId,
    ...(workflowHash ? { workflowHash } : {}),
    values,
    files: Object.fromEntries(files),
  };
}

export interface ImportReport {
  readonly made: { index: number; jobId: string | null }[];
  readonly refused: { index: number; reason: string }[];
}

/**
 * Queues the jobs of a document as new ones of the actor. Each is checked as if it were ordered now: its project,
 * workflow, files and worker must be there and the actor's to use. What worked for a take, seed, cut or master comes
 * back only as the same step, when the one before it has failed or was cancelled.
 */
export async function importQueue(
  db: Db,
  kinds: Kinds,
  settlements: readonly Settlement[],
  actor: Actor,
  request: { document: QueueDocument; dryRun: boolean; skipRefused: boolean },
): Promise<ImportReport> {
  const { document: { jobs }, dryRun, skipRefused } = request;
  const places = jobs.map((job) => ({ ...job, id: newId<"job">() }));
  const check = async (tx: Tx): Promise<ImportReport> => {
    const { submissions, refused, twins } = await readDocument(tx, kinds, actor, places);
    if (refused.size > 0 && !skipRefused && !dryRun) throw refusedAll(refused);
    if (!dryRun) await submitJobs(tx, [...submissions.values()]);
    for (const [index, twin] of twins) {
      const at = submissions.get(index);
      if (at === undefined) continue;
      const settlement = settlements.find(({ kind }) => kind.code === twin.kind);
      try {
        if (!dryRun) await settlement?.retried?.(tx, { ...twin, id: at.id ?? twin.id });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        throw refusedAll(new Map([[index, error.message]]));
      }
      if (!dryRun && at.id) await blockIfNeeded(tx, at.id);
    }
    if (!dryRun && submissions.size > 0) {
      const made = [...submissions.values()].map(({ id }) => id);
      await audit(tx, actor, "queue.import", {
        facts: { made: made.length, refused: refused.size, jobIds: made.slice(0, 50) },
      });
    }
    return {
      made: [...submissions].map(([index, { id }]) => ({ index, jobId: dryRun ? null : id ?? null })),
      refused: [...refused].map(([index, reason]) => ({ index, reason })).sort((a, b) => a.index - b.index),
    };
  };
  return await transact(db, check);
}

type Placed = ExportedJob & { readonly id: string };
type Twin = SettledJob & { readonly kind: string };

async function readDocument(tx: Tx, kinds: Kinds, actor: Actor, jobs: readonly Placed[]) {
  const refused = new Map<number, string>();
  const note = (index: number, field: string, message: string) => {
    const before = refused.get(index);
    refused.set(index, `${before ? `${before}; ` : ""}${field ? `${field}: ` : ""}${message}`);
  };
  const needs = await resolveNeeds(tx, actor, jobs, { add: note });
  const drafts = new Map<number, Draft>();
  const twins = new Map<number, Twin>();
  for (const [index, job] of jobs.entries()) {
    try {
      const twin = job.subject ? await openTwin(tx, actor, job) : undefined;
      drafts.set(index, twin ? draftTwin(kinds, actor, job, twin) : await draftJob(tx, kinds, actor, job));
      if (twin) twins.set(index, twin);
    } catch (error) {
      if (!(error instanceof AppError || error instanceof Refusal)) throw error;
      const fields = error.fields.filter(({ field }) => field !== "");
      if (fields.length === 0) note(index, "", errorMessage(error));
      for (const { field, message } of fields) {
        note(index, field.replace(/^\/parameters\//, "values/"), message);
      }
    }
  }
  refuseOrphans(jobs, needs, refused);
  const submissions = new Map<number, JobSubmission>();
  for (const [index, draft] of drafts) {
    if (!refused.has(index)) {
      submissions.set(index, { ...draft, id: jobs[index]?.id, needs: needs[index] ?? [] });
    }
  }
  return { submissions, refused, twins };
}

/** What needs one that is refused would wait for ever. */
function refuseOrphans(
  jobs: readonly Placed[],
  needs: readonly (readonly string[])[],
  refused: Map<number, string>,
) {
  const places = new Map(jobs.map(({ id }, index) => [id, index]));
  for (let before = -1; before !== refused.size;) {
    before = refused.size;
    for (const [index, list] of needs.entries()) {
      const missing = list.map((id) => places.get(id)).find((at) => at !== undefined && refused.has(at));
      if (missing !== undefined && !refused.has(index)) {
        refused.set(index, `needs: the job at ${missing}, which it waits for, can't be taken in`);
      }
    }
  }
}

async function draftJob(tx: Tx, kinds: Kinds, actor: Actor, job: Placed): Promise<Draft> {
  if (job.projectId === null) {
    throw refuse("projectId", "is missing: work of the studio itself is not carried over");
  }
  await requireProject(tx, actor, job.projectId);
  const pin = job.pinnedWorker === undefined ? [] : await findUsableWorkers(tx, { name: job.pinnedWorker });
  if (job.pinnedWorker !== undefined && !pin[0]) {
    throw refuse("pinnedWorker", `there is no worker "${job.pinnedWorker}"`);
  }
  const byHash = job.workflowHash === undefined ? undefined : await findVersionByHash(tx, job.workflowHash);
  const order = {
    ...job,
    // The content is what counts: another studio has the same workflow under another id.
    workflowVersionId: byHash ?? job.workflowVersionId,
    pinnedWorkerId: pin[0]?.id,
    priority: allowedPriority(actor, job.priority),
  } as Parameters<typeof draftOrder>[4];
  return await draftOrder(tx, kinds, actor, job.projectId, order);
}

async function requireProject(tx: Tx, actor: Actor, projectId: string): Promise<void> {
  await requireAccess(tx, actor, projectId, "generate").catch((error) => {
    throw refuse("projectId", errorMessage(error));
  });
}

/** The last job of the same kind for the same thing, when it failed or was cancelled and none has come after it. */
async function openTwin(tx: Tx, actor: Actor, job: Placed): Promise<Twin> {
  if (job.projectId === null || !job.subject) throw refuse("projectId", "is missing");
  await requireProject(tx, actor, job.projectId);
  const { kind, id } = job.subject;
  const twin = await findEndedTwin(tx, {
    jobKind: job.kind,
    projectId: job.projectId,
    subjectKind: kind,
    subjectId: id,
  });
  if (!twin) throw refuse("subject", `no ${kind} of this project has ever had this step`);
  if (twin.status === "failed" || twin.status === "cancelled") return twin;
  throw refuse(
    "subject",
    twin.status === "done"
      ? `its ${kind} has this step behind it: make another`
      : `its ${kind} has a job that waits or runs`,
  );
}

/** What a slice relies on is taken from the job that it ordered itself, not from a document that anyone may edit. */
function draftTwin(kinds: Kinds, actor: Actor, job: Placed, twin: Twin): Draft {
  const kind = kinds.get(job.kind);
  if (!kind) throw refuse("kind", "is no kind of job here");
  const { seedId, takeId, cutId, masterId, fileHash } = twin;
  const subject = { seedId, takeId, cutId, masterId, fileHash };
  return {
    kind,
    input: twin.input as Draft["input"],
    projectId: twin.projectId,
    userId: actor.userId,
    priority: allowedPriority(actor, job.priority),
    isHeld: job.isHeld,
    workflowVersionId: twin.workflowVersionId ?? undefined,
    subject: Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== null)),
    ...(job.runAt === undefined ? {} : { runAt: job.runAt }),
  };
}

/** A document may come from somebody who might raise jobs; who takes it in may not. */
function allowedPriority(actor: Actor, priority: number): number {
  return actor.permissions.has("queue.admin") ? priority : Math.min(0, priority);
}

function refusedAll(refused: ReadonlyMap<number, string>): AppError {
  const fields = [...refused].map(([index, message]) => ({ field: `/body/document/jobs/${index}`, message }));
  return new AppError(
    "invalid",
    `Cannot import the queue: ${refused.size} of its jobs can't be taken in, so none was. Leave them out, or skip them`,
    { fields },
  );
}
