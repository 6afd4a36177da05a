import type { Actor } from "#server/core/actor.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Json, Queryable } from "#server/db/db.ts";
import type { Clip, ClipChange, ClipInput, ClipStatus, Cut, Segment, Take } from "./contract.ts";

const rateOf = (db: Queryable, table: string) =>
  db`json_build_object('num', ${db(table)}.rate_num, 'den', ${db(table)}.rate_den)`;

const selectClip = (db: Queryable) =>
  db`
  select c.id, c.project_id, c.scene_id, c.character_id, c.name, c.position, s.code as status, c.portrait_seed_id,
         c.hero_seed_id, c.workflow_version_id, c.frames, ${
    rateOf(db, "p")
  } as rate, c.prompt, c.negative_prompt,
         c.random_seed, c.likeness_floor, c.reroll_limit, c.attention, c.created_at,
         coalesce((select json_object_agg(k.parameter, k.value) from clip_knobs k where k.clip_id = c.id), '{}') as knobs
    from clips c
    join projects p on p.id = c.project_id
    join clip_status s on s.id = c.status_id`;

export async function findClip(db: Queryable, clipId: string): Promise<Clip | undefined> {
  const [row] = await db<Clip[]>`${selectClip(db)} where c.id = ${clipId}`;
  return row;
}

/** Holds the clip until the transaction ends, so that only one of several wakers plans its next step. */
export async function lockClip(db: Queryable, clipId: string): Promise<void> {
  await db`select 1 from clips where id = ${clipId} for update`;
}

export async function listClips(
  db: Queryable,
  sceneId: string,
  { limit, cursor }: PageQuery,
): Promise<Clip[]> {
  return await db<Clip[]>`
    ${selectClip(db)}
     where c.scene_id = ${sceneId} and s.code <> 'trashed'
       ${cursor ? db`and (c.position, c.id) > (select position, id from clips where id = ${cursor})` : db``}
     order by c.position, c.id
     limit ${limit + 1}`;
}

