import * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError, errorMessage, type FieldError } from "#server/core/errors.ts";
import "#server/core/field_sentence.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { isId, newId } from "#server/core/id.ts";
import type { JobKind } from "#server/core/job_kind.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { requireAccess } from "#server/projects/service.ts";
import type { WorkflowVersion } from "#server/workflows/contract.ts";
import { openVersion, prepareGeneration } from "#server/workflows/service.ts";
import type { Job, JobOrder } from "./contract.ts";
import * as queries from "./queries.ts";
import { GenerateRequest, type JobSubmission, submitJobs } from "./service.ts";
import { workOf } from "#server/core/work.ts";
import { findUsableWorkers, listFilesElsewhere, listSubmittedKeys, lockBatches } from "./order_queries.ts";

/** Which kinds of job there are to order. */
export type Kinds = ReadonlyMap<string, JobKind>;

/** What an order becomes before it has an id and its place in a list. */
export type Draft = Omit<JobSubmission, "id" | "needs">;

/** What is wrong with one order: the field below it, and the sentence. */
export class Refusal extends Error {
  readonly fields: readonly FieldError[];

  constructor(message: string, fields: readonly FieldError[] = [{ field: "", message }]) {
    super(message);
    this.fields = fields;
  }
}

/**
 * Queues a list of jobs in a project: all or none. Orders may need each other by key, in any sequence; one whose
 * idempotency key was used before stands for the job that is there. Throws AppError("invalid") that names each wrong
 * order as `/body/jobs/<place>`.
 */
export async function submitBatch(
  db: Db,
  kinds: Kinds,
  actor: Actor,
  projectId: string,
  orders: readonly JobOrder[],
): Promise<{ items: Job[] }> {
  await requireAccess(db, actor, projectId, "generate");
  const ids = await transact(db, async (tx) => {
    await lockBatches(tx, actor.userId);
    const known = await listSubmittedKeys(
      tx,
      actor.userId,
      orders.flatMap(({ idempotencyKey }) => idempotencyKey ?? []),
    );
    const placed = orders.map((order) => {
      const there = order.idempotencyKey === undefined ? undefined : known.get(order.idempotencyKey);
      return { order, there, id: there?.id ?? order.id ?? newId<"job">() };
    });
    const faults = new Faults("/body/jobs");
    const submissions: JobSubmission[] = [];
    const needs = await resolveNeeds(tx, actor, placed.map(({ order, id }) => ({ ...order, id })), faults);
    for (const [index, { order, there, id }] of placed.entries()) {
      if (there) {
        if (there.kind !== order.kind) {
          faults.add(index, "idempotencyKey", "belongs to a job of another kind: use a new one");
        }
        continue;
      }
      const draft = await faults.attempt(index, () => draftOrder(tx, kinds, actor, projectId, order));
      if (draft) {
        submissions.push({ ...draft, id, idempotencyKey: order.idempotencyKey, needs: needs[index] ?? [] });
      }
    }
    faults.throwIfAny("Cannot queue these jobs: none was queued");
    if (submissions.length > 0) {
      await submitJobs(tx, submissions);
      const facts = { count: submissions.length, jobIds: submissions.slice(0, 50).map(({ id }) => id) };
      await audit(tx, actor, "job.submit", { projectId, facts });
    }
    return placed.map(({ id }) => id);
  });
  return { items: await openAll(db, actor, ids) };
}

