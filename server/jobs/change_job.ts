import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Json, transact, type Tx } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { openVersion, prepareGeneration } from "#server/workflows/service.ts";
import type { Job, JobChange } from "./contract.ts";
import { Refusal, requirePin } from "./orders.ts";
import * as queries from "./queries.ts";
import { about, type GenerateRequest, openJob, openToControl } from "./service.ts";
import * as steer from "./steer.ts";
import { workOf } from "#server/core/work.ts";

type Stored = z.output<typeof GenerateRequest>;

/** What belongs to a take or a seed has its place there too: it is changed by making another. */
const OF_NO_SUBJECT = ["seed", "frames", "rate", "width", "height"];

/**
 * Changes a job that waits. Its prompt and knobs are bound to the workflow anew, so that a wrong value is refused as
 * it is when a generation is asked for. Once it runs, or has ended, nothing of it can be changed: AppError("conflict").
 */
export async function changeJob(db: Db, actor: Actor, jobId: string, change: JobChange): Promise<Job> {
  const job = await openToControl(db, actor, jobId);
  if ((change.priority ?? 0) > 0 && !actor.permissions.has("queue.admin")) {
    throw new AppError(
      "forbidden",
      "Cannot raise a job above priority 0: it would pass other people's. Ask an admin",
    );
  }
  await transact(db, async (tx) => {
    await requireWaiting(tx, job);
    const before = await applyChange(tx, job, change).catch((error) => {
      throw error instanceof Refusal ? asInvalid(error) : error;
    });
    await audit(tx, actor, "job.change", about(job, { before, after: { ...change } }));
  });
  return await openJob(db, actor, jobId);
}

async function requireWaiting(tx: Tx, job: Job): Promise<void> {
  const status = await steer.lockStatus(tx, job.id);
  if (status !== undefined && ["blocked", "queued", "held"].includes(status)) return;
  const mend = status === "running" ? "cancel it, change it then, and retry it" : "retry it, or make another";
  throw new AppError(
    "conflict",
    `The job "${job.label}" ${
      status === "running" ? "runs already" : "has ended"
    }, so it can't be changed: ${mend}`,
  );
}

/** Returns what was there before, of all that was changed. */
async function applyChange(tx: Tx, job: Job, change: JobChange): Promise<Record<string, unknown>> {
  const before: Record<string, unknown> = {};
  if (change.priority !== undefined) {
    before.priority = job.priority;
    await steer.setPriority(tx, job.id, change.priority);
  }
  if (change.runAt !== undefined) {
    before.runAt = job.runAt;
    await steer.setRunAt(tx, job.id, change.runAt);
  }
  if (change.pinnedWorkerId !== undefined) {
    before.pinnedWorkerId = job.pinnedWorkerId;
    if (change.pinnedWorkerId !== null) await requirePin(tx, job, change.pinnedWorkerId);
    await steer.setPin(tx, job.id, change.pinnedWorkerId);
  }
  if (change.values !== undefined) before.values = await rebind(tx, job, change.values);
  return before;
}

async function rebind(
  tx: Tx,
  job: Job,
  values: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  if (job.kind !== generate.code || job.workflowVersionId === null) {
    throw new Refusal("", [{
      field: "/body/values",
      message:
        `"${job.label}" has no values of its own: its input is made by the studio from what it works for`,
    }]);
  }
  const fixed = job.takeId || job.seedId ? OF_NO_SUBJECT.filter((name) => Object.hasOwn(values, name)) : [];
  if (fixed.length > 0) {
    const message = `belongs to its ${job.takeId ? "take" : "seed"} and stays: make another one to change it`;
    throw new Refusal("", fixed.map((name) => ({ field: `/body/values/${name}`, message })));
  }
  const parts = await queries.findJobParts(tx, job.id);
  // It was parsed by this schema when it was submitted.
  const stored = parts?.input as Stored;
  const version = await openVersion(tx, job.workflowVersionId);
  const files = Object.fromEntries(
    stored.uploads.flatMap(({ parameter, file }) => parameter ? [[parameter, file] as const] : []),
  ) satisfies Record<string, FileRef>;
  const wanted = { ...stored.values, ...values };
  const bound = bindOrRefuse(() => prepareGeneration(version, wanted, files));
  await steer.setInput(tx, job.id, bound as unknown as Json, workOf(bound.values) ?? null);
  return Object.fromEntries(Object.keys(values).map((name) => [name, stored.values[name] ?? null]));
}

/** The workflow names its parameters by themselves, the caller knows them as `values`. */
function bindOrRefuse<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new Refusal(
      error.message,
      error.fields.map(({ field, message }) => ({
        field: field.replace(/^\/parameters/, "/body/values"),
        message,
      })),
    );
  }
}

function asInvalid({ fields }: Refusal): AppError {
  const named = fields.map(({ field, message }) => ({
    field: field.startsWith("/") ? field : `/body/${field}`,
    message,
  }));
  const [first] = named;
  return new AppError("invalid", `Cannot change the job: ${first?.field ?? "it"} ${first?.message ?? ""}`, {
    fields: named,
  });
}
