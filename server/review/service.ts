import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { audit } from "#server/audit/service.ts";
import { type Clip, type ClipState, type Cut, cutChanged } from "#server/clips/contract.ts";
import {
  announceClip,
  listCuts,
  openClip,
  openClipState,
  openCut,
  setClipStatus,
  setCutStatus,
} from "#server/clips/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { announce } from "#server/live/announce.ts";
import { writeVideoDocument } from "#server/metadata/service.ts";
import type { Decision, DecisionKind } from "./contract.ts";
import * as queries from "./queries.ts";

export interface DecisionInput {
  readonly id?: string | undefined;
  readonly note: string;
  readonly hash?: string | undefined;
}

export async function listDecisions(db: Db, actor: Actor, cutId: string): Promise<Decision[]> {
  await openCut(db, actor, cutId, "project.read");
  return await queries.listDecisions(db, cutId);
}

export async function approveCut(
  db: Db,
  actor: Actor,
  cutId: string,
  input: DecisionInput,
): Promise<Decision> {
  const { cut, clip } = await openCut(db, actor, cutId, "review.decide");
  return await transact(db, async (tx) => {
    const { decision, isNew } = await decide(tx, actor, cut, clip, "approve", input);
    if (isNew && cut.status === "rejected") await setCutStatus(tx, cutId, "ready");
    return decision;
  });
}

export async function rejectCut(
  db: Db,
  actor: Actor,
  cutId: string,
  input: DecisionInput,
): Promise<Decision> {
  const { cut, clip } = await openCut(db, actor, cutId, "review.decide");
  if (cut.status === "final") {
    throw new AppError("conflict", "The cut is final: undo the finalization before you reject it");
  }
  return await transact(db, async (tx) => {
    const { decision, isNew } = await decide(tx, actor, cut, clip, "reject", input);
    if (isNew && cut.status === "ready") await setCutStatus(tx, cutId, "rejected");
    return decision;
  });
}

/**
 * One key in review: the approval, the clip's state, the file's protection and its video_metadata in one
 * transaction. Asking again for the cut that is final already changes nothing.
 */
export async function finalizeCut(
  { db, store }: { db: Db; store: FileStore },
  actor: Actor,
  cutId: string,
  input: DecisionInput,
): Promise<ClipState> {
  const { clip } = await openCut(db, actor, cutId, "review.finalize");
  await transact(db, async (tx) => {
    await tx`select 1 from clips where id = ${clip.id} for update`;
    const { cut } = await openCut(tx, actor, cutId, "review.finalize");
    const fresh = await openClip(tx, actor, clip.id, "review.finalize");
    if (cut.status === "final") return;
    if (fresh.status !== "in_review" && fresh.status !== "final") {
      throw new AppError(
        "conflict",
        `The clip is ${fresh.status.replace("_", " ")}: wait until its cut is in review`,
      );
    }
    await decide(tx, actor, cut, clip, "finalize", input);
    await releaseFinal(tx, clip.id);
    await setCutStatus(tx, cutId, "final");
    if (fresh.status !== "final") await setClipStatus(tx, clip.id, "final");
    await queries.setCutRetention(tx, cutId, "protected");
    await writeVideoDocument({ db: tx, store }, cutId);
  });
  return await openClipState(db, actor, clip.id);
}

async function releaseFinal(tx: Tx, clipId: string): Promise<void> {
  const final = (await listCuts(tx, clipId)).find((cut) => cut.status === "final");
  if (!final) return;
  await refuseInMaster(tx, final.id);
  await setCutStatus(tx, final.id, "ready");
  await queries.setCutRetention(tx, final.id, "keep");
}

async function refuseInMaster(db: Queryable, cutId: string): Promise<void> {
  const masters = await queries.countMasters(db, cutId);
  if (masters > 0) {
    throw new AppError(
      "conflict",
      `The final cut is part of ${masters} ${
        masters === 1 ? "master" : "masters"
      }: it stays final. Make a new clip to change the scene`,
    );
  }
}

export async function undoDecision(
  { db, store }: { db: Db; store: FileStore },
  actor: Actor,
  decisionId: string,
): Promise<ClipState> {
  const decision = await queries.findDecision(db, decisionId);
  if (!decision) throw notFound("decision");
  const permission = decision.kind === "finalize" ? "review.finalize" : "review.decide";
  const { cut, clip } = await openCut(db, actor, decision.cutId, permission);
  await transact(db, async (tx) => {
    if (!await queries.markUndone(tx, decisionId)) return;
    if (decision.kind === "finalize" && cut.status === "final") {
      await refuseInMaster(tx, cut.id);
      await setCutStatus(tx, cut.id, "ready");
      await setClipStatus(tx, clip.id, "in_review");
      await queries.setCutRetention(tx, cut.id, "keep");
    }
    if (decision.kind === "reject" && cut.status === "rejected") await setCutStatus(tx, cut.id, "ready");
    await writeVideoDocument({ db: tx, store }, cut.id);
    await audit(tx, actor, "cut.undo_decision", {
      projectId: clip.projectId,
      subject: ["cut", cut.id],
      facts: { decision },
    });
    await announceCut(tx, cut, clip);
  });
  return await openClipState(db, actor, clip.id);
}

async function decide(
  tx: Tx,
  actor: Actor,
  cut: Cut,
  clip: Clip,
  kind: DecisionKind,
  input: DecisionInput,
): Promise<{ decision: Decision; isNew: boolean }> {
  const hash = await queries.findCutHash(tx, cut.id);
  if (!hash || ["stitching", "measuring", "failed"].includes(cut.status)) {
    throw new AppError(
      "conflict",
      `The cut is ${cut.status === "failed" ? "failed" : "not ready yet"}: decide when it can be seen`,
    );
  }
  if (input.hash && input.hash !== hash) {
    throw new AppError("conflict", "The cut is not the file that you saw any more: look at it again", {
      details: { hash },
    });
  }
  const id = input.id ?? newId<"decision">();
  const isNew = await queries.insertDecision(tx, { id, cutId: cut.id, kind, hash, note: input.note }, actor);
  const decision = await queries.findDecision(tx, id);
  if (!decision || decision.cutId !== cut.id || decision.kind !== kind) {
    throw new AppError("conflict", "A decision with this id is there already: use a new id");
  }
  if (isNew) {
    await audit(tx, actor, `cut.${kind}`, {
      projectId: clip.projectId,
      subject: ["cut", cut.id],
      facts: { hash, note: input.note },
    });
    await announceCut(tx, cut, clip);
  }
  return { decision, isNew };
}

async function announceCut(tx: Tx, cut: Cut, clip: Clip): Promise<void> {
  await announce(tx, cutChanged, `project:${clip.projectId}`, { cutId: cut.id, clipId: clip.id });
  await announceClip(tx, clip);
}