/** The jobs in the order of `ids`, those that the actor may see. */
export async function openAll(db: Queryable, actor: Actor, ids: readonly string[]): Promise<Job[]> {
  const found = new Map((await queries.findJobs(db, actor, ids)).map((job): [string, Job] => [job.id, job]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Wrong orders of a list, by their places: all are told at once. */
export class Faults {
  readonly #base: string;
  readonly fields: FieldError[] = [];

  constructor(base: string) {
    this.#base = base;
  }

  add(index: number, field: string, message: string): void {
    const path = field.replace(/^\//, "");
    this.fields.push({ field: `${this.#base}/${index}${path ? `/${path}` : ""}`, message });
  }

  /** What `work` gives; undefined when it refuses the order, which is noted. */
  async attempt<T>(index: number, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const fields = error instanceof AppError || error instanceof Refusal ? error.fields : undefined;
      if (!fields) throw error;
      if (fields.length === 0) this.add(index, "", errorMessage(error));
      for (const { field, message } of fields) {
        this.add(
          index,
          field.replace(/^\/(parameters|body)/, (_, part) => part === "body" ? "" : "/values"),
          message,
        );
      }
      return undefined;
    }
  }

  throwIfAny(what: string): void {
    const [first] = this.fields;
    if (!first) return;
    const more = this.fields.length > 1 ? ` (and ${this.fields.length - 1} more, see fields)` : "";
    throw new AppError("invalid", `${what}: ${first.field} ${first.message}${more}`, { fields: this.fields });
  }
}

/** The ids that each order needs. Keys of the list come before ids; a circle is refused, for it would never begin. */
export async function resolveNeeds(
  db: Queryable,
  actor: Actor,
  orders: readonly {
    readonly id: string;
    readonly key?: string | undefined;
    readonly needs: readonly string[];
  }[],
  faults: Pick<Faults, "add">,
): Promise<string[][]> {
  const byKey = new Map<string, string>();
  for (const [index, { key, id }] of orders.entries()) {
    if (key === undefined) continue;
    if (byKey.has(key)) faults.add(index, "key", `is used twice in the list: "${key}"`);
    byKey.set(key, id);
  }
  const own = new Set(orders.map(({ id }) => id));
  const elsewhere = [...new Set(orders.flatMap(({ needs }) => needs))].filter((need) =>
    !byKey.has(need) && !own.has(need) && isId(need)
  );
  const there = new Set<string>((await queries.findJobs(db, actor, elsewhere)).map(({ id }) => id));
  const resolved = orders.map(({ needs }, index) => [
    ...new Set(needs.flatMap((need, at) => {
      const id = byKey.get(need) ?? (own.has(need) || there.has(need) ? need : undefined);
      if (id === undefined) faults.add(index, `needs/${at}`, `is no key of the list and no job: "${need}"`);
      return id ?? [];
    })),
  ]);
  for (const index of findCircles(orders.map(({ id }) => id), resolved)) {
    faults.add(index, "needs", "it would wait for itself: take it out of the circle");
  }
  return resolved;
}

/** Places of those that can never begin because they need, by way of others, themselves. */
function findCircles(ids: readonly string[], needs: readonly (readonly string[])[]): number[] {
  const places = new Map(ids.map((id, index) => [id, index]));
  const waits = needs.map((list) => list.filter((id) => places.has(id)).length);
  const neededBy = new Map<string, number[]>();
  for (const [index, list] of needs.entries()) {
    for (const id of list) neededBy.set(id, [...neededBy.get(id) ?? [], index]);
  }
  const free = waits.flatMap((count, index) => count === 0 ? index : []);
  for (let at = 0; at < free.length; at++) {
    for (const index of neededBy.get(ids[free[at] ?? 0] ?? "") ?? []) {
      if (--waits[index]! === 0) free.push(index);
    }
  }
  const begun = new Set(free);
  return ids.flatMap((_, index) => begun.has(index) ? [] : index);
}

/** An order of a kind that stands alone, as it is to be queued. Throws Refusal or AppError with the fields. */
export async function draftOrder(
  db: Queryable,
  kinds: Kinds,
  actor: Actor,
  projectId: string,
  order: Omit<JobOrder, "id" | "key" | "needs" | "idempotencyKey">,
): Promise<Draft> {
  const kind = kinds.get(order.kind);
  if (!kind?.standsAlone) throw refuse("kind", describeKinds(order.kind, kinds));
  if (order.priority > 0 && !actor.permissions.has("queue.admin")) {
    throw refuse("priority", "must be 0 or less: above it would pass other people's jobs. Ask an admin");
  }
  const pinnedWorkerId = order.pinnedWorkerId ?? null;
  if (pinnedWorkerId !== null) await requirePin(db, kind, pinnedWorkerId);
  const shared = {
    kind,
    projectId,
    userId: actor.userId,
    priority: order.priority,
    isHeld: order.isHeld,
    pinnedWorkerId,
    ...(order.runAt === undefined ? {} : { runAt: order.runAt }),
  };
  const input = kind.code === generate.code && order.workflowVersionId !== undefined
    ? await bindGeneration(db, order.workflowVersionId, order)
    : await readInput(kind, actor, order);
  await requireFiles(db, projectId, input);
  return {
    ...shared,
    input: input as Draft["input"],
    workflowVersionId: order.workflowVersionId,
    work: workOf(order.values ?? {}),
  };
}

function describeKinds(code: string, kinds: Kinds): string {
  const alone = [...kinds.values()].filter(({ standsAlone }) => standsAlone).map((kind) => kind.code);
  return kinds.has(code)
    ? `is work that the studio orders by itself for a take, a cut or a master; by itself there is ${
      alone.join(", ")
    }`
    : `is no kind of job; there is ${alone.join(", ")}`;
}

async function bindGeneration(
  db: Queryable,
  versionId: string,
  { values = {}, files = {}, input }: Pick<JobOrder, "values" | "files" | "input">,
): Promise<unknown> {
  if (input !== undefined) {
    throw refuse("input", "is made by the workflow from values and files: leave it out");
  }
  const version = await openVersion(db, versionId).catch(() => {
    throw refuse("workflowVersionId", "is no workflow version");
  });
  return prepareGeneration(version, values, filesOf(version, files));
}

/** Those that it has a place for; others are named. */
function filesOf(
  { manifest }: Pick<WorkflowVersion, "manifest">,
  files: Readonly<Record<string, FileRef>>,
): Parameters<typeof prepareGeneration>[2] {
  const unknown = Object.keys(files).find((name) => !Object.hasOwn(manifest.bindings, name));
  if (unknown !== undefined) {
    throw refuse(
      `files/${unknown}`,
      `is no file of this workflow; it has ${Object.keys(manifest.bindings).join(", ")}`,
    );
  }
  return files;
}

/** A graph of one's own may do anything on a worker: only who may edit workflows may send one. */
function readInput(kind: JobKind, actor: Actor, { input }: Pick<JobOrder, "input">): Promise<unknown> {
  if (kind.code === generate.code && !actor.permissions.has("workflow.edit")) {
    throw refuse(
      "workflowVersionId",
      "is missing: name the workflow; a graph of one's own needs workflow.edit",
    );
  }
  const schema = kind.code === generate.code ? GenerateRequest : kind.input;
  const parsed = z.safeParse(schema, input ?? {});
  if (parsed.success) return Promise.resolve(parsed.data);
  throw new Refusal(
    `its input is not one of "${kind.code}"`,
    parsed.error.issues.map(({ path, message }) => ({ field: `input/${path.join("/")}`, message })),
  );
}

/** Throws unless every file that an input names is one of the project: a hash alone opens nobody else's picture. */
async function requireFiles(db: Queryable, projectId: string, input: unknown): Promise<void> {
  const files = [...findFiles(input, "input")];
  const elsewhere = new Set(await listFilesElsewhere(db, projectId, files.map(({ hash }) => hash)));
  const foreign = files.filter(({ hash }) => elsewhere.has(hash));
  if (foreign.length === 0) return;
  throw new Refusal(
    "it names a file that is not in the project",
    foreign.map(({ path }) => ({
      field: path,
      message: "is no file of this project: upload it there first",
    })),
  );
}

function* findFiles(value: unknown, path: string): Generator<{ path: string; hash: string }> {
  if (typeof value !== "object" || value === null) return;
  const { hash, sizeBytes } = value as { hash?: unknown; sizeBytes?: unknown };
  if (typeof hash === "string" && sizeBytes !== undefined) yield { path, hash };
  for (const [name, part] of Object.entries(value)) {
    if (name !== "graph") yield* findFiles(part, `${path}/${name}`);
  }
}

/** Throws unless it is a worker that takes generations, and the kind is one. */
export async function requirePin(
  db: Queryable,
  kind: Pick<JobKind, "lane">,
  workerId: string,
): Promise<void> {
  if (kind.lane !== "gpu") throw refuse("pinnedWorkerId", "only generations run on a worker of one's choice");
  const [worker] = await findUsableWorkers(db, { id: workerId });
  if (!worker) throw refuse("pinnedWorkerId", "is no worker, or one that was removed");
}

export function refuse(field: string, message: string): Refusal {
  return new Refusal(message, [{ field, message }]);
}
