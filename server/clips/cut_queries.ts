import type { Rate } from "#server/core/media_time.ts";
import { spriteOf } from "#server/assets/service.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Cut } from "./contract.ts";
import { rateOf } from "./queries.ts";

const selectCut = (db: Queryable) =>
  db`
  select u.id, u.clip_id, u.number, s.code as status, ${
    rateOf(db, "u")
  } as rate, u.width_px, u.height_px, u.frames,
         r.code as conform, u.asset_id, ${spriteOf(db, "u.asset_id")} as sprite, u.failure, u.created_at,
         coalesce((select json_agg(json_build_object('takeId', p.take_id, 'firstFrame', p.first_frame,
                     'sourceFrameCount', p.source_frame_count, 'retimedFrameCount', p.retimed_frame_count) order by p.index) from cut_parts p where p.cut_id = u.id), '[]') as parts,
         coalesce((select json_agg(json_build_object('frame', m.frame, 'jump', m.jump, 'reversal', m.reversal,
                     'colorStep', m.color_step, 'lumaStep', m.luma_step, 'sharpnessRatio', m.sharpness_ratio,
                     'verdict', v.code, 'reasons', m.reasons) order by m.frame)
                     from cut_seams m join seam_verdict v on v.id = m.verdict_id where m.cut_id = u.id), '[]') as seams,
         case when l.cut_id is not null then json_build_object('median', l.median, 'min', l.min, 'coverage', l.coverage) end as likeness,
         case when g.code is not null then json_build_object('verdict', g.code, 'reasons', u.gate_reasons, 'segment', u.gate_segment) end as gate
    from cuts u
    join cut_status s on s.id = u.status_id
    join conform_rule r on r.id = u.conform_rule_id
    left join gate_verdict g on g.id = u.gate_verdict_id
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
  readonly rate: Rate;
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
  part: {
    cutId: string;
    index: number;
    takeId: string;
    sourceFirstFrame: number;
    sourceFrameCount: number;
    retimedFrameCount: number | null;
  },
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
  status: Cut["status"],
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

/** What the gates say of the whole cut; `segment` counts from 1. */
export async function setCutGate(
  db: Queryable,
  cutId: string,
  gate: { verdict: string; reasons: string[]; segment: number | null },
): Promise<void> {
  await db`
    update cuts
       set gate_verdict_id = (select id from gate_verdict where code = ${gate.verdict}), gate_reasons = ${gate.reasons},
           gate_segment = ${gate.segment}
     where id = ${cutId}`;
}
