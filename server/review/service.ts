import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Clip, type ClipState, type Cut, cutChanged } from "#server/clips/contract.ts";
import {
  announceClip,
  listCuts,
  lockClip,
  openClipState,
  openCut,
  setClipStatus,
  setCutStatus,
} from "#server/clips/service.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { announce } from "#server/live/announce.ts";
import { findDocument, writeVideoDocument } from "#server/metadata/service.ts";
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

interface Place {
  readonly db: Db;
  readonly store: FileStore;
}

type Found = Awaited<ReturnType<typeof openCut>>;

/** Works on a cut while its clip is held: decisions about one clip are made one after the other. */
async function withCut<T>(
  { db }: Place,
  actor: Actor,
  cutId: string,
  permission: Permission,
  work: (tx: Tx, found: Found) => Promise<T>,
): Promise<T> {
  const { clip } = await openCut(db, actor, cutId, permission);
  return await transact(db, async (tx) => {
    await lockClip(tx, clip.id);
    return await work(tx, await openCut(tx, actor, cutId, permission));
  });
}

export async function approveCut(
  place: Place,
  actor: Actor,
  cutId: string,
  input: DecisionInput,
): Promise<Decision> {
  return await judgeCut(place, actor, cutId, "approve", input);
}

export async function rejectCut(
  place: Place,
  actor: Actor,
  cutId: string,
  input: DecisionInput,
): Promise<Decision> {
  return await judgeCut(place, actor, cutId, "reject", input);
}

async function judgeCut(
  place: Place,
  actor: Actor,
  cutId: string,
  kind: "approve" | "reject",
  input: DecisionInput,
): Promise<Decision> {
  return await withCut(place, actor, cutId, "review.decide", async (tx, { cut, clip }) => {
    if (kind === "reject" && cut.status === "final") {
      throw new AppError("conflict", "The cut is final: undo the finalization before you reject it");
    }
    const { decision, isNew } = await decide(tx, actor, cut, clip, kind, input);
    if (isNew) await followStanding(tx, cut);
    await renewDocument(tx, place.store, cut.id);
    return decision;
  });
}

/** A cut that is neither final nor replaced is "rejected" or "ready" by the latest decision that stands. */
async function followStanding(tx: Tx, cut: Cut): Promise<void> {
  if (cut.status !== "ready" && cut.status !== "rejected") return;
  const status = await queries.findStanding(tx, cut.id) === "reject" ? "rejected" : "ready";
  if (status !== cut.status) await setCutStatus(tx, cut.id, status);
}

/** video_metadata is written when a cut is finalized; from then on it follows the facts. */
async function renewDocument(tx: Tx, store: FileStore, cutId: string): Promise<void> {
  if (await findDocument(tx, { kind: "video", cutId })) await writeVideoDocument({ db: tx, store }, cutId);
}

/**
 * One key in review: the approval, the clip's state, the file's protection and its video_metadata in one
 * transaction. Asking again for the cut that is final already changes nothing; while another cut is final it is
 * refused.
 */
export async function finalizeCut(
  place: Place,
  actor: Actor,
  cutId: string,
  input: DecisionInput,
): Promise<ClipState> {
  const clipId = await withCut(place, actor, cutId, "review.finalize", async (tx, { cut, clip }) => {
    await requireHash(tx, cut, input.hash);
    if (cut.status === "final") return clip.id;
    const other = (await listCuts(tx, clip.id)).find((each) => each.status === "final");
    if (other) {
      throw new AppError("conflict", `Cut ${other.number} of this clip is final: undo that first`, {
        details: { cutId: other.id },
      });
    }
    if (clip.status !== "in_review") {
      throw new AppError(
        "conflict",
        `The clip is ${clip.status.replace("_", " ")}: wait until its cut is in review`,
      );
    }
    await decide(tx, actor, cut, clip, "finalize", input);
    await setCutStatus(tx, cutId, "final");
    await setClipStatus(tx, clip.id, "final");
    await queries.setCutRetention(tx, cutId, "protected");
    await writeVideoDocument({ db: tx, store: place.store }, cutId);
    return clip.id;
  });
  return await openClipState(place.db, actor, clipId);
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

/** Takes a decision back. Doing it again changes nothing. */
export async function undoDecision(place: Place, actor: Actor, decisionId: string): Promise<ClipState> {
  const decision = await queries.findDecision(place.db, decisionId);
  if (!decision) throw notFound("decision");
  const permission = decision.kind === "finalize" ? "review.finalize" : "review.decide";
  const clipId = await withCut(place, actor, decision.cutId, permission, async (tx, { cut, clip }) => {
    if (!await queries.markUndone(tx, decisionId)) return clip.id;
    if (decision.kind === "finalize" && cut.status === "final") {
      await refuseInMaster(tx, cut.id);
      await setCutStatus(tx, cut.id, "ready");
      await setClipStatus(tx, clip.id, "in_review");
      await queries.setCutRetention(tx, cut.id, "keep");
    }
    await followStanding(tx, cut);
    await renewDocument(tx, place.store, cut.id);
    await audit(tx, actor, "cut.undo_decision", {
      projectId: clip.projectId,
      subject: ["cut", cut.id],
      facts: { decision },
    });
    await announceCut(tx, cut, clip);
    return clip.id;
  });
  return await openClipState(place.db, actor, clipId);
}

/** Throws when the cut has no file yet, or not the one that was seen. */
async function requireHash(tx: Tx, cut: Cut, seen: string | undefined): Promise<string> {
  const hash = await queries.findCutHash(tx, cut.id);
  if (!hash || ["stitching", "measuring", "failed"].includes(cut.status)) {
    throw new AppError(
      "conflict",
      `The cut is ${cut.status === "failed" ? "failed" : "not ready yet"}: decide when it can be seen`,
    );
  }
  if (seen && seen !== hash) {
    throw new AppError("conflict", "The cut is not the file that you saw: look at it again", {
      details: { hash },
    });
  }
  return hash;
}

async function decide(
  tx: Tx,
  actor: Actor,
  cut: Cut,
  clip: Clip,
  kind: DecisionKind,
  input: DecisionInput,
): Promise<{ decision: Decision; isNew: boolean }> {
  const hash = await requireHash(tx, cut, input.hash);
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
