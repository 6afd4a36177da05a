import type { Queryable } from "#server/db/db.ts";
import type { Segment } from "./contract.ts";

export async function findClipOfSegment(
  db: Queryable,
  segmentId: string,
): Promise<{ clipId: string; index: number } | undefined> {
  const [row] = await db<
    { clipId: string; index: number }[]
  >`select clip_id, index from segments where id = ${segmentId}`;
  return row;
}

/** The segment of that index (from 1), made or brought back to "generating". */
export async function openSegment(
  db: Queryable,
  clipId: string,
  index: number,
  newSegmentId: string,
): Promise<{ id: string; prompt: string | null; randomSeed: number | null }> {
  const [row] = await db<{ id: string; prompt: string | null; randomSeed: number | null }[]>`
    insert into segments (id, clip_id, index, status_id)
    select ${newSegmentId}, ${clipId}, ${index}, id from segment_status where code = 'generating'
    on conflict (clip_id, index) do update set status_id = excluded.status_id
    returning id, prompt, random_seed`;
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

export interface SegmentChange {
  readonly prompt?: string | null | undefined;
  readonly randomSeed?: number | null | undefined;
  readonly askedFrames?: number | null | undefined;
  readonly isLocked?: boolean | undefined;
}

export async function updateSegment(
  db: Queryable,
  segmentId: string,
  { isLocked, ...own }: SegmentChange,
): Promise<void> {
  const row = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  if (Object.keys(row).length > 0) await db`update segments set ${db(row)} where id = ${segmentId}`;
  if (isLocked !== undefined) {
    await db`
      update segments set locked_at = case when ${isLocked} then coalesce(locked_at, now()) end where id = ${segmentId}`;
  }
}

/** The segment's chosen take is to be made again with so many frames while all after it stays; null: no longer. */
export async function setRemake(db: Queryable, segmentId: string, frames: number | null): Promise<void> {
  await db`update segments set remake_frames = ${frames} where id = ${segmentId}`;
}

/** The chosen takes of the segments after `index` are good as they are. */
export async function endRemakes(db: Queryable, clipId: string, index: number): Promise<void> {
  await db`
    update segments set remake_frames = null
     where clip_id = ${clipId} and index > ${index} and remake_frames is not null`;
}

/** A segment as the loop sees it. */
export interface LoopSegment {
  readonly id: string;
  /** Counts from 1. */
  readonly index: number;
  readonly isLocked: boolean;
  /** Own length at the project's rate. */
  readonly askedFrames: number | null;
  readonly remakeFrames: number | null;
}

export async function listLoopSegments(db: Queryable, clipId: string): Promise<LoopSegment[]> {
  return await db<LoopSegment[]>`
    select id, index, locked_at is not null as is_locked, asked_frames, remake_frames
      from segments where clip_id = ${clipId} order by index`;
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
  await db`update takes set chosen_at = null, chosen_by_id = null where segment_id in (select id from segments where clip_id = ${clipId} and index > ${index})`;
  await db`
    update segments set status_id = (select id from segment_status where code = 'removed')
     where clip_id = ${clipId} and index > ${index}
       and status_id <> (select id from segment_status where code = 'removed')`;
}
