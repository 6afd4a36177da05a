import type * as z from "zod/mini";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { ClipStatus, CutStatus, SegmentStatus, TakeStatus } from "#server/clips/contract.ts";
import type { DecisionKind } from "#server/review/contract.ts";
import type { MasterStatus } from "#server/scenes/contract.ts";
import {
  type Given,
  givenAsset,
  givenCharacter,
  givenHero,
  givenScene,
  type GivenSeed,
  givenSeed,
  givenWorkflowVersion,
  type InProject,
  lookup,
  type World,
} from "./fixtures.ts";

export interface GivenClip extends InProject {
  readonly sceneId: string;
  readonly characterId: string;
  readonly portrait: GivenSeed;
  readonly hero: GivenSeed;
}

/** A clip of 48 frames with a portrait and an approved hero, in a scene of its own unless one is given. */
export async function givenClip(
  world: World,
  given: {
    readonly projectId?: string | undefined;
    readonly scene?: InProject;
    readonly status?: z.infer<typeof ClipStatus>;
    readonly frames?: number;
  } = {},
): Promise<GivenClip> {
  const { db } = world;
  const scene = given.scene ?? await givenScene(world, given);
  const { projectId } = scene;
  const character = await givenCharacter(world, { projectId });
  const portrait = await givenSeed(world, { character });
  const hero = await givenHero(world, { character });
  const id = newId<"clip">();
  await db`
    insert into clips (id, project_id, scene_id, character_id, name, position, status_id, portrait_seed_id,
                       hero_seed_id, frames, random_seed)
    values (${id}, ${projectId}, ${scene.id}, ${character.id}, ${`Clip ${id.slice(-8)}`}, 10, ${
    lookup(db, "clip_status", given.status ?? "draft")
  }, ${portrait.id}, ${hero.id}, ${given.frames ?? 48}, 7)`;
  return { id, projectId, sceneId: scene.id, characterId: character.id, portrait, hero };
}

export interface GivenSegment extends InProject {
  readonly clip: GivenClip;
}

export async function givenSegment(
  world: World,
  given: {
    readonly clip?: GivenClip;
    readonly index?: number;
    readonly status?: z.infer<typeof SegmentStatus>;
  } = {},
): Promise<GivenSegment> {
  const clip = given.clip ?? await givenClip(world);
  const id = newId<"segment">();
  await world.db`
    insert into segments (id, clip_id, index, status_id)
    values (${id}, ${clip.id}, ${given.index ?? 1}, ${
    lookup(world.db, "segment_status", given.status ?? "planned")
  })`;
  return { id, projectId: clip.projectId, clip };
}

export interface GivenTake extends InProject {
  readonly segment: GivenSegment;
}

/** A take of 25 frames, ready unless said otherwise; its files are tiny PNGs, for rules and not for media. */
export async function givenTake(
  world: World,
  given: {
    readonly segment?: GivenSegment;
    readonly status?: z.infer<typeof TakeStatus>;
    readonly isChosen?: boolean;
  } = {},
): Promise<GivenTake> {
  const { db } = world;
  const segment = given.segment ?? await givenSegment(world, { status: "ready" });
  const { projectId } = segment;
  const version = await givenWorkflowVersion(world);
  const raw = await givenAsset(world, { projectId, kind: "take_raw" });
  const intermediate = await givenAsset(world, { projectId, kind: "take" });
  const endImage = await givenAsset(world, { projectId, kind: "end_image" });
  const id = newId<"take">();
  const [last] = await db<{ number: number }[]>`
    select coalesce(max(number), 0) as number from takes where segment_id = ${segment.id}`;
  const row = {
    id,
    segmentId: segment.id,
    number: (last?.number ?? 0) + 1,
    randomSeed: 7,
    workflowVersionId: version.id,
    startFileHash: segment.clip.hero.file.hash,
    rateNum: 24,
    rateDen: 1,
    generateFrames: 25,
    dropHead: 0,
    targetEnd: 24,
    endWindow: 8,
    isEndExact: false,
    rawAssetId: raw.id,
    intermediateAssetId: intermediate.id,
    endImageAssetId: endImage.id,
    widthPx: 64,
    heightPx: 64,
    frameCount: 25,
    endFrame: 24,
    chosenAt: given.isChosen ? new Date().toISOString() : null,
  };
  await db`
    insert into takes ${
    db({ ...row, statusId: await lookupId(db, "take_status", given.status ?? "ready") })
  }`;
  return { id, projectId, segment };
}

