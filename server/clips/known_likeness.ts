import type { Tx } from "#server/db/db.ts";
import { findWorkingImage } from "#server/seeds/service.ts";
import type { Clip, Cut } from "./contract.ts";
import type { LikenessTrack } from "./job_kinds.ts";
import { findTakeLikeness } from "./measure_queries.ts";
import { findLoopTake } from "./take_queries.ts";

/** Likeness by frame of a cut, as `clips.measure_cut` takes it. */
export interface KnownLikeness {
  readonly model: LikenessTrack["model"];
  readonly points: { readonly frame: number; readonly score: number | null }[];
}

/**
 * What measuring the takes has found already, by frame of the cut: from those whose frames lie in the cut pixel for
 * pixel (neither conformed, scaled nor retimed) and were compared with the clip's portrait. Looking for faces is
 * most of what measuring costs. Undefined when nothing is known.
 */
export async function knownLikeness(
  tx: Tx,
  cut: Cut,
  clip: Clip,
  boundaries: readonly number[],
): Promise<KnownLikeness | undefined> {
  const portrait = clip.portraitSeedId ? await findWorkingImage(tx, clip.portraitSeedId) : undefined;
  if (!portrait || cut.conform !== "none") return undefined;
  let model: LikenessTrack["model"] | undefined;
  const points: KnownLikeness["points"] = [];
  for (const [index, part] of cut.parts.entries()) {
    const take = await findLoopTake(tx, part.takeId);
    const isSame = part.retimedFrameCount === null && take?.widthPx === cut.widthPx &&
      take.heightPx === cut.heightPx;
    const known = isSame ? await findTakeLikeness(tx, part.takeId, portrait.hash) : undefined;
    if (!known || (model && known.model.hash !== model.hash)) continue;
    model = known.model;
    const first = boundaries[index] ?? 0;
    for (const { frame, score } of known.points) {
      if (frame < part.sourceFrameCount) points.push({ frame: first + frame, score });
    }
  }
  return model ? { model, points } : undefined;
}
