import { createHash } from "node:crypto";
import { acceptUpload } from "#server/assets/service.ts";
import { createCharacter } from "#server/characters/service.ts";
import { type ClipState, createClip as createClipEndpoint } from "#server/clips/contract.ts";
import { createClip, openClipState } from "#server/clips/service.ts";
import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import type { Id } from "#server/core/id.ts";
import type { Db } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { createProject, openProject } from "#server/projects/service.ts";
import { createScene } from "#server/scenes/service.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { addSeed, createVariations, openBatch, openSeed } from "#server/seeds/service.ts";
import type { Sample } from "./contract.ts";
import { readSamplePortrait } from "./sample_portrait.ts";

export interface SamplePlace {
  readonly db: Db;
  readonly store: FileStore;
  /** What people press elsewhere: the slices' own verbs, given by the table of contents. */
  chooseHero(actor: Actor, seedId: string, input: { approve: boolean }): Promise<Seed>;
  generateClip(actor: Actor, clipId: string): Promise<ClipState>;
}

const FOUNDATIONS = 3;
/** Three seconds at 24 fps: long enough for a loop of several segments on the CPU engine, short enough to watch. */
const FRAMES = 72;
const NOTHING: Sample = {
  step: "none",
  failure: null,
  projectId: null,
  characterId: null,
  portrait: null,
  foundations: [],
  clip: null,
};

/** What has been made so far; nothing is changed. */
export async function readSample({ db }: SamplePlace, actor: Actor): Promise<Sample> {
  const ids = await currentIds(db, actor);
  const portrait = await find(openSeed(db, actor, ids.portrait, "asset.read"));
  if (!portrait) return NOTHING;
  const batch = await find(openBatch(db, actor, ids.batch));
  const clip = await find(openClipState(db, actor, ids.clip));
  const made: Sample = {
    ...NOTHING,
    step: clip ? "clip" : batch ? "foundations" : "portrait",
    projectId: portrait.projectId,
    characterId: portrait.characterId,
    portrait: { seedId: portrait.id, assetId: portrait.assetId },
    foundations: (batch?.seeds ?? []).map((seed) => ({
      seedId: seed.id,
      assetId: seed.assetId,
      isHero: seed.status === "hero",
      likeness: seed.measures?.likeness ?? null,
    })),
    clip: clip ? describeClip(clip) : null,
  };
  const failure = findFailure(portrait, batch?.seeds ?? [], clip);
  if (failure) return { ...made, step: "failed", failure };
  const isReady = clip?.status === "in_review" || clip?.status === "final";
  return isReady ? { ...made, step: "ready" } : made;
}

function describeClip(clip: ClipState): NonNullable<Sample["clip"]> {
  const cut = clip.cuts.findLast(({ status }) => status === "ready" || status === "final");
  return {
    clipId: clip.id,
    sceneId: clip.sceneId,
    frames: clip.frames,
    segmentsReady: clip.segments.filter(({ takes }) => takes.some(({ isChosen }) => isChosen)).length,
    cutAssetId: cut?.assetId ?? null,
  };
}

function findFailure(
  portrait: Seed,
  seeds: readonly Seed[],
  clip: ClipState | undefined,
): string | undefined {
  const ended = (seed: Seed) => seed.status === "failed" || seed.status === "cancelled";
  if (ended(portrait)) return portrait.failure ?? "Looking into the portrait was cancelled: retry its job";
  if (seeds.length > 0 && seeds.every(ended)) {
    return seeds.find(({ failure }) => failure)?.failure ??
      "The foundations were cancelled: retry their jobs";
  }
  return clip?.status === "needs_attention"
    ? clip.attention ?? "The clip needs a person: open it"
    : undefined;
}

/**
 * Makes what is missing of the sample project and starts the next step when the last one has ended. Every thing has
 * an id that follows from the user's, so a press that is repeated, or made in two tabs, makes nothing twice.
 */
export async function advanceSample(place: SamplePlace, actor: Actor): Promise<Sample> {
  const { db } = place;
  const before = await readSample(place, actor);
  const ids = await currentIds(db, actor);
  if (before.step === "none") await begin(place, actor, ids);
  const portrait = await openSeed(db, actor, ids.portrait, "asset.read");
  if (portrait.status === "making" || before.step === "failed") return await readSample(place, actor);
  if (before.foundations.length === 0) {
    await createVariations(db, actor, ids.character, {
      id: ids.batch,
      portraitSeedId: ids.portrait,
      count: FOUNDATIONS,
      baseRandomSeed: 1,
      prompt: "",
      knobs: {},
    });
  }
  const { seeds } = await openBatch(db, actor, ids.batch);
  if (seeds.some(({ status }) => status === "making")) return await readSample(place, actor);
  await makeClip(place, actor, ids, seeds);
  return await readSample(place, actor);
}

