import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Fragment, Queryable } from "#server/db/db.ts";
import type {
  Seed,
  SeedKind,
  SeedOrigin,
  SeedStatus,
  SeedUses,
  VariationBatch,
  VariationSummary,
} from "./contract.ts";
import type { FaceModel, measureSeed } from "./job_kinds.ts";

const selectSeed = (db: Queryable) =>
  db`
  select s.id, s.project_id, s.character_id, k.code as kind, o.code as origin, t.code as status, s.asset_id,
         a.file_hash as hash, s.derived_from_seed_id, s.replaces_seed_id, s.batch_id, s.random_seed, s.rating, s.failure, s.stale_at,
         p.approved_at, s.created_at,
         case when v.id is not null then json_build_object(
           'workflowTitle', v.manifest ->> 'title', 'isCpuPreview', coalesce((v.manifest ->> 'cpuPreview')::boolean, false),
           'workerName', w.name,
           'tookMs', (select round(extract(epoch from x.finished_at - x.started_at) * 1000) from job_attempts x
                       where x.job_id = pr.job_id and x.finished_at is not null order by x.number desc limit 1)) end as made_with,
         case when m.seed_id is not null then json_build_object(
           'likeness', m.likeness, 'likenessReason', m.likeness_reason, 'againstSeedId', m.portrait_seed_id,
           'model', case when f.id is not null then json_build_object('name', f.name, 'hash', f.hash, 'metric', f.metric) end,
           'sharpness', m.sharpness, 'meanLab', m.mean_lab, 'dhash', m.dhash,
           'faces', (select count(*)::int from seed_faces x where x.seed_id = s.id),
           'faceBoxes', (select coalesce(json_agg(json_build_object('x', x.x, 'y', x.y, 'width', x.width,
                                   'height', x.height, 'rollDeg', x.roll_deg, 'yawDeg', x.yaw_deg) order by x.index), '[]')
                           from seed_faces x where x.seed_id = s.id)) end as measures
    from seeds s
    join seed_kind k on k.id = s.kind_id
    join seed_origin o on o.id = s.origin_id
    join seed_status t on t.id = s.status_id
    left join assets a on a.id = s.asset_id
    left join seed_approvals p on p.seed_id = s.id
    left join seed_measures m on m.seed_id = s.id
    left join face_models f on f.id = m.face_model_id
    left join provenance pr on pr.asset_id = s.asset_id
    left join workers w on w.id = pr.worker_id
    left join workflow_versions v on v.id = coalesce(pr.workflow_version_id,
      (select b.workflow_version_id from variation_batches b where b.id = s.batch_id),
      case when s.asset_id is null then (select j.workflow_version_id from jobs j
        where j.seed_id = s.id and j.workflow_version_id is not null order by j.id desc limit 1) end)`;

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

/** What markStale() would mark, counted. */
export async function countUses(db: Queryable, seedId: string): Promise<SeedUses> {
  const [row] = await db<SeedUses[]>`
    with recursive made as (
      select id from seeds where derived_from_seed_id = ${seedId}
      union select s.id from seeds s join made on s.derived_from_seed_id = made.id),
    used as (
      select c.id, c.name from clips c join clip_status s on s.id = c.status_id and s.code <> 'trashed'
       where c.hero_seed_id in (select id from made union select ${seedId}::uuid)
          or c.portrait_seed_id in (select id from made union select ${seedId}::uuid))
    select (select count(*)::int from made) as seeds,
           (select coalesce(json_agg(json_build_object('id', id, 'name', name) order by name), '[]') from used) as clips,
           (select count(*)::int from takes t join segments g on g.id = t.segment_id
             where g.clip_id in (select id from used)) as takes`;
  return row ?? { seeds: 0, clips: [], takes: 0 };
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
): Promise<FoundBatch | undefined> {
  const [row] = await db<FoundBatch[]>`
    select id, project_id, character_id, portrait_seed_id, workflow_version_id, base_random_seed, prompt, created_at,
           created_by_id
      from variation_batches where id = ${batchId}`;
  return row;
}

export interface FoundBatch extends Omit<VariationBatch, "seeds"> {
  readonly projectId: string;
  readonly createdById: string | null;
}

