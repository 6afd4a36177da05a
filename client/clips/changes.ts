import { call } from "#client/core/call.ts";
import { type Changed, type Note, type Noted, undoable, undoableChange } from "#client/core/undoable.ts";
import {
  type changeClip,
  type changeSegment,
  type ClipState,
  type Cut,
  getClip,
  type Segment,
  type Take,
} from "#server/clips/contract.ts";
import type { BodyInput } from "#server/core/endpoint.ts";
import { listDecisions } from "#server/review/contract.ts";
import { chosenTake } from "./clip_facts.ts";
import { clipStoreOf } from "./clip_store.ts";
import { w } from "./words.ts";

export type ClipChange = BodyInput<typeof changeClip>;
export type SegmentChange = BodyInput<typeof changeSegment>;

interface SegmentFacts {
  readonly projectId: string;
  readonly clipId: string;
  readonly segmentId: Segment["id"];
  readonly before: SegmentChange;
  readonly after: SegmentChange;
}

interface TakeFacts {
  readonly projectId: string;
  readonly clipId: string;
  readonly before: Take["id"];
  readonly after: Take["id"];
}

interface RemakeFacts {
  readonly projectId: string;
  readonly clipId: ClipState["id"];
  readonly segmentId: Segment["id"];
  /** The take that counted before. */
  readonly before: Take["id"];
  /** Where making the segment longer changed the clip's own length or the segment's: before and after. */
  readonly frames: readonly [number, number] | undefined;
  readonly askedFrames: readonly [number | null, number | null] | undefined;
}

interface DecisionFacts {
  readonly projectId: string;
  readonly clipId: string;
  readonly cutId: Cut["id"];
  readonly kind: "finalize" | "approve" | "reject";
}

const noteSettings: Note<Changed<ClipChange>> = undoableChange<ClipChange>(
  "clips.change",
  ({ projectId, id }, change) => clipStoreOf(projectId, id).change(change),
);

const noteSegmentFacts: Note<SegmentFacts> = undoable<SegmentFacts>("clips.change_segment", {
  undo: ({ projectId, clipId, segmentId, before }) =>
    clipStoreOf(projectId, clipId).changeSegment(segmentId, before),
  redo: ({ projectId, clipId, segmentId, after }) =>
    clipStoreOf(projectId, clipId).changeSegment(segmentId, after),
});

const noteTake: Note<TakeFacts> = undoable<TakeFacts>("clips.choose_take", {
  undo: ({ projectId, clipId, before }) => clipStoreOf(projectId, clipId).choose(before),
  redo: ({ projectId, clipId, after }) => clipStoreOf(projectId, clipId).choose(after),
});

const noteRemake: Note<RemakeFacts> = undoable<RemakeFacts>("clips.make_again", {
  undo: async (facts) => {
    await setLengths(facts, 0);
    await clipStoreOf(facts.projectId, facts.clipId).choose(facts.before);
  },
  redo: async (facts) => {
    const { segments } = await call(getClip, { params: { clipId: facts.clipId } });
    const takes = segments.find(({ id }) => id === facts.segmentId)?.takes ?? [];
    const before = takes.find(({ id }) => id === facts.before)?.number ?? 0;
    // The gates may have asked for more than one.
    const made = takes.findLast(({ number, status }) => number > before && status === "ready");
    if (!made) throw new Error(w("nothingMade"));
    await setLengths(facts, 1);
    await clipStoreOf(facts.projectId, facts.clipId).choose(made.id);
  },
});

/** Before a take is chosen: the loop then plans what is missing by these. */
async function setLengths(facts: RemakeFacts, side: 0 | 1): Promise<void> {
  const store = clipStoreOf(facts.projectId, facts.clipId);
  const { frames, askedFrames, segmentId } = facts;
  if (askedFrames) await store.changeSegment(segmentId, { askedFrames: askedFrames[side] });
  if (frames) await store.change({ frames: frames[side] });
}

const noteDecisionFacts: Note<DecisionFacts> = undoable<DecisionFacts>("clips.decide", {
  undo: async ({ projectId, clipId, cutId }) => {
    // Done again, it is another decision than the one that was noted.
    const decisions = await call(listDecisions, { params: { cutId } });
    const last = decisions.findLast(({ undoneAt }) => undoneAt === null);
    if (last) await clipStoreOf(projectId, clipId).undo(last.id);
  },
  redo: async ({ projectId, clipId, cutId, kind }) => {
    await clipStoreOf(projectId, clipId)[kind](cutId);
  },
});

/** Notes a change of a clip's settings; call it with the clip as it was. */
export function noteClip(label: string, clip: ClipState, after: ClipChange): Noted<Changed<ClipChange>> {
  const was = Object.keys(after).map((key) => [key, key === "trash" ? !after.trash : valueOf(clip, key)]);
  // The fields of `after`, with what the clip had in them.
  const before = Object.fromEntries(was) as ClipChange;
  return noteSettings(label, { projectId: clip.projectId, id: clip.id, before, after });
}

/** Notes a change of a segment; call it with the segment as it was. */
export function noteSegment(
  label: string,
  { projectId, id: clipId }: ClipState,
  segment: Segment,
  after: SegmentChange,
): Noted<SegmentFacts> {
  const was = Object.keys(after).map((
    key,
  ) => [key, key === "isLocked" ? segment.lockedAt !== null : valueOf(segment, key)]);
  const before = Object.fromEntries(was) as SegmentChange;
  return noteSegmentFacts(label, { projectId, clipId, segmentId: segment.id, before, after });
}

/**
 * Makes another take count by `act` and notes it, with the clip as it was. Nothing counted before: nothing to note.
 */
export async function choose(
  label: string,
  { projectId, id: clipId, segments }: ClipState,
  take: Take,
  act: () => Promise<void>,
): Promise<void> {
  const segment = segments.find(({ takes }) => takes.some(({ id }) => id === take.id));
  const before = segment && chosenTake(segment)?.id;
  if (before === undefined) return await act();
  await noteTake(label, { projectId, clipId, before, after: take.id }).settle(act());
}

/**
 * Makes a segment again by `act` and notes it, with the clip as it was: taken back, the take that counted counts again,
 * with what followed it. Nothing counted before: nothing to note.
 */
export async function remake(
  label: string,
  was: ClipState,
  segment: Segment,
  act: () => Promise<ClipState>,
): Promise<void> {
  const before = chosenTake(segment)?.id;
  if (before === undefined) return void await act();
  const facts = { projectId: was.projectId, clipId: was.id, segmentId: segment.id, before };
  const undo = noteRemake(label, { ...facts, frames: undefined, askedFrames: undefined });
  await undo.settle(act().then((is) => undo.amend(label, { ...facts, ...lengthsChanged(was, is, segment) })));
}

function lengthsChanged(was: ClipState, is: ClipState, { id, askedFrames }: Segment) {
  const asked = is.segments.find((segment) => segment.id === id)?.askedFrames ?? null;
  return {
    frames: was.frames === is.frames ? undefined : [was.frames, is.frames] as const,
    askedFrames: askedFrames === asked ? undefined : [askedFrames, asked] as const,
  };
}

/** Notes what was decided about a cut. Returns its undo. */
export function noteDecision(
  label: string,
  { projectId, id: clipId }: ClipState,
  cutId: Cut["id"],
  kind: DecisionFacts["kind"],
): Noted<DecisionFacts> {
  return noteDecisionFacts(label, { projectId, clipId, cutId, kind });
}

function valueOf(thing: object, key: string): unknown {
  return Object.entries(thing).find(([name]) => name === key)?.[1];
}
