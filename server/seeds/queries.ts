import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Seed, SeedKind, SeedOrigin, SeedStatus, VariationBatch } from "./contract.ts";
import type { FaceModel, measureSeed } from "./job_kinds.ts";

const selectSeed = (db: Queryable) =>
  db`
  select s.id, s.project_id, s.character_id, k.code as kind, o.code as origin, t.code as status, s.asset_id,
         a.file_hash as hash, s.derived_from_seed_id, s.replaces_seed_id, s.batch_id, s.random_seed, s.rating, s.failure, s.stale_at,
         p.approved_at, s.created_at,
         case when m.seed_id is not null then json_build_object(
           'likeness', m.likeness, 'likenessReason', m.likeness_reason,
           'model', case when f.id is not null then json_build_object('name', f.name, 'hash', f.hash, 'metric', f.metric) end,
           'sharpness', m.sharpness, 'dhash', m.dhash,
           'faces', (select count(*)::int from seed_faces x where x.seed_id = s.id)) end as measures
    from seeds s
    join seed_kind k on k.id = s.kind_id
    join seed_origin o on o.id = s.origin_id
    join seed_status t on t.id = s.status_id
    left join assets a on a.id = s.asset_id
    left join seed_approvals p on p.seed_id = s.id
    left join seed_measures m on m.seed_id = s.id
    left join face_models f on f.id = m.face_model_id`;

export async function findSeed(db: Queryable, seedId: string): Promise<Seed | undefined> {
  const [row] = await db<Seed[]>`${selectSeed(db)} where s.id = ${seedId}`;
  return row;
}

/** findSeed() that holds the seed until the transaction ends. */
export async function lockSeed(db: Queryable, seedId: string): Promise<Seed | undefined> {
  await db`select 1 from seeds where id = ${seedId} for no key update`;
  return await findSeed(db, seedId);
}

export async function listSeeds(
  db: Queryable,
  characterId: string,
  query: PageQuery & { kind?: SeedKind | undefined; batchId?: string | undefined },
): Promise<Seed[]> {
  return await db<Seed[]>`
    ${selectSeed(db)}
     where s.character_id = ${characterId}
       ${query.kind ? db`and k.code = ${query.kind}` : db``}
       ${query.batchId ? db`and s.batch_id = ${query.batchId}` : db``}
       ${query.cursor ? db`and s.id < ${query.cursor}` : db``}
     order by s.id desc
     limit ${query.limit + 1}`;
}

export interface SeedInsert {
  readonly id: string;
  readonly projectId: string;
  readonly characterId: string;
  readonly kind: SeedKind;
  readonly origin: SeedOrigin;
  readonly assetId?: string | null;
  readonly derivedFromSeedId?: string | null;
  readonly replacesSeedId?: string | null;
  readonly batchId?: string | null;
  readonly randomSeed?: number | null;
}

