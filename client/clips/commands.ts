import { isolate } from "#client/core/words.ts";
import type { Command } from "#client/core/commands.ts";
import { formatDuration } from "#client/core/format.ts";
import { tell } from "#client/core/notices.ts";
import type { Decision } from "#server/review/contract.ts";
import type { Clip, Following, Segment, Take } from "#server/clips/contract.ts";
import { choose, noteClip, noteDecision, noteSegment, remake } from "./changes.ts";
import { type ClipDesk, openDesk } from "./clip_desk.ts";
import {
  askedTake,
  chosenTake,
  cutToShow,
  type LaneSegment,
  openCut,
  openTake,
  type PrimaryStep,
} from "./clip_facts.ts";
import type { ClipFacts } from "./clip_store.ts";
import { w } from "./words.ts";

/** Panels in which a clip's single keys act. */
export const CLIP_SCOPE: readonly string[] = ["clip", "clip-timeline", "clip-settings"];

type Given = Omit<Command, "id" | "group" | "scope" | "label" | "permission" | "run" | "when" | "whyNot"> & {
  readonly label: (desk: ClipDesk | undefined, target: unknown) => string;
  readonly permission?: Command["permission"];
  /** Why it can't be done now; undefined: it can. */
  readonly not?: (desk: ClipDesk, facts: ClipFacts, target: unknown) => string | undefined;
  readonly run: (desk: ClipDesk, facts: ClipFacts, target: unknown) => void | Promise<void>;
};

function command(id: string, { label, not, run, permission = "project.read", ...rest }: Given): Command {
  const why = (target: unknown): string | undefined => {
    const desk = openDesk();
    const facts = desk?.store.facts;
    return desk && facts ? not?.(desk, facts, target) : w("needsClip");
  };
  return {
    id: `clips.${id}`,
    label: (target) => label(openDesk(), target),
    group: () => w("clips"),
    permission,
    scope: CLIP_SCOPE,
    when: (target) => why(target) === undefined,
    whyNot: (target) => why(target) ?? "",
    run: async (target) => {
      const desk = openDesk();
      const facts = desk?.store.facts;
      if (desk && facts) await run(desk, facts, target);
    },
    ...rest,
  };
}

/** The segment that a button stands beside, else the picked one. */
function segmentFor(desk: ClipDesk, target: unknown): LaneSegment | undefined {
  return target ? target as LaneSegment : desk.picked; // Only a lane's segment stands beside these.
}

function takeFor(desk: ClipDesk, target: unknown): Take | undefined {
  return target ? target as Take : desk.auditioned; // Only a take stands beside these.
}

function isBusy({ clip }: ClipFacts): boolean {
  return clip.status === "generating" || clip.status === "stitching" ||
    clip.segments.some((segment) => openTake(segment)) || openCut(clip) !== undefined;
}

function notIdle(facts: ClipFacts): string | undefined {
  if (facts.clip.status === "final") return w("isFinal");
  return isBusy(facts) ? w("needsIdle") : undefined;
}

/** Why nothing can be generated, whatever the clip does now. */
export function notReady({ hero, plan, planProblem }: ClipFacts): string | undefined {
  if (!hero) return w("needsHero");
  if (hero.status !== "hero" || !hero.approvedAt) return w("needsApprovedHero");
  return plan?.blocked?.sentence ?? (plan ? undefined : planProblem ?? w("needsPlan"));
}

function notDecidable({ clip }: ClipFacts): string | undefined {
  if (!cutToShow(clip)) return w("needsCut");
  if (clip.status === "final") return w("isFinalToo");
  return clip.status === "in_review" ? undefined : w("needsReview");
}

/** "Plan 144 frames · 3 segments · ~6 min": what the next step is, in the button's own words. */
export function primaryLabel(step: PrimaryStep, { clip, plan }: ClipFacts): string {
  const left = plan?.segments.filter(({ state }) => state !== "accepted").length ?? 0;
  const time = plan?.estimate && plan.estimate.p50Ms > 0
    ? ` · ${w("about", { time: formatDuration(plan.estimate.p50Ms) })}`
    : "";
  const number = cutToShow(clip)?.number ?? 0;
  switch (step) {
    case "plan": {
      const segments = w("segments", { n: plan?.segments.length ?? 0 });
      return w("plan", { frames: plan?.askedFrames ?? clip.frames, segments }) + time;
    }
    case "generate":
      return w("generate") + time;
    case "go_on":
      return left > 0 && clip.segments.some((segment) => chosenTake(segment))
        ? w("generateMore", { n: left }) + time
        : w("generate") + time;
    case "pause":
      return w("pause");
    case "wait":
      return clip.status === "stitching" ? w("stitchesNow") : w("waits");
    case "keep":
      return w("keepCut", { number });
    case "keep_take": {
      const asked = askedTake(clip);
      return w("keepTake", { take: asked?.take.number ?? 0, segment: asked?.segment.index ?? 0 });
    }
    case "stitch":
      return w("stitch");
    case "finalize":
      return w("finalizeCut", { number });
    case "undo":
      return w("undoFinal");
    case "none":
      return "";
  }
}

