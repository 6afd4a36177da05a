import type * as z from "zod/mini";
import type { Queryable } from "#server/db/db.ts";
import { ensureFaceModel } from "#server/seeds/service.ts";
import type { FrameCurves, LikenessTrack, measureCut, Seam } from "./job_kinds.ts";

/** Keeps what measuring a take found: curves as arrays, likeness points as rows. */
export async function saveTakeMeasures(
  db: Queryable,
  takeId: string,
  curves: FrameCurves,
  likeness: LikenessTrack | null,
  /** The file of the portrait that the faces were compared with. */
  portraitHash: string | null,
): Promise<void> {
  const row = {
    takeId,
    motion: curves.motion,
    motion2: curves.motion2,
    sharpness: curves.sharpness,
    meanLuma: curves.meanLuma,
    meanLab: curves.meanLab.flat(),
    noiseFloor: curves.noiseFloor,
  };
  await db`insert into take_curves ${db(row)} on conflict (take_id) do update set ${db(row)}`;
  if (!likeness) return;
  const track = {
    takeId,
    portraitHash,
    faceModelId: await ensureFaceModel(db, likeness.model),
    median: likeness.median,
    min: likeness.min,
    coverage: likeness.coverage,
  };
  await db`insert into take_likeness ${db(track)} on conflict (take_id) do update set ${db(track)}`;
  await db`delete from take_likeness_points where take_id = ${takeId}`;
  const points = likeness.points.map(({ frame, score }) => ({ takeId, frame, score }));
  if (points.length > 0) await db`insert into take_likeness_points ${db(points)}`;
}

interface CurvesRow {
  readonly motion: number[];
  readonly motion2: number[];
  readonly sharpness: number[];
  readonly meanLuma: number[];
  readonly meanLab: number[];
  readonly noiseFloor: number;
}

export async function findTakeCurves(db: Queryable, takeId: string): Promise<FrameCurves | undefined> {
  const [row] = await db<CurvesRow[]>`
    select motion, motion2, sharpness, mean_luma, mean_lab, noise_floor from take_curves where take_id = ${takeId}`;
  if (!row) return undefined;
  const meanLab: [number, number, number][] = [];
  for (let at = 0; at + 2 < row.meanLab.length; at += 3) {
    meanLab.push([row.meanLab[at] ?? 0, row.meanLab[at + 1] ?? 0, row.meanLab[at + 2] ?? 0]);
  }
  return { ...row, meanLab };
}

/** What is kept of a cut's curves: all but mean colour and the motion over two frames. */
export async function findCutCurves(
  db: Queryable,
  cutId: string,
): Promise<Omit<FrameCurves, "motion2" | "meanLab"> | undefined> {
  const [row] = await db<CurvesRow[]>`
    select motion, sharpness, mean_luma, noise_floor from cut_curves where cut_id = ${cutId}`;
  return row;
}

export async function findCutLikeness(db: Queryable, cutId: string): Promise<LikenessTrack | undefined> {
  const [row] = await db<LikenessTrack[]>`
    select json_build_object('name', m.name, 'hash', m.hash, 'metric', m.metric) as model, l.median, l.min, l.coverage,
           coalesce((select json_agg(json_build_object('frame', p.frame, 'score', p.score) order by p.frame)
                       from cut_likeness_points p where p.cut_id = l.cut_id), '[]') as points
      from cut_likeness l join face_models m on m.id = l.face_model_id
     where l.cut_id = ${cutId}`;
  return row;
}

/** A take's likeness; with `portraitHash` only where it is against that portrait. */
export async function findTakeLikeness(
  db: Queryable,
  takeId: string,
  portraitHash?: string,
): Promise<LikenessTrack | undefined> {
  const [row] = await db<LikenessTrack[]>`
    select json_build_object('name', m.name, 'hash', m.hash, 'metric', m.metric) as model, l.median, l.min, l.coverage,
           coalesce((select json_agg(json_build_object('frame', p.frame, 'score', p.score) order by p.frame)
                       from take_likeness_points p where p.take_id = l.take_id), '[]') as points
      from take_likeness l join face_models m on m.id = l.face_model_id
     where l.take_id = ${takeId} ${
    portraitHash === undefined ? db`` : db`and l.portrait_hash = ${portraitHash}`
  }`;
  return row;
}

export async function saveCutMeasures(
  db: Queryable,
  cutId: string,
  measured: z.output<typeof measureCut["output"]>,
): Promise<void> {
  const { curves, likeness, seams } = measured;
  const row = {
    cutId,
    motion: curves.motion,
    sharpness: curves.sharpness,
    meanLuma: curves.meanLuma,
    noiseFloor: curves.noiseFloor,
  };
  await db`insert into cut_curves ${db(row)} on conflict (cut_id) do update set ${db(row)}`;
  await db`delete from cut_seams where cut_id = ${cutId}`;
  for (const seam of seams) await insertSeam(db, cutId, seam);
  if (!likeness) return;
  const track = {
    cutId,
    faceModelId: await ensureFaceModel(db, likeness.model),
    median: likeness.median,
    min: likeness.min,
    coverage: likeness.coverage,
  };
  await db`insert into cut_likeness ${db(track)} on conflict (cut_id) do update set ${db(track)}`;
  await db`delete from cut_likeness_points where cut_id = ${cutId}`;
  const points = likeness.points.map(({ frame, score }) => ({ cutId, frame, score }));
  if (points.length > 0) await db`insert into cut_likeness_points ${db(points)}`;
}

async function insertSeam(db: Queryable, cutId: string, seam: Seam): Promise<void> {
  await db`
    insert into cut_seams (cut_id, frame, jump, reversal, color_step, luma_step, sharpness_ratio, verdict_id, reasons)
    select ${cutId}, ${seam.frame}, ${seam.jump}, ${seam.reversal}, ${seam.colorStep}, ${seam.lumaStep},
           ${seam.sharpnessRatio}, id, ${seam.reasons}
      from seam_verdict where code = ${seam.verdict}`;
}
