import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact, type Tx } from "#server/db/db.ts";
import { requireAccess } from "#server/projects/service.ts";
import type { Job } from "./contract.ts";
import { type Kinds, openAll } from "./orders.ts";
import * as queries from "./queries.ts";
import { about, type JobSubmission, openToControl, submitJobs } from "./service.ts";

/**
 * Queues the same again, so many times, for the actor: same input, workflow, worker and needs; copies of jobs that
 * need each other need each other. All or none: one that works for a thing which one job alone makes is a conflict.
 */
export async function duplicateJobs(
  db: Db,
  kinds: Kinds,
  actor: Actor,
  { jobIds, copies }: { jobIds: readonly string[]; copies: number },
): Promise<{ items: Job[] }> {
  const jobs: Job[] = [];
  for (const jobId of new Set(jobIds)) jobs.push(await openToControl(db, actor, jobId));
  for (const projectId of new Set(jobs.map((job) => job.projectId))) {
    if (projectId !== null) await requireAccess(db, actor, projectId, "generate");
  }
  const refused = jobs.flatMap((job, index) => {
    const message = whyNot(job, kinds);
    return message ? [{ field: `/body/jobIds/${index}`, message }] : [];
  });
  if (refused[0]) {
    throw new AppError("conflict", `Cannot duplicate: ${refused[0].message}`, { fields: refused });
  }
  const ids = await transact(db, async (tx) => {
    const made: string[] = [];
    for (let copy = 0; copy < copies; copy++) made.push(...await copyOnce(tx, kinds, actor, jobs));
    for (const job of jobs) {
      await audit(tx, actor, "job.duplicate", about(job, { copies, made: made.slice(0, 50) }));
    }
    return made;
  });
  return { items: await openAll(db, actor, ids) };
}

async function copyOnce(tx: Tx, kinds: Kinds, actor: Actor, jobs: readonly Job[]): Promise<string[]> {
  const ids = new Map(jobs.map((job): [string, string] => [job.id, newId<"job">()]));
  const submissions: JobSubmission[] = [];
  for (const job of jobs) {
    const kind = kinds.get(job.kind);
    const parts = await queries.findJobParts(tx, job.id);
    if (!kind || !parts) continue;
    const work = await queries.findWork(tx, job.id);
    submissions.push({
      id: ids.get(job.id),
      kind,
      // As it was stored: by the kind's own schema.
      input: parts.input as JobSubmission["input"],
      projectId: job.projectId,
      userId: actor.userId,
      priority: actor.permissions.has("queue.admin") ? job.priority : Math.min(0, job.priority),
      pinnedWorkerId: job.pinnedWorkerId,
      workflowVersionId: job.workflowVersionId ?? undefined,
      needs: parts.needs.map(({ jobId }) => ids.get(jobId) ?? jobId),
      ...(work === null ? {} : { work }),
    });
  }
  return await submitJobs(tx, submissions);
}

/** Why a second job of the same input would make no sense; undefined when it would. */
function whyNot(job: Job, kinds: Kinds): string | undefined {
  const what = `"${job.label}" `;
  if (job.takeId) return `${what}makes one take, which has one job: make another take of the segment`;
  if (job.seedId) return `${what}makes one seed, which has one job: make more variations`;
  if (job.cutId) return `${what}makes one cut, which has one job: stitch the clip again`;
  if (job.masterId) return `${what}makes one master, which has one job: assemble the scene again`;
  if (job.fileHash) return `${what}looks into one file, once is enough: retry it when it failed`;
  if (!kinds.get(job.kind)?.standsAlone) return `${what}is work that the studio orders by itself`;
  return undefined;
}