export async function insertClip(
  db: Queryable,
  clip: Omit<ClipInput, "id"> & { id: string; projectId: string; sceneId: string; randomSeed: number },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into clips (id, project_id, scene_id, character_id, name, position, status_id, portrait_seed_id, hero_seed_id,
                       workflow_version_id, frames, prompt, negative_prompt, random_seed, likeness_floor, reroll_limit,
                       created_by_id)
    select ${clip.id}, ${clip.projectId}, ${clip.sceneId}, ${clip.characterId}, ${clip.name},
           coalesce((select max(position) from clips where scene_id = ${clip.sceneId}), 0) + 10, s.id,
           ${clip.portraitSeedId ?? null}, ${clip.heroSeedId ?? null}, ${
    clip.workflowVersionId ?? null
  }, ${clip.frames},
           ${clip.prompt}, ${clip.negativePrompt}, ${clip.randomSeed}, ${clip.likenessFloor}, ${clip.rerollLimit},
           ${actor.userId}
      from clip_status s where s.code = 'draft'
    on conflict (id) do nothing
    returning 1`;
  if (rows.length > 0) await replaceKnobs(db, clip.id, clip.knobs);
  return rows.length > 0;
}

export async function updateClip(db: Queryable, clipId: string, change: ClipChange): Promise<void> {
  const { knobs, trash: _, ...columns } = change;
  const row = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
  if (Object.keys(row).length > 0) {
    await db`update clips set ${db(row)}, updated_at = now() where id = ${clipId}`;
  }
  if (knobs) await replaceKnobs(db, clipId, knobs);
}

async function replaceKnobs(db: Queryable, clipId: string, knobs: Clip["knobs"]): Promise<void> {
  await db`delete from clip_knobs where clip_id = ${clipId}`;
  for (const [parameter, value] of Object.entries(knobs)) {
    await db`insert into clip_knobs (clip_id, parameter, value) values (${clipId}, ${parameter}, ${
      db.json(value as Json)
    })`;
  }
}

export async function setClipStatus(
  db: Queryable,
  clipId: string,
  status: ClipStatus,
  attention: string | null = null,
): Promise<void> {
  await db`
    update clips set status_id = (select id from clip_status where code = ${status}), attention = ${attention}, updated_at = now()
     where id = ${clipId}`;
}

export async function setWorkflow(db: Queryable, clipId: string, versionId: string): Promise<void> {
  await db`update clips set workflow_version_id = ${versionId} where id = ${clipId}`;
}

const selectTake = (db: Queryable) =>
  db`
  select t.id, t.segment_id, t.number, s.code as status, t.chosen_at is not null as is_chosen, t.random_seed,
         ${rateOf(db, "t")} as rate, t.frame_count, t.end_frame, t.stability,
         case when l.take_id is not null then json_build_object('median', l.median, 'min', l.min, 'coverage', l.coverage) end as likeness,
         t.intermediate_asset_id as asset_id, t.end_image_asset_id,
         case when v.code is not null then json_build_object('verdict', v.code, 'reasons', t.gate_reasons) end as gate,
         t.failure, t.stale_at, t.created_at
    from takes t
    join take_status s on s.id = t.status_id
    left join gate_verdict v on v.id = t.gate_verdict_id
    left join take_likeness l on l.take_id = t.id`;

export async function listSegments(db: Queryable, clipId: string): Promise<Segment[]> {
  const segments = await db<Omit<Segment, "takes">[]>`
    select g.id, g.index, s.code as status, g.prompt, g.locked_at
      from segments g join segment_status s on s.id = g.status_id
     where g.clip_id = ${clipId} order by g.index`;
  const takes = await db<Take[]>`
    ${
    selectTake(db)
  } where t.segment_id in (select id from segments where clip_id = ${clipId}) order by t.number`;
  return segments.map((segment) => ({
    ...segment,
    takes: takes.filter((take) => take.segmentId === segment.id),
  }));
}

export async function findClipOfSegment(
  db: Queryable,
  segmentId: string,
): Promise<{ clipId: string; index: number } | undefined> {
  const [row] = await db<
    { clipId: string; index: number }[]
  >`select clip_id, index from segments where id = ${segmentId}`;
  return row;
}

/** A take as the loop sees it. */
export interface LoopTake {
  readonly id: string;
  readonly clipId: string;
  readonly segmentId: string;
  readonly segmentIndex: number;
  readonly number: number;
  readonly status: string;
  readonly rateNum: number;
  readonly rateDen: number;
  readonly generateFrames: number;
  readonly dropHead: number;
  readonly targetEnd: number;
  readonly endWindow: number;
  readonly isEndExact: boolean;
  readonly frameCount: number | null;
  readonly endFrame: number | null;
  readonly randomSeed: number;
  readonly isChosen: boolean;
  readonly isStale: boolean;
  readonly startsFromTakeId: string | null;
  readonly intermediate: FileRef | null;
  readonly endImage: FileRef | null;
}

const fileJson = (db: Queryable, table: string) =>
  db`(select json_build_object('hash', f.hash, 'sizeBytes', f.size_bytes, 'mediaType', m.code)
        from assets a join files f on f.hash = a.file_hash join media_type m on m.id = f.media_type_id where a.id = ${
    db(table)
  })`;

const selectLoopTake = (db: Queryable) =>
  db`
  select t.id, g.clip_id, t.segment_id, g.index as segment_index, t.number, s.code as status, t.rate_num, t.rate_den,
         t.generate_frames, t.drop_head, t.target_end, t.end_window, t.is_end_exact, t.frame_count, t.end_frame, t.random_seed,
         t.chosen_at is not null as is_chosen, t.stale_at is not null as is_stale, t.starts_from_take_id,
         ${fileJson(db, "t.intermediate_asset_id")} as intermediate, ${
    fileJson(db, "t.end_image_asset_id")
  } as end_image
    from takes t
    join segments g on g.id = t.segment_id
    join take_status s on s.id = t.status_id`;

export async function findLoopTake(db: Queryable, takeId: string): Promise<LoopTake | undefined> {
  const [row] = await db<LoopTake[]>`${selectLoopTake(db)} where t.id = ${takeId}`;
  return row;
}

export async function listLoopTakes(db: Queryable, clipId: string): Promise<LoopTake[]> {
  return await db<LoopTake[]>`${selectLoopTake(db)} where g.clip_id = ${clipId} order by g.index, t.number`;
}

/** The segment of that index (from 1), made or brought back to "generating". */
export async function openSegment(
  db: Queryable,
  clipId: string,
  index: number,
  newSegmentId: string,
): Promise<{ id: string; prompt: string | null }> {
  await db`
    insert into segments (id, clip_id, index, status_id)
    select ${newSegmentId}, ${clipId}, ${index}, id from segment_status where code = 'planned'
    on conflict (clip_id, index) do nothing`;
  await db`
    update segments set status_id = (select id from segment_status where code = 'planned')
     where clip_id = ${clipId} and index = ${index}
       and status_id in (select id from segment_status where code in ('ready', 'failed', 'removed'))`;
  const [row] = await db<{ id: string; prompt: string | null }[]>`
    update segments set status_id = (select id from segment_status where code = 'generating')
     where clip_id = ${clipId} and index = ${index}
    returning id, prompt`;
  if (!row) throw new Error(`Segment ${index} of clip ${clipId} is gone`);
  return row;
}

export async function setSegmentStatus(
  db: Queryable,
  segmentId: string,
  status: Segment["status"],
): Promise<void> {
  await db`update segments set status_id = (select id from segment_status where code = ${status}) where id = ${segmentId}`;
}

/** The segment has a take to show, whatever it was before. */
export async function setSegmentReady(db: Queryable, segmentId: string): Promise<void> {
  await reopenSegment(db, segmentId);
  await setSegmentStatus(db, segmentId, "ready");
}

export async function reopenSegment(db: Queryable, segmentId: string): Promise<void> {
  await db`
    update segments set status_id = (select id from segment_status where code = 'generating')
     where id = ${segmentId} and status_id in (select id from segment_status where code in ('planned', 'failed'))`;
}

/** Segments behind `index` no longer belong to the clip; what they hold stays. */
export async function removeSegmentsAfter(db: Queryable, clipId: string, index: number): Promise<void> {
  await db`update takes set chosen_at = null where segment_id in (select id from segments where clip_id = ${clipId} and index > ${index})`;
  await db`
    update segments set status_id = (select id from segment_status where code = 'removed')
     where clip_id = ${clipId} and index > ${index}
       and status_id in (select id from segment_status where code in ('planned', 'ready', 'failed'))`;
}

export interface TakeInsert {
  readonly id: string;
  readonly segmentId: string;
  readonly randomSeed: number;
  readonly workflowVersionId: string;
  readonly startsFromTakeId: string | null;
  readonly startFileHash: string;
  readonly rate: { num: number; den: number };
  readonly generateFrames: number;
  readonly dropHead: number;
  readonly targetEnd: number;
  readonly endWindow: number;
  readonly isEndExact: boolean;
  readonly createdById: string | null;
}

export async function insertTake(db: Queryable, take: TakeInsert): Promise<void> {
  await db`
    insert into takes (id, segment_id, number, status_id, random_seed, workflow_version_id, starts_from_take_id, start_file_hash,
                       rate_num, rate_den, generate_frames, drop_head, target_end, end_window, is_end_exact, created_by_id)
    select ${take.id}, ${take.segmentId}, coalesce((select max(number) from takes where segment_id = ${take.segmentId}), 0) + 1,
           s.id, ${take.randomSeed}, ${take.workflowVersionId}, ${take.startsFromTakeId}, ${take.startFileHash},
           ${take.rate.num}, ${take.rate.den}, ${take.generateFrames}, ${take.dropHead}, ${take.targetEnd}, ${take.endWindow},
           ${take.isEndExact}, ${take.createdById}
      from take_status s where s.code = 'generating'`;
}

export async function updateTake(
  db: Queryable,
  takeId: string,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db`update takes set ${db(row)} where id = ${takeId}`;
}

export async function setTakeStatus(
  db: Queryable,
  takeId: string,
  status: string,
  failure: string | null = null,
): Promise<void> {
  await db`
    update takes
       set status_id = (select id from take_status where code = ${status}), failure = ${failure},
           finished_at = case when ${
    ["ready", "rejected", "failed", "cancelled"].includes(status)
  } then now() end
     where id = ${takeId}`;
}

export async function setGate(
  db: Queryable,
  takeId: string,
  verdict: string,
  reasons: string[],
): Promise<void> {
  await db`
    update takes set gate_verdict_id = (select id from gate_verdict where code = ${verdict}), gate_reasons = ${reasons}
     where id = ${takeId}`;
}

/** Makes the take the chosen one of its segment. */
export async function chooseTake(db: Queryable, take: { id: string; segmentId: string }): Promise<void> {
  await db`update takes set chosen_at = null where segment_id = ${take.segmentId} and id <> ${take.id} and chosen_at is not null`;
  await db`update takes set chosen_at = coalesce(chosen_at, now()), stale_at = null where id = ${take.id}`;
}

/** Later takes that were built on another picture than the one now chosen are no longer in the cut. */
export async function dropLaterTakes(db: Queryable, clipId: string, index: number): Promise<void> {
  await db`
    update takes set chosen_at = null, stale_at = coalesce(stale_at, now())
     where chosen_at is not null and segment_id in (select id from segments where clip_id = ${clipId} and index > ${index})`;
}

export async function countRejected(
  db: Queryable,
  segmentId: string,
  startFileHash: string,
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*) as n from takes t join take_status s on s.id = t.status_id
     where t.segment_id = ${segmentId} and t.start_file_hash = ${startFileHash} and s.code = 'rejected'`;
  return row?.n ?? 0;
}

