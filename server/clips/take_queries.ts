import type { FileRef } from "#server/core/file_ref.ts";
import type { Rate } from "#server/core/media_time.ts";
import { spriteOf } from "#server/assets/service.ts";
import type { Queryable } from "#server/db/db.ts";
import type * as z from "zod/mini";
import type { GateVerdict, Segment, Take, TakeStatus } from "./contract.ts";
import { rateOf } from "./queries.ts";
import { endRemakes, setRemake, setSegmentStatus } from "./segment_queries.ts";

const selectTake = (db: Queryable) =>
  db`
  select t.id, t.segment_id, t.number, s.code as status, t.chosen_at is not null as is_chosen, t.random_seed,
         ${rateOf(db, "t")} as rate, t.frame_count, t.end_frame, t.stability,
         case when l.take_id is not null then json_build_object('median', l.median, 'min', l.min, 'coverage', l.coverage) end as likeness,
         t.intermediate_asset_id as asset_id,
         ${spriteOf(db, "t.intermediate_asset_id")} as sprite, t.end_image_asset_id,
         case when v.code is not null then json_build_object('verdict', v.code, 'reasons', t.gate_reasons) end as gate,
         t.failure, t.stale_at, t.retimed_frames, t.last_image_hash is not null as meets_next, t.created_at
    from takes t
    join take_status s on s.id = t.status_id
    left join gate_verdict v on v.id = t.gate_verdict_id
    left join take_likeness l on l.take_id = t.id`;

export async function listSegments(db: Queryable, clipId: string): Promise<Segment[]> {
  const segments = await db<Omit<Segment, "takes">[]>`
    select g.id, g.index, s.code as status, g.prompt, g.random_seed, g.asked_frames,
           g.remake_frames is not null as is_remade, g.locked_at
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
  /** A person chose it; else the loop did. */
  readonly isPersonsChoice: boolean;
  readonly gateVerdict: z.infer<typeof GateVerdict> | null;
  readonly startsFromTakeId: string | null;
  /** The picture that it was made to end on. */
  readonly lastImageHash: string | null;
  readonly retimedFrames: number | null;
  readonly widthPx: number | null;
  readonly heightPx: number | null;
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
         t.chosen_at is not null as is_chosen, t.chosen_by_id is not null as is_persons_choice, v.code as gate_verdict,
         t.starts_from_take_id, t.last_image_hash, t.retimed_frames, t.width_px, t.height_px,
         ${fileJson(db, "t.intermediate_asset_id")} as intermediate, ${
    fileJson(db, "t.end_image_asset_id")
  } as end_image
    from takes t
    join segments g on g.id = t.segment_id
    join take_status s on s.id = t.status_id
    left join gate_verdict v on v.id = t.gate_verdict_id`;

export async function findLoopTake(db: Queryable, takeId: string): Promise<LoopTake | undefined> {
  const [row] = await db<LoopTake[]>`${selectLoopTake(db)} where t.id = ${takeId}`;
  return row;
}

export async function listLoopTakes(db: Queryable, clipId: string): Promise<LoopTake[]> {
  return await db<LoopTake[]>`${selectLoopTake(db)} where g.clip_id = ${clipId} order by g.index, t.number`;
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
  readonly lastImageHash: string | null;
  readonly retimedFrames: number | null;
  readonly createdById: string | null;
}

export async function insertTake(db: Queryable, take: TakeInsert): Promise<void> {
  await db`
    insert into takes (id, segment_id, number, status_id, random_seed, workflow_version_id, starts_from_take_id, start_file_hash,
                       rate_num, rate_den, generate_frames, drop_head, target_end, end_window, is_end_exact, last_image_hash,
                       retimed_frames, created_by_id)
    select ${take.id}, ${take.segmentId}, coalesce((select max(number) from takes where segment_id = ${take.segmentId}), 0) + 1,
           s.id, ${take.randomSeed}, ${take.workflowVersionId}, ${take.startsFromTakeId}, ${take.startFileHash},
           ${take.rate.num}, ${take.rate.den}, ${take.generateFrames}, ${take.dropHead}, ${take.targetEnd}, ${take.endWindow},
           ${take.isEndExact}, ${take.lastImageHash}, ${take.retimedFrames}, ${take.createdById}
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

/** Makes the take the chosen one of its segment, which has one to show by that; by a person where one is named. */
export async function chooseTake(
  db: Queryable,
  take: { id: string; segmentId: string },
  chosenById: string | null = null,
): Promise<void> {
  await setSegmentStatus(db, take.segmentId, "ready");
  await setRemake(db, take.segmentId, null);
  await db`update takes set chosen_at = null, chosen_by_id = null where segment_id = ${take.segmentId} and id <> ${take.id} and chosen_at is not null`;
  await db`update takes set chosen_at = coalesce(chosen_at, now()), chosen_by_id = ${chosenById}, stale_at = null where id = ${take.id}`;
}

/**
 * Takes of the segments after `index` were built on another picture than the clip's: they stay, shown as stale, and
 * none of them is in the cut.
 */
export async function dropLaterTakes(db: Queryable, clipId: string, index: number): Promise<void> {
  await db`
    update takes set chosen_at = null, chosen_by_id = null, stale_at = coalesce(stale_at, now())
     where (chosen_at is not null
            or (stale_at is null and status_id in (select id from take_status where code in ('ready', 'rejected'))))
       and segment_id in (select id from segments where clip_id = ${clipId} and index > ${index})`;
  await endRemakes(db, clipId, index);
}

/** The segment has no chosen take until another one is; what it was stays good to choose. */
export async function dropChosen(db: Queryable, segmentId: string): Promise<void> {
  await db`update takes set chosen_at = null, chosen_by_id = null where segment_id = ${segmentId} and chosen_at is not null`;
}

/** The newest good take that goes on from this one: what followed it before another was chosen. */
export async function findFollower(
  db: Queryable,
  takeId: string,
): Promise<{ id: string; segmentId: string } | undefined> {
  const [row] = await db<{ id: string; segmentId: string }[]>`
    select t.id, t.segment_id from takes t
     where t.starts_from_take_id = ${takeId} and t.status_id = (select id from take_status where code = 'ready')
     order by t.number desc limit 1`;
  return row;
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
