import type * as z from "zod/mini";
import { AppError } from "#server/core/errors.ts";
import type { Tx } from "#server/db/db.ts";
import { openVersion } from "#server/workflows/service.ts";
import type { Clip, Cut } from "./contract.ts";
import * as cuts from "./cut_queries.ts";
import { GATE_LIMITS } from "./gate_limits.ts";
import { type Gate, gateCut } from "./gates.ts";
import type { measureCut } from "./job_kinds.ts";
import { needAttention } from "./loop.ts";
import * as queries from "./queries.ts";
import { refuseLocked, remakeOrReplan } from "./remake.ts";
import { takeSeed } from "./requests.ts";
import { hasLockedAfter, type LoopActor, readRun, type Run } from "./run.ts";

/*
 * What the gates say of a whole cut is acted on by the clip's own limit: its worst segment is made again, at most so
 * many times in a row, then a person is asked. The cut keeps verdict and reasons whatever is done.
 */

/** Judges a measured cut, and makes a segment again, asks, or hands the clip over to review. */
export async function actOnGate(
  tx: Tx,
  actor: LoopActor,
  cut: Cut,
  clip: Clip,
  measured: z.output<typeof measureCut["output"]>,
): Promise<void> {
  const takes = clip.workflowVersionId
    ? (await readRun(tx, clip, await openVersion(tx, clip.workflowVersionId))).takes
    : [];
  const used = cut.parts.map((part) => takes.find((take) => take.id === part.takeId));
  const rerolls = await countRerolls(tx, cut);
  const gate = gateCut({
    seams: measured.seams,
    boundaries: cut.parts.map((part) => part.firstFrame ?? 0),
    likeness: measured.likeness,
    rerolls: cut.parts.map(() => rerolls),
    isAccepted: used.map((take) => take?.gateVerdict === "ask" || take?.gateVerdict === "reroll"),
  }, { ...GATE_LIMITS, maxRerolls: clip.rerollLimit });
  if (clip.status !== "stitching") return await keepVerdict(tx, cut, gate);
  const refusal = gate.verdict === "reroll" ? await tryReroll(tx, actor, clip, gate) : undefined;
  const verdict = refusal === undefined ? gate.verdict : "ask";
  await keepVerdict(tx, cut, { ...gate, verdict });
  if (verdict === "ask") await needAttention(tx, clip, attentionOf(gate, refusal));
  if (verdict === "pass" || verdict === "heal") await queries.setClipStatus(tx, clip.id, "in_review");
}

async function keepVerdict(tx: Tx, cut: Cut, gate: Gate): Promise<void> {
  await cuts.setCutGate(tx, cut.id, {
    verdict: gate.verdict,
    reasons: gate.findings.map((finding) => finding.message),
    segment: gate.segment === null ? null : gate.segment + 1,
  });
}

/** How many cuts just before this one led to a new take by themselves: a person's deed begins anew. */
async function countRerolls(tx: Tx, cut: Cut): Promise<number> {
  const older = (await cuts.listCuts(tx, cut.clipId)).filter((each) =>
    each.number < cut.number && each.status !== "failed"
  );
  return older.length - 1 - older.findLastIndex((each) => each.gate?.verdict !== "reroll");
}

/** Makes the gate's segment again; the reason why not when that can't be, and then nothing has changed. */
async function tryReroll(tx: Tx, actor: LoopActor, clip: Clip, gate: Gate): Promise<string | undefined> {
  const index = (gate.segment ?? 0) + 1;
  try {
    await tx.savepoint(async (inner) => {
      await queries.setClipStatus(inner, clip.id, "generating");
      const run = await readRun(inner, clip, await openVersion(inner, clip.workflowVersionId ?? ""));
      refuseChosen(run, index);
      await refuseLocked(inner, clip.id, index, index);
      const following = hasLockedAfter(run, index) ? "keep" : "replan";
      const before = run.takes.filter((take) => take.segmentIndex === index).length;
      // An own seed would make the same again.
      const randomSeed = takeSeed(clip.randomSeed, index - 1, before);
      await remakeOrReplan(inner, run, { index, following, actor, randomSeed });
    });
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

function refuseChosen({ chain }: Run, index: number): void {
  if (!chain[index - 1]?.isPersonsChoice) return;
  throw new AppError("conflict", `the take of segment ${index} was chosen by hand`);
}

function attentionOf(gate: Gate, refusal: string | undefined): string {
  const index = (gate.segment ?? 0) + 1;
  const [reason] = gate.findings.filter((each) => each.segment === gate.segment).map((each) => each.message);
  const why = refusal === undefined ? "" : ` It was not made again by itself: ${refusal}.`;
  return `Segment ${index} of the cut needs a decision: ${reason ?? gate.sentence}.${why} ` +
    "Keep the cut, make the segment again or change its prompt.";
}