export async function findStartHash(db: Queryable, takeId: string): Promise<string> {
  const [row] = await db<{ startFileHash: string }[]>`select start_file_hash from takes where id = ${takeId}`;
  return row?.startFileHash ?? "";
}

const selectCut = (db: Queryable) =>
  db`
  select u.id, u.clip_id, u.number, s.code as status, ${
    rateOf(db, "u")
  } as rate, u.width_px, u.height_px, u.frames,
         r.code as conform, u.asset_id, u.failure, u.created_at,
         coalesce((select json_agg(json_build_object('takeId', p.take_id, 'firstFrame', p.first_frame,
                     'sourceFrameCount', p.source_frame_count) order by p.index) from cut_parts p where p.cut_id = u.id), '[]') as parts,
         coalesce((select json_agg(json_build_object('frame', m.frame, 'jump', m.jump, 'reversal', m.reversal,
                     'colorStep', m.color_step, 'lumaStep', m.luma_step, 'sharpnessRatio', m.sharpness_ratio,
                     'verdict', v.code, 'reasons', m.reasons) order by m.frame)
                     from cut_seams m join seam_verdict v on v.id = m.verdict_id where m.cut_id = u.id), '[]') as seams,
         case when l.cut_id is not null then json_build_object('median', l.median, 'min', l.min, 'coverage', l.coverage) end as likeness
    from cuts u
    join cut_status s on s.id = u.status_id
    join conform_rule r on r.id = u.conform_rule_id
    left join cut_likeness l on l.cut_id = u.id`;