/** What is asked of a batch while it is made and afterwards: its counts, its cost and its cover. */
export async function listBatches(
  db: Queryable,
  characterId: string,
  { limit, cursor }: PageQuery,
): Promise<VariationSummary[]> {
  return await db<VariationSummary[]>`
    select b.id, b.character_id, b.portrait_seed_id, b.workflow_version_id, b.base_random_seed, b.prompt, b.created_at,
           b.asked_count, v.manifest ->> 'title' as workflow_title,
           coalesce((v.manifest ->> 'cpuPreview')::boolean, false) as is_cpu_preview,
           n.making, n.ready, n.failed, n.hero_seed_id, n.cover_asset_id,
           coalesce(w.spent_ms, 0)::float8 as spent_ms, (e.p50_ms * w.open)::float8 as left_ms
      from variation_batches b
      join workflow_versions v on v.id = b.workflow_version_id
     cross join lateral (
       select count(*) filter (where t.code = 'making')::int as making,
              count(*) filter (where t.code in ('candidate', 'kept', 'rejected', 'hero'))::int as ready,
              count(*) filter (where t.code in ('failed', 'cancelled'))::int as failed,
              (array_agg(s.id) filter (where t.code = 'hero'))[1] as hero_seed_id,
              (array_agg(s.asset_id order by (t.code = 'hero') desc, s.id desc)
                filter (where s.asset_id is not null and t.code in ('candidate', 'kept', 'hero')))[1] as cover_asset_id
         from seeds s join seed_status t on t.id = s.status_id where s.batch_id = b.id) n
     cross join lateral (
       select round(sum(extract(epoch from a.finished_at - a.started_at) * 1000)) as spent_ms,
              count(distinct j.id) filter (where js.code in ('blocked', 'queued', 'held', 'running')
                                             and jk.code = 'comfy.generate') as open
         from seeds s
         join jobs j on j.seed_id = s.id
         join job_kind jk on jk.id = j.kind_id
         join job_status js on js.id = j.status_id
         left join job_attempts a on a.job_id = j.id
        where s.batch_id = b.id and jk.code = 'comfy.generate') w
      left join lateral (${latelyOf(db, db`b.workflow_version_id`)}) e on true
     where b.character_id = ${characterId} ${cursor ? db`and b.id < ${cursor}` : db``}
     order by b.id desc
     limit ${limit + 1}`;
}

/** What generations of that workflow version took lately, over all workers; a row of nulls when none was seen. */
const latelyOf = (db: Queryable, versionId: Fragment) =>
  db`
  select round(percentile_cont(0.5) within group (order by x.ms))::float8 as p50_ms,
         round(percentile_cont(0.9) within group (order by x.ms))::float8 as p90_ms
    from job_durations d join job_kind k on k.id = d.kind_id, unnest(d.recent_ms) as x (ms)
   where k.code = 'comfy.generate' and d.workflow_version_id = ${versionId}`;

export interface LatelyTaken {
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  /** Generations that wait now, whoever asked for them. */
  readonly aheadCount: number;
}

export async function findLately(db: Queryable, workflowVersionId: string): Promise<LatelyTaken> {
  const [row] = await db<LatelyTaken[]>`
    select e.*, (select count(*)::int from jobs j join job_status s on s.id = j.status_id and s.code = 'queued'
                  join job_kind k on k.id = j.kind_id and k.code = 'comfy.generate') as ahead_count
      from (${latelyOf(db, db`${workflowVersionId}::uuid`)}) e`;
  return row ?? { p50Ms: null, p90Ms: null, aheadCount: 0 };
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

export interface Reference {
  readonly seedId: string;
  readonly working: FileRef;
}

/**
 * What a seed's likeness is measured against: a foundation against the portrait it came from, else the character's
 * newest; a portrait from a foundation against that; a portrait that was given against nothing.
 */
export async function findReference(db: Queryable, seed: Seed): Promise<Reference | undefined> {
  if (seed.kind === "foundation") return await findPortraitFor(db, seed);
  const working = seed.derivedFromSeedId ? await findWorkingImage(db, seed.derivedFromSeedId) : undefined;
  return seed.derivedFromSeedId && working ? { seedId: seed.derivedFromSeedId, working } : undefined;
}

async function findPortraitFor(db: Queryable, seed: Seed): Promise<Reference | undefined> {
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

/** Which seed of the character the picture of that hash is: what the seed came from before any other. */
export async function findMeasuredAgainst(
  db: Queryable,
  seed: Seed,
  workingHash: string,
): Promise<string | undefined> {
  const [row] = await db<{ id: string }[]>`
    select s.id
      from seeds s
      join assets a on a.id = s.asset_id
      join derivatives d on d.source_hash = a.file_hash and d.file_hash = ${workingHash}
                        and d.kind_id = (select id from derivative_kind where code = 'working_image')
     where s.character_id = ${seed.characterId} and s.id <> ${seed.id}
     order by (s.id = ${seed.derivedFromSeedId}) desc nulls last, s.id desc
     limit 1`;
  return row?.id;
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
  againstSeedId: string | undefined,
): Promise<void> {
  const row = {
    seedId,
    portraitSeedId: againstSeedId ?? null,
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