export interface GivenCut extends InProject {
  readonly clip: GivenClip;
  readonly file: FileRef;
}

/** A stitched cut that waits for review, unless another status is given. */
export async function givenCut(
  world: World,
  given: { readonly clip?: GivenClip; readonly status?: z.infer<typeof CutStatus> } = {},
): Promise<GivenCut> {
  const { db } = world;
  const clip = given.clip ?? await givenClip(world, { status: "in_review" });
  const { projectId } = clip;
  const asset = await givenAsset(world, { projectId, kind: "cut" });
  const intermediate = await givenAsset(world, { projectId, kind: "cut_intermediate" });
  const id = newId<"cut">();
  await db`
    insert into cuts (id, clip_id, number, status_id, rate_num, rate_den, width_px, height_px, frames, conform_rule_id,
                      asset_id, intermediate_asset_id)
    select ${id}, ${clip.id}, coalesce(max(number), 0) + 1, ${
    lookup(db, "cut_status", given.status ?? "ready")
  }, 24, 1, 64, 64, 48, ${lookup(db, "conform_rule", "none")}, ${asset.id}, ${intermediate.id}
      from cuts where clip_id = ${clip.id}`;
  return { id, projectId, clip, file: asset.file };
}

export async function givenDecision(
  world: World,
  given: { readonly cut?: GivenCut; readonly kind?: z.infer<typeof DecisionKind>; readonly by?: Given } = {},
): Promise<InProject> {
  const { db } = world;
  const cut = given.cut ?? await givenCut(world);
  const id = newId<"decision">();
  await db`
    insert into decisions (id, cut_id, kind_id, file_hash, decided_by_id)
    values (${id}, ${cut.id}, ${lookup(db, "decision_kind", given.kind ?? "approve")}, ${cut.file.hash}, ${
    given.by?.id ?? null
  })`;
  return { id, projectId: cut.projectId };
}

export interface GivenMaster extends InProject {
  readonly sceneId: string;
}

/** A finished master of one cut. */
export async function givenMaster(
  world: World,
  given: { readonly cut?: GivenCut; readonly status?: z.infer<typeof MasterStatus> } = {},
): Promise<GivenMaster> {
  const { db } = world;
  const cut = given.cut ?? await givenCut(world, { status: "final" });
  const { projectId, sceneId } = cut.clip;
  const asset = await givenAsset(world, { projectId, kind: "master", retention: "protected" });
  const id = newId<"master">();
  await db`
    insert into masters (id, scene_id, number, status_id, rate_num, rate_den, width_px, height_px, frames, method_id, asset_id)
    select ${id}, ${sceneId}, coalesce(max(number), 0) + 1, ${
    lookup(db, "master_status", given.status ?? "ready")
  }, 24, 1, 64, 64, 48, ${lookup(db, "assembly_method", "copied")}, ${asset.id}
      from masters where scene_id = ${sceneId}`;
  await db`
    insert into master_items (master_id, position, cut_id, first_frame, frame_count) values (${id}, 1, ${cut.id}, 0, 48)`;
  return { id, projectId, sceneId };
}

/** A delivery with one file, "manifest.json". */
export async function givenDelivery(
  world: World,
  given: { readonly master?: GivenMaster } = {},
): Promise<InProject> {
  const { db } = world;
  const master = given.master ?? await givenMaster(world);
  const { projectId } = master;
  const bytes = new TextEncoder().encode("{}\n");
  const asset = await givenAsset(world, { projectId, kind: "sidecar", bytes, mediaType: "application/json" });
  const id = newId<"delivery">();
  await db`
    insert into deliveries (id, scene_id, master_id, number, status_id)
    select ${id}, ${master.sceneId}, ${master.id}, coalesce(max(number), 0) + 1, ${
    lookup(db, "delivery_status", "ready")
  }
      from deliveries where scene_id = ${master.sceneId}`;
  await db`
    insert into delivery_files (delivery_id, name, kind_id, asset_id)
    values (${id}, 'manifest.json', ${lookup(db, "delivery_file_kind", "manifest")}, ${asset.id})`;
  return { id, projectId };
}

async function lookupId(db: World["db"], table: string, code: string): Promise<number> {
  const [row] = await db<{ id: number }[]>`select id from ${db(table)} where code = ${code}`;
  if (!row) throw new Error(`There is no ${table} "${code}"`);
  return row.id;
}
