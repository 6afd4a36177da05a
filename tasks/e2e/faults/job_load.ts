import { join } from "node:path";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { insertFile } from "#server/assets/queries.ts";
import { type Db, transact } from "#server/db/db.ts";
import { LocalStore } from "#server/files/local_store.ts";
import { type ApiGraph, generate } from "#server/fleet/job_kinds.ts";
import { type JobSubmission, submitJobs } from "#server/jobs/service.ts";
import { measureSeed } from "#server/seeds/job_kinds.ts";
import { givenCharacter, givenProject, lookup, tinyPng } from "#server/testing/fixtures.ts";
import { givenUser } from "#server/testing/test_studio.ts";

/** A job as it is to be submitted, with the seed it makes, if it makes one. */
export interface PlannedJob {
  readonly id: string;
  readonly submission: JobSubmission;
  readonly seedId: string | undefined;
  /** It can never be done: its file is none. */
  readonly isDoomed: boolean;
}

export interface LoadPlan {
  readonly jobs: number;
  /** How many of them generate a seed; each draws an inspection and a measurement after it. */
  readonly generations: number;
  readonly random: () => number;
}

const USERS = 3;
const STILLS = 60;
const DOOMED_SHARE = 0.02;

/** Everything that the jobs need to be there, made while nothing is being killed, and the jobs themselves in order. */
export async function planJobs(
  { db, data }: { db: Db; data: string },
  plan: LoadPlan,
): Promise<PlannedJob[]> {
  const { random } = plan;
  const store = new LocalStore(join(data, "store"));
  const project = await givenProject({ db, store });
  const character = await givenCharacter({ db, store }, { projectId: project.id });
  const users: (string | null)[] = [null];
  for (let n = 0; n < USERS; n++) users.push((await givenUser(db)).id);
  const stills: FileRef[] = [];
  for (let n = 0; n < STILLS; n++) stills.push(await keep(db, store, tinyPng(n * 7919 + 1, 16 + n)));
  const broken = await keep(db, store, new Uint8Array([...tinyPng(1).subarray(0, 20), 1, 2, 3]));
  const planned: PlannedJob[] = [];
  const alone = plan.jobs - plan.generations * 3;
  const order = shuffle([
    ...Array.from({ length: plan.generations }, () => "generate" as const),
    ...Array.from({ length: alone }, () => "alone" as const),
  ], random);
  for (const [n, what] of order.entries()) {
    const id = newId<"job">();
    const earlier = planned.filter((job) => !job.isDoomed && job.seedId === undefined);
    const needs = random() < 0.2 && earlier.length > 0
      ? [...new Set([1, 2].map(() => pick(earlier, random).id))]
      : [];
    const shared = {
      id,
      projectId: project.id,
      userId: pick(users, random),
      priority: Math.floor(random() * 7) - 3,
      needs,
      isHeld: random() < 0.03,
    };
    if (what === "generate") {
      const seedId = newId<"seed">();
      const input = { graph: oneStill(n), uploads: [], outputNodes: ["2"] };
      const submission = { ...shared, kind: generate, input, subject: { seedId } };
      planned.push({ id, seedId, isDoomed: false, submission: submission as unknown as JobSubmission });
      await givenSeedToCome(db, { id: seedId, projectId: project.id, characterId: character.id });
      continue;
    }
    const isDoomed = random() < DOOMED_SHARE;
    const file = isDoomed ? broken : pick(stills, random);
    const submission = isDoomed || random() < 0.6
      ? { ...shared, kind: inspectMedia, input: { file }, subject: { fileHash: file.hash } }
      : { ...shared, kind: measureSeed, input: { image: file } };
    planned.push({ id, seedId: undefined, isDoomed, submission: submission as unknown as JobSubmission });
  }
  return planned;
}

/** Submits jobs in one transaction, again and again until the database has said yes. The same ids make it repeatable. */
export async function submitSurely(
  reach: () => Promise<Db>,
  jobs: readonly PlannedJob[],
  signal: AbortSignal,
): Promise<number> {
  for (let tries = 1;; tries++) {
    try {
      await transact(await reach(), (tx) => submitJobs(tx, jobs.map((job) => job.submission)));
      return tries;
    } catch (error) {
      if (signal.aborted || tries > 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function keep(db: Db, store: LocalStore, bytes: Uint8Array<ArrayBuffer>): Promise<FileRef> {
  const file = await store.put(bytes, "image/png");
  await insertFile(db, file);
  return file;
}

/** A foundation that is being made. */
async function givenSeedToCome(
  db: Db,
  seed: { id: string; projectId: string; characterId: string },
): Promise<void> {
  await db`
    insert into seeds (id, project_id, character_id, kind_id, origin_id, status_id)
    values (${seed.id}, ${seed.projectId}, ${seed.characterId}, ${lookup(db, "seed_kind", "foundation")}, ${
    lookup(db, "seed_origin", "given")
  }, ${lookup(db, "seed_status", "making")})`;
}

/** The least graph that leaves a still, of a colour of its own. */
export function oneStill(n: number): ApiGraph {
  return {
    "1": { class_type: "EmptyImage", inputs: { width: 64, height: 64, batch_size: 1, color: 1000 + n } },
    "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "%SEEDLOOP_PREFIX%/a" } },
  };
}

export function pick<T>(from: readonly T[], random: () => number): T {
  const one = from[Math.floor(random() * from.length)];
  if (one === undefined) throw new RangeError("Cannot pick one of none");
  return one;
}

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  return list.map((value) => ({ value, at: random() })).sort((a, b) => a.at - b.at).map(({ value }) => value);
}