/** False when a seed of this id is there already. */
export async function insertSeed(db: Queryable, seed: SeedInsert, actor: Actor): Promise<boolean> {
  const rows = await db`
    insert into seeds (id, project_id, character_id, kind_id, origin_id, status_id, asset_id, derived_from_seed_id,
                       replaces_seed_id, batch_id, random_seed, created_by_id)
    select ${seed.id}, ${seed.projectId}, ${seed.characterId}, k.id, o.id, s.id, ${seed.assetId ?? null},
           ${seed.derivedFromSeedId ?? null}, ${seed.replacesSeedId ?? null}, ${seed.batchId ?? null}, ${
    seed.randomSeed ?? null
  }, ${actor.userId}
      from seed_kind k, seed_origin o, seed_status s
     where k.code = ${seed.kind} and o.code = ${seed.origin} and s.code = 'making'
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export async function setStatus(
  db: Queryable,
  seedId: string,
  status: SeedStatus,
  failure?: string,
): Promise<void> {
  await db`
    update seeds set status_id = (select id from seed_status where code = ${status}), failure = ${
    failure ?? null
  }
     where id = ${seedId}`;
}

export async function setRating(db: Queryable, seedId: string, rating: number | null): Promise<void> {
  await db`update seeds set rating = ${rating} where id = ${seedId}`;
}

export async function setAsset(db: Queryable, seedId: string, assetId: string): Promise<void> {
  await db`update seeds set asset_id = ${assetId} where id = ${seedId}`;
}

/** Seeds are never reclaimed (SPEC rule 4): their asset becomes protected and takes the seed's kind. */
export async function protectAsset(db: Queryable, seedId: string): Promise<void> {
  await db`
    update assets a
       set retention_class_id = (select id from retention_class where code = 'protected'),
           kind_id = (select k.id from asset_kind k join seed_kind sk on sk.code = k.code
                        join seeds s on s.kind_id = sk.id where s.id = ${seedId})
     where a.id = (select asset_id from seeds where id = ${seedId})`;
}

/** The hero of a batch, held until the transaction ends. */
export async function lockHeroOf(db: Queryable, batchId: string): Promise<Seed | undefined> {
  // Two who choose at once take turns at the batch, since the hero that the one makes is new to the other.
  await db`select 1 from variation_batches where id = ${batchId} for no key update`;
  const [row] = await db<Seed[]>`${selectSeed(db)} where s.batch_id = ${batchId} and t.code = 'hero'`;
  return row ? await lockSeed(db, row.id) : undefined;
}

export async function insertApproval(db: Queryable, seedId: string, actor: Actor): Promise<void> {
  await db`
    insert into seed_approvals (seed_id, approved_by_id, file_hash)
    select s.id, ${actor.userId}, a.file_hash from seeds s join assets a on a.id = s.asset_id where s.id = ${seedId}
    on conflict (seed_id) do nothing`;
}

export async function deleteApproval(db: Queryable, seedId: string): Promise<void> {
  await db`delete from seed_approvals where seed_id = ${seedId}`;
}

/** Names of clips that build on the seed as hero and have begun. */
export async function listClipsOf(db: Queryable, seedId: string): Promise<string[]> {
  const rows = await db<{ name: string }[]>`
    select c.name from clips c join clip_status s on s.id = c.status_id
     where c.hero_seed_id = ${seedId} and s.code not in ('draft', 'trashed') order by c.name limit 10`;
  return rows.map((row) => row.name);
}

/** Marks all that was made from a seed as stale: seeds derived from it and takes of clips that use one of them. */
export async function markStale(db: Queryable, seedId: string): Promise<void> {
  await db`
    with recursive made as (
      select id from seeds where derived_from_seed_id = ${seedId}
      union select s.id from seeds s join made on s.derived_from_seed_id = made.id),
    seeds_marked as (update seeds set stale_at = now() where id in (select id from made) and stale_at is null)
    update takes set stale_at = now()
     where stale_at is null
       and segment_id in (
         select g.id from segments g join clips c on c.id = g.clip_id
          where c.hero_seed_id in (select id from made union select ${seedId}::uuid)
             or c.portrait_seed_id in (select id from made union select ${seedId}::uuid))`;
}

export async function insertBatch(
  db: Queryable,
  batch: Omit<VariationBatch, "seeds" | "createdAt"> & { projectId: string; count: number },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into variation_batches (id, project_id, character_id, portrait_seed_id, workflow_version_id, base_random_seed,
                                   asked_count, prompt, created_by_id)
    values (${batch.id}, ${batch.projectId}, ${batch.characterId}, ${batch.portraitSeedId}, ${batch.workflowVersionId},
            ${batch.baseRandomSeed}, ${batch.count}, ${batch.prompt}, ${actor.userId})
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export async function findBatch(
  db: Queryable,
  batchId: string,
): Promise<Omit<VariationBatch, "seeds"> & { projectId: string } | undefined> {
  const [row] = await db<(Omit<VariationBatch, "seeds"> & { projectId: string })[]>`
    select id, project_id, character_id, portrait_seed_id, workflow_version_id, base_random_seed, prompt, created_at
      from variation_batches where id = ${batchId}`;
  return row;
}

export async function listSeedsOfBatch(db: Queryable, batchId: string): Promise<Seed[]> {
  return await db<Seed[]>`${selectSeed(db)} where s.batch_id = ${batchId} order by s.id`;
}

/** The picture that generation and measures read: upright, 8 bit, sRGB. Undefined until it was looked into. */
export async function findWorkingImage(db: Queryable, seedId: string): Promise<FileRef | undefined> {
  const [row] = await db<FileRef[]>`
    select f.hash, f.size_bytes, t.code as media_type
      from seeds s
      join assets a on a.id = s.asset_id
      join derivatives d on d.source_hash = a.file_hash
                        and d.kind_id = (select id from derivative_kind where code = 'working_image')
      join files f on f.hash = d.file_hash
      join media_type t on t.id = f.media_type_id
     where s.id = ${seedId}`;
  return row;
}

/** The portrait against which a seed's likeness is measured: what it came from, else the character's newest. */
export async function findPortraitFor(
  db: Queryable,
  seed: Seed,
): Promise<{ seedId: string; working: FileRef } | undefined> {
  const [row] = await db<{ id: string }[]>`
    select s.id
      from seeds s
      join seed_kind k on k.id = s.kind_id and k.code = 'portrait'
      join seed_status t on t.id = s.status_id and t.code in ('candidate', 'kept')
     where s.character_id = ${seed.characterId} and s.id <> ${seed.id}
     order by (s.id = ${seed.derivedFromSeedId}) desc nulls last, s.id desc
     limit 1`;
  const working = row ? await findWorkingImage(db, row.id) : undefined;
  return row && working ? { seedId: row.id, working } : undefined;
}

/** The id of the face model, made known on first sight. */
export async function ensureFaceModel(db: Queryable, model: FaceModel): Promise<string> {
  await db`
    insert into face_models (id, name, hash, metric) values (${newId()}, ${model.name}, ${model.hash}, ${model.metric})
    on conflict (name, hash) do nothing`;
  const [row] = await db<
    { id: string }[]
  >`select id from face_models where name = ${model.name} and hash = ${model.hash}`;
  if (!row) throw new Error(`The face model ${model.name} was not recorded`);
  return row.id;
}

export async function saveMeasures(
  db: Queryable,
  seedId: string,
  measured: z.output<typeof measureSeed["output"]>,
  portraitSeedId: string | undefined,
): Promise<void> {
  const row = {
    seedId,
    portraitSeedId: portraitSeedId ?? null,
    faceModelId: await ensureFaceModel(db, measured.model),
    likeness: measured.likeness,
    likenessReason: measured.likenessReason ?? null,
    sharpness: measured.sharpness,
    meanLab: measured.meanLab,
    dhash: measured.dhash,
  };
  await db`insert into seed_measures ${db(row)} on conflict (seed_id) do update set ${db(row)}`;
  await db`delete from seed_faces where seed_id = ${seedId}`;
  const faces = measured.faces.map((face, index) => ({
    seedId,
    index,
    ...face.box,
    score: face.score,
    eyeDistancePx: face.eyeDistancePx,
    yawDeg: face.yawDeg,
    pitchDeg: face.pitchDeg,
    rollDeg: face.rollDeg,
    eyesOpen: face.eyesOpen,
  }));
  if (faces.length > 0) await db`insert into seed_faces ${db(faces)}`;
}