async function begin({ db, store }: SamplePlace, actor: Actor, ids: SampleIds): Promise<void> {
  const project = await createProject(db, actor, {
    id: ids.project,
    name: "Sample",
    rate: { num: 24, den: 1 },
    widthPx: 768,
    heightPx: 512,
  });
  await createCharacter({ db, store }, actor, project.id, {
    id: ids.character,
    name: "Sample character",
    description: "Made by the first run from the portrait that comes with the studio",
  });
  const file = await store.put(await readSamplePortrait(), "image/png");
  await acceptUpload(db, actor, project.id, { file, name: "portrait.png", id: ids.asset });
  await addSeed(db, actor, ids.character, { id: ids.portrait, kind: "portrait", assetId: ids.asset });
}

async function makeClip(
  { db, chooseHero, generateClip }: SamplePlace,
  actor: Actor,
  ids: SampleIds,
  seeds: readonly Seed[],
): Promise<void> {
  const hero = seeds.find(({ status }) => status === "hero") ?? seeds.filter(isMade).sort(byMerit)[0];
  if (!hero) return;
  if (hero.status !== "hero" || !hero.approvedAt) await chooseHero(actor, hero.id, { approve: true });
  await createScene(db, actor, ids.project, { id: ids.scene, name: "Scene 010" });
  // Read by the endpoint's schema, so that it has every default that a person's clip has.
  const input = createClipEndpoint.body!.parse({
    id: ids.clip,
    name: "Clip 010",
    characterId: ids.character,
    frames: FRAMES,
    portraitSeedId: ids.portrait,
    heroSeedId: hero.id,
    randomSeed: 1,
  });
  const clip = await createClip(db, actor, ids.scene, input);
  if (clip.status === "draft") await generateClip(actor, ids.clip);
}

const isMade = ({ status }: Seed) => status === "candidate" || status === "kept";

/** Most like the portrait, then the sharpest; equal scores are decided by the random seed. */
function byMerit(one: Seed, other: Seed): number {
  const likeness = ({ measures }: Seed) => Math.round((measures?.likeness ?? -1) * 1000);
  const sharpness = ({ measures }: Seed) => Math.round(measures?.sharpness ?? 0);
  return likeness(other) - likeness(one) || sharpness(other) - sharpness(one) ||
    (one.randomSeed ?? 0) - (other.randomSeed ?? 0);
}

interface SampleIds {
  readonly project: Id<"project">;
  readonly character: Id<"character">;
  readonly asset: Id<"asset">;
  readonly portrait: Id<"seed">;
  readonly batch: Id<"variation batch">;
  readonly scene: Id<"scene">;
  readonly clip: Id<"clip">;
}

const MOST_SAMPLES = 100;

/** The ids of the user's newest sample that is not in the trash, or of the one to be made. */
async function currentIds(db: Db, actor: Actor): Promise<SampleIds> {
  for (let number = 1; number <= MOST_SAMPLES; number++) {
    const ids = idsOf(actor.userId, number);
    const project = await find(openProject(db, actor, ids.project, "project.read"));
    if (project?.status !== "trashed") return ids;
  }
  throw new AppError(
    "conflict",
    `There are ${MOST_SAMPLES} sample projects in the trash: restore one of them`,
  );
}

function idsOf(userId: string, number: number): SampleIds {
  const make = <Kind extends string>(what: Kind) => derive(userId, `${what} ${number}`) as Id<Kind>;
  return {
    project: make("project"),
    character: make("character"),
    asset: make("asset"),
    portrait: make("seed"),
    batch: make("variation batch"),
    scene: make("scene"),
    clip: make("clip"),
  };
}

/** A UUIDv7 with the user's time and, in place of chance, a hash. */
function derive(userId: string, what: string): string {
  const hash = createHash("sha256").update(`sample project of ${userId}: ${what}`).digest("hex");
  const variant = "89ab"[parseInt(hash.slice(3, 4), 16) % 4];
  return `${userId.slice(0, 13)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}

/** Undefined where there is no such thing. */
async function find<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return undefined;
    throw error;
  }
}