/** The command behind each step of the primary button. */
export const PRIMARY_COMMANDS: Readonly<Record<PrimaryStep, string | undefined>> = {
  plan: "clips.show-plan",
  generate: "clips.generate",
  go_on: "clips.generate",
  pause: "clips.pause",
  wait: undefined,
  keep: "clips.keep-cut",
  keep_take: "clips.keep-take",
  stitch: "clips.stitch",
  finalize: "clips.finalize",
  undo: "clips.undo-decision",
  none: undefined,
};

/** The segment that a new take of would mend the cut about which its gates ask. */
function askedSegment({ clip }: ClipFacts): Segment | undefined {
  const gate = clip.status === "needs_attention" ? cutToShow(clip)?.gate : undefined;
  return gate?.verdict === "ask" ? clip.segments.find(({ index }) => index === gate.segment) : undefined;
}

async function decide(
  desk: ClipDesk,
  { clip }: ClipFacts,
  kind: "finalize" | "approve" | "reject",
): Promise<void> {
  const cut = cutToShow(clip);
  if (!cut) return;
  const told = { finalize: "finalized", approve: "approvedTold", reject: "rejectedTold" } as const;
  const text = w(told[kind], { number: cut.number, clip: clip.name });
  const undo = noteDecision(text, clip, cut.id, kind);
  await undo.settle(desk.store[kind](cut.id));
  tell({ kind: "done", text, undo });
}

function lastDecision({ decisions }: ClipFacts): Decision | undefined {
  return decisions.findLast(({ undoneAt }) => undoneAt === null);
}

async function reroll(
  { store }: ClipDesk,
  { clip }: ClipFacts,
  segment: Segment | undefined,
  following?: Following,
): Promise<void> {
  if (!segment) return;
  await remake(
    remakeLabel("reroll", clip, segment),
    clip,
    segment,
    () => store.reroll(segment.id, following),
  );
}

function remakeLabel(how: "reroll" | "extend", clip: Clip, { index }: Segment): string {
  return [w(how), w("segment", { number: index }), isolate(clip.name)].join(" · ");
}

/** Steps `by` among the takes of the picked segment, and puts that one on the player. */
function auditionNext(desk: ClipDesk, by: number): void {
  const takes = desk.picked?.segment?.takes.filter(({ assetId, frameCount }) => assetId && frameCount) ?? [];
  const now = desk.auditioned ?? desk.picked?.take;
  const at = takes.findIndex(({ id }) => id === now?.id);
  const next = takes[(at + by + takes.length) % takes.length];
  if (next) desk.audition(next.id);
}

function pickNext(desk: ClipDesk, by: number): void {
  const { lane } = desk;
  const at = lane.findIndex(({ number }) => number === desk.picked?.number);
  const next = desk.isPicked ? lane[Math.max(0, Math.min(lane.length - 1, at + by))] : lane[Math.max(0, at)];
  if (next) showSegment(desk, next);
}

/** Picks a segment and puts the playhead on its first frame. */
export function showSegment(desk: ClipDesk, { number, firstFrame }: LaneSegment): void {
  desk.pick(number);
  if (desk.shown?.kind === "cut") void desk.playback.seek(firstFrame);
}

const lacksTakes = (desk: ClipDesk): string | undefined =>
  (desk.picked?.segment?.takes.filter(({ assetId }) => assetId).length ?? 0) > 1 ? undefined : w("needsTake");

const lacksMade = (desk: ClipDesk, facts: ClipFacts, target: unknown): string | undefined =>
  notIdle(facts) ?? (segmentFor(desk, target)?.take ? undefined : w("needsSegment"));