export async function listCuts(db: Queryable, clipId: string): Promise<Cut[]> {
  return await db<Cut[]>`${selectCut(db)} where u.clip_id = ${clipId} order by u.number`;
}

export async function findCut(db: Queryable, cutId: string): Promise<Cut | undefined> {
  const [row] = await db<Cut[]>`${selectCut(db)} where u.id = ${cutId}`;
  return row;
}

export interface CutInsert {
  readonly id: string;
  readonly clipId: string;
  readonly rate: { num: number; den: number };
  readonly widthPx: number;
  readonly heightPx: number;
  readonly frames: number;
  readonly conform: string;
  readonly createdById: string | null;
}

export async function insertCut(db: Queryable, cut: CutInsert): Promise<void> {
  await db`
    insert into cuts (id, clip_id, number, status_id, rate_num, rate_den, width_px, height_px, frames, conform_rule_id, created_by_id)
    select ${cut.id}, ${cut.clipId}, coalesce((select max(number) from cuts where clip_id = ${cut.clipId}), 0) + 1, s.id,
           ${cut.rate.num}, ${cut.rate.den}, ${cut.widthPx}, ${cut.heightPx}, ${cut.frames}, r.id, ${cut.createdById}
      from cut_status s, conform_rule r where s.code = 'stitching' and r.code = ${cut.conform}`;
}

export async function insertCutPart(
  db: Queryable,
  part: { cutId: string; index: number; takeId: string; sourceFirstFrame: number; sourceFrameCount: number },
): Promise<void> {
  await db`insert into cut_parts ${db(part)}`;
}

export async function updateCut(
  db: Queryable,
  cutId: string,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db`update cuts set ${db(row)} where id = ${cutId}`;
}

export async function setCutStatus(
  db: Queryable,
  cutId: string,
  status: string,
  failure: string | null = null,
): Promise<void> {
  await db`
    update cuts
       set status_id = (select id from cut_status where code = ${status}), failure = ${failure},
           finished_at = case when ${["ready", "failed"].includes(status)} then now() else finished_at end
     where id = ${cutId}`;
}

export async function setBoundary(
  db: Queryable,
  cutId: string,
  index: number,
  firstFrame: number,
): Promise<void> {
  await db`update cut_parts set first_frame = ${firstFrame} where cut_id = ${cutId} and index = ${index}`;
}

/** Cuts of the clip that are ready, but older than this one, give way to it. */
export async function supersedeOlder(db: Queryable, clipId: string, cutId: string): Promise<void> {
  await db`
    update cuts set status_id = (select id from cut_status where code = 'superseded')
     where clip_id = ${clipId} and id <> ${cutId} and status_id = (select id from cut_status where code = 'ready')`;
}
