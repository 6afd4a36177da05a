import type { FileRef } from "#server/core/file_ref.ts";
import type { Rate } from "#server/core/media_time.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Segment, Take, TakeStatus } from "./contract.ts";
import { rateOf } from "./queries.ts";

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
  readonly status: TakeStatus;
  readonly rate: Rate;
  readonly startFileHash: string;
  readonly generateFrames: number;
  readonly dropHead: number;
  readonly targetEnd: number;
  readonly endWindow: number;
  readonly isEndExact: boolean;
  readonly frameCount: number | null;
  readonly endFrame: number | null;
  readonly randomSeed: number;
  readonly isChosen: boolean;
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
  select t.id, g.clip_id, t.segment_id, g.index as segment_index, t.number, s.code as status, ${
    rateOf(db, "t")
  } as rate, t.start_file_hash,
         t.generate_frames, t.drop_head, t.target_end, t.end_window, t.is_end_exact, t.frame_count, t.end_frame, t.random_seed,
         t.chosen_at is not null as is_chosen, t.starts_from_take_id,
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
  const [row] = await db<{ id: string; prompt: string | null }[]>`
    insert into segments (id, clip_id, index, status_id)
    select ${newSegmentId}, ${clipId}, ${index}, id from segment_status where code = 'generating'
    on conflict (clip_id, index) do update set status_id = excluded.status_id
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

export async function updateSegment(
  db: Queryable,
  segmentId: string,
  change: { prompt?: string | null | undefined; isLocked?: boolean | undefined },
): Promise<void> {
  if (change.prompt !== undefined) {
    await db`update segments set prompt = ${change.prompt} where id = ${segmentId}`;
  }
  if (change.isLocked !== undefined) {
    await db`
      update segments set locked_at = case when ${change.isLocked} then coalesce(locked_at, now()) end where id = ${segmentId}`;
  }
}

/** The first locked segment from `index` on. */
export async function findLocked(db: Queryable, clipId: string, index: number): Promise<number | undefined> {
  const [row] = await db<{ index: number }[]>`
    select index from segments
     where clip_id = ${clipId} and index >= ${index} and locked_at is not null order by index limit 1`;
  return row?.index;
}

/** Segments behind `index` no longer belong to the clip; what they hold stays. */
export async function removeSegmentsAfter(db: Queryable, clipId: string, index: number): Promise<void> {
  await db`update takes set chosen_at = null where segment_id in (select id from segments where clip_id = ${clipId} and index > ${index})`;
  await db`
    update segments set status_id = (select id from segment_status where code = 'removed')
     where clip_id = ${clipId} and index > ${index}
       and status_id <> (select id from segment_status where code = 'removed')`;
}

export interface TakeInsert {
  readonly id: string;
  readonly segmentId: string;
  readonly randomSeed: number;
  readonly workflowVersionId: string;
  readonly startsFromTakeId: string | null;
  readonly startFileHash: string;
  readonly rate: Rate;
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
  status: TakeStatus,
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

/** Makes the take the chosen one of its segment, which has one to show by that. */
export async function chooseTake(db: Queryable, take: { id: string; segmentId: string }): Promise<void> {
  await setSegmentStatus(db, take.segmentId, "ready");
  await db`update takes set chosen_at = null where segment_id = ${take.segmentId} and id <> ${take.id} and chosen_at is not null`;
  await db`update takes set chosen_at = coalesce(chosen_at, now()), stale_at = null where id = ${take.id}`;
}

/** Later takes that were built on another picture than the one now chosen are no longer in the cut. */
export async function dropLaterTakes(db: Queryable, clipId: string, index: number): Promise<void> {
  await db`
    update takes set chosen_at = null, stale_at = coalesce(stale_at, now())
     where chosen_at is not null and segment_id in (select id from segments where clip_id = ${clipId} and index > ${index})`;
}

/** Takes of the segment that its gates rejected, of those that start from the same picture. */
export async function countRejected(
  db: Queryable,
  take: { segmentId: string; startFileHash: string },
): Promise<number> {
  const [row] = await db<{ n: number }[]>`
    select count(*) as n from takes t join take_status s on s.id = t.status_id
     where t.segment_id = ${take.segmentId} and t.start_file_hash = ${take.startFileHash} and s.code = 'rejected'`;
  return row?.n ?? 0;
}