export const clipCommands: readonly Command[] = [
  command("show-plan", {
    label: () => w("showPlan"),
    not: (_, facts) => notReady(facts),
    run: (desk) => desk.seePlan(),
  }),
  command("generate", {
    label: (desk) => {
      const facts = desk?.store.facts;
      return facts ? primaryLabel("go_on", facts) : w("generate");
    },
    icon: "sparkles",
    keys: ["g"],
    permission: "generate",
    not: (_, facts) => notIdle(facts) ?? notReady(facts),
    run: async (desk) => {
      desk.seePlan();
      await desk.store.generate();
    },
  }),
  command("pause", {
    label: () => w("pause"),
    icon: "pause",
    keys: ["p"],
    permission: "generate",
    not: (_, { clip }) => clip.status === "generating" ? undefined : w("needsRunning"),
    run: (desk) => desk.store.pause(),
  }),
  command("stitch", {
    label: () => w("stitch"),
    icon: "scissors",
    permission: "generate",
    not: (_, facts) =>
      notIdle(facts) ??
        (facts.clip.segments.some((segment) => chosenTake(segment)) ? undefined : w("needsSegment")),
    run: (desk) => desk.store.stitch(),
  }),
  command("finalize", {
    label: () => w("finalize"),
    icon: "check",
    keys: ["enter"],
    permission: "review.finalize",
    not: (_, facts) => notDecidable(facts),
    run: (desk, facts) => decide(desk, facts, "finalize"),
  }),
  command("approve", {
    label: () => w("approve"),
    icon: "thumbsUp",
    keys: ["a"],
    permission: "review.decide",
    not: (_, facts) => notDecidable(facts),
    run: (desk, facts) => decide(desk, facts, "approve"),
  }),
  command("reject", {
    label: () => w("reject"),
    icon: "thumbsDown",
    keys: ["backspace"],
    permission: "review.decide",
    not: (_, facts) => notDecidable(facts),
    run: (desk, facts) => decide(desk, facts, "reject"),
  }),
  command("undo-decision", {
    label: () => w("undoDecision"),
    icon: "undo",
    keys: ["u"],
    permission: "review.decide",
    not: (_, facts) => lastDecision(facts) ? undefined : w("needsDecision"),
    run: async (desk, facts) => {
      const decision = lastDecision(facts);
      if (!decision) return;
      await desk.store.undo(decision.id);
      tell({ kind: "done", text: w("undone") });
    },
  }),
  command("keep-cut", {
    label: (desk) => {
      const facts = desk?.store.facts;
      return w("keepCut", { number: (facts && cutToShow(facts.clip)?.number) ?? 0 });
    },
    icon: "check",
    permission: "clip.edit",
    not: (_, { clip }) => cutToShow(clip)?.gate?.verdict === "ask" ? undefined : w("needsCut"),
    run: async (desk, { clip }) => {
      const cut = cutToShow(clip);
      if (cut) await desk.store.keepCut(cut.id);
    },
  }),
  command("keep-take", {
    label: (desk) => {
      const facts = desk?.store.facts;
      return facts ? primaryLabel("keep_take", facts) : w("choose");
    },
    icon: "check",
    permission: "clip.edit",
    not: (_, { clip }) => askedTake(clip) ? undefined : w("needsAsked"),
    run: async (desk, { clip }) => {
      const asked = askedTake(clip);
      if (asked) await desk.store.choose(asked.take.id);
    },
  }),
  command("make-again", {
    label: () => w("reroll"),
    icon: "dice",
    permission: "generate",
    not: (_, facts) => askedTake(facts.clip) || askedSegment(facts) ? notReady(facts) : w("needsAsked"),
    run: async (desk, facts) => {
      const segment = askedSegment(facts);
      if (askedTake(facts.clip)) await desk.store.generate();
      else if (segment) await reroll(desk, facts, segment);
    },
  }),
  command("reroll", {
    label: () => w("reroll"),
    icon: "dice",
    keys: ["r"],
    permission: "generate",
    not: lacksMade,
    run: (desk, facts, target) => reroll(desk, facts, segmentFor(desk, target)?.segment),
  }),
  command("reroll-keep", {
    label: () => w("rerollKeep"),
    icon: "pin",
    keys: ["shift+r"],
    permission: "generate",
    not: lacksMade,
    run: (desk, facts, target) => reroll(desk, facts, segmentFor(desk, target)?.segment, "keep"),
  }),
  command("extend", {
    label: () => w("extend"),
    icon: "timer",
    keys: ["shift+e"],
    permission: "generate",
    not: lacksMade,
    run: async (desk, { clip }, target) => {
      const segment = segmentFor(desk, target)?.segment;
      if (!segment) return;
      const second = Math.max(1, Math.round(clip.rate.num / clip.rate.den));
      await remake(
        remakeLabel("extend", clip, segment),
        clip,
        segment,
        () => desk.store.extend(segment.id, second),
      );
    },
  }),
  command("lock", {
    label: (desk, target) => w(desk && segmentFor(desk, target)?.segment?.lockedAt ? "unlock" : "lock"),
    icon: "lock",
    keys: ["shift+l"],
    permission: "clip.edit",
    not: (desk, facts, target) =>
      facts.clip.status === "final"
        ? w("isFinal")
        : segmentFor(desk, target)?.take
        ? undefined
        : w("needsSegment"),
    isOn: (target) => {
      const desk = openDesk();
      return Boolean(desk && segmentFor(desk, target)?.segment?.lockedAt);
    },
    run: async (desk, { clip }, target) => {
      const segment = segmentFor(desk, target)?.segment;
      if (!segment) return;
      const isLocked = segment.lockedAt === null;
      const label = `${w(isLocked ? "lock" : "unlock")} · ${isolate(clip.name)}`;
      const noted = noteSegment(label, clip, segment, { isLocked });
      await noted.settle(desk.store.changeSegment(segment.id, { isLocked }));
    },
  }),
  command("choose", {
    label: () => w("choose"),
    icon: "check",
    keys: ["c"],
    permission: "clip.edit",
    not: (desk, facts, target) => {
      const take = takeFor(desk, target);
      return notIdle(facts) ?? (take && !take.isChosen ? undefined : w("needsAudition"));
    },
    run: async (desk, { clip }, target) => {
      const take = takeFor(desk, target);
      if (!take) return;
      const label = `${w("choose")} · ${w("take", { number: take.number })} · ${isolate(clip.name)}`;
      await choose(label, clip, take, () => desk.store.choose(take.id));
    },
  }),
  command("back-to-cut", {
    label: () => w("backToCut"),
    icon: "arrowLeft",
    keys: ["escape"],
    not: (desk) => desk.auditioned ? undefined : w("needsAudition"),
    run: (desk) => desk.audition(undefined),
  }),
  command("previous-segment", {
    label: () => w("previousSegment"),
    icon: "chevronLeft",
    keys: ["arrowup"],
    run: (desk) => pickNext(desk, -1),
  }),
  command("next-segment", {
    label: () => w("nextSegment"),
    icon: "chevronRight",
    keys: ["arrowdown"],
    run: (desk) => pickNext(desk, 1),
  }),
  command("previous-take", {
    label: () => w("previousTake"),
    keys: ["["],
    not: lacksTakes,
    run: (desk) => auditionNext(desk, -1),
  }),
  command("next-take", {
    label: () => w("nextTake"),
    keys: ["]"],
    not: lacksTakes,
    run: (desk) => auditionNext(desk, 1),
  }),
  command("retry", {
    label: () => w("retryStep"),
    icon: "refresh",
    permission: "job.control",
    not: (_, { jobs }) => jobs.some(({ status }) => status === "failed") ? undefined : w("needsFailed"),
    run: async (desk, { jobs }) => {
      const failed = jobs.find(({ status }) => status === "failed");
      if (failed) await desk.store.retry(failed.id);
    },
  }),
  command("cancel-step", {
    isForGood: true,
    label: () => w("cancelStep"),
    icon: "close",
    permission: "job.control",
    isDanger: true,
    not: (_, { jobs }) => jobs.some(({ status }) => status !== "failed") ? undefined : w("needsRunning"),
    run: async (desk, { jobs }) => {
      const open = jobs.find(({ status }) => status !== "failed");
      if (open) await desk.store.cancel(open.id);
    },
  }),
  command("trash", {
    label: () => w("trash"),
    icon: "trash",
    permission: "clip.edit",
    isDanger: true,
    not: (_, facts) => notIdle(facts),
    run: async (desk, { clip }) => {
      const text = w("trashedTold", { clip: clip.name });
      const undo = noteClip(text, clip, { trash: true });
      await undo.settle(desk.store.change({ trash: true }));
      tell({ kind: "done", text, undo });
    },
  }),
];
