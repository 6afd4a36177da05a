import { computed } from "@lit-labs/signals";
import { keptSignal, withNewest } from "#client/core/kept_signal.ts";
import { storesBy } from "#client/core/store.ts";
import { entity, projectId } from "#client/core/place.ts";
import { type Marks, Playback, type Reel } from "#client/player/playback.ts";
import type { Cut, Segment, Take } from "#server/clips/contract.ts";
import {
  askedTake,
  chosenTake,
  cutToShow,
  laneOf,
  type LaneSegment,
  openTake,
  type PrimaryStep,
  primaryStep,
  rateRatio,
} from "./clip_facts.ts";
import { type ClipStore, clipStoreOf } from "./clip_store.ts";

/** What stands on the player, and how it would play. */
interface Standing {
  readonly src: string;
  readonly frame: number;
  readonly marks: Marks;
  readonly isLooping: boolean;
}

/** How one looks at a clip. */
interface ClipLook extends Partial<Standing> {
  /** Number of the segment that is looked at. */
  readonly picked?: number | undefined;
  /** The take that one looks at instead of the cut. */
  readonly auditioned?: string | undefined;
  /** The plan that one has looked at. */
  readonly seenPlan?: string;
}

const NOTHING: ClipLook = {};
/** Clips of which it is remembered how one looked at them. */
const MOST_LOOKS = 50;
const looks = keptSignal<Readonly<Record<string, ClipLook>>>("clip_looks", {});

/** What the player shows. */
export type Shown =
  | { readonly kind: "cut"; readonly cut: Cut }
  | { readonly kind: "take"; readonly take: Take; readonly segment: Segment; readonly isAudition: boolean };

/**
 * One clip as one works on it: its facts, the playback, and what is looked at. All panels of the clip share it, so
 * that a segment picked in the lane is the one that the settings show and the keys mean.
 */
export class ClipDesk {
  readonly store: ClipStore;
  readonly #playback = computed(() => new Playback());
  readonly #lane = computed(() => this.#layOut());
  readonly #shown = computed(() => this.#choose());

  constructor(store: ClipStore) {
    this.store = store;
  }

  get playback(): Playback {
    return this.#playback.get();
  }

  get lane(): readonly LaneSegment[] {
    return this.#lane.get();
  }

  /** The segment that is looked at; the first one that needs a look where none was picked. */
  get picked(): LaneSegment | undefined {
    const { lane } = this;
    const number = this.#look.picked;
    return lane.find((each) => each.number === number) ?? lane.find(({ running }) => running) ?? lane[0];
  }

  get isPicked(): boolean {
    return this.#look.picked !== undefined;
  }

  /** The take that one looks at instead of the cut. */
  get auditioned(): Take | undefined {
    const shown = this.#shown.get();
    return shown?.kind === "take" && shown.isAudition ? shown.take : undefined;
  }

  get shown(): Shown | undefined {
    return this.#shown.get();
  }

  /** Frames from edge to edge of everything that lies on the line of time, a little room after the asked end. */
  get span(): number {
    const end = this.lane.reduce((last, { firstFrame, frames }) => Math.max(last, firstFrame + frames), 1);
    const asked = this.store.facts?.clip.frames ?? 1;
    return Math.max(end, asked) * 1.03;
  }

  get step(): PrimaryStep {
    const { facts } = this.store;
    return facts ? primaryStep(facts.clip, facts.plan, this.isPlanSeen) : "none";
  }

  get isPlanSeen(): boolean {
    return this.#look.seenPlan === this.#planKey();
  }

  /** One has looked at what generating would do; another plan is to be looked at again. */
  seePlan(): void {
    this.#see({ seenPlan: this.#planKey() });
  }

  pick(number: number | undefined): void {
    this.#see({ picked: number, auditioned: undefined });
  }

  /** Puts a take on the player; undefined goes back to the cut. */
  audition(takeId: string | undefined): void {
    this.#see({ auditioned: takeId });
  }

  /** Where a frame of what plays lies on the line of time: line = offset + frame · scale. */
  get mapping(): { readonly offset: number; readonly scale: number } {
    const { shown } = this;
    const plan = this.store.facts?.plan;
    if (shown?.kind !== "take") return { offset: 0, scale: 1 };
    const lane = this.lane.find(({ segment }) => segment?.id === shown.segment.id);
    return { offset: lane?.firstFrame ?? 0, scale: plan ? rateRatio(plan) : 1 };
  }

  /** Puts what is to be shown on the player. */
  follow(): void {
    const { shown, playback } = this;
    const reel = shown && reelOf(shown);
    const isOther = playback.reel?.src !== reel?.src;
    if (!isOther) return playback.load(reel);
    const look = this.#look;
    const isBack = reel?.src === look.src;
    playback.load(reel, isBack ? look.frame : shown?.kind === "take" ? 0 : undefined);
    playback.loop(look.isLooping ?? true);
    if (isBack && look.marks) return playback.putMarks(look.marks);
    if (shown?.kind !== "take") return;
    playback.clearMarks();
    // What was left out after the end can be looked at, but is not played.
    if (shown.take.endFrame !== null) playback.markOut(shown.take.endFrame);
  }

  /** What is on the player, and the frame on which it stands; while it plays, the last full second. */
  get standing(): Standing | undefined {
    const { reel, frame, marks, isLooping, isPlaying } = this.playback;
    if (!reel) return undefined;
    // With the way to the studio that is within the two seconds which may be lost.
    const step = isPlaying ? Math.round(reel.rate.num / reel.rate.den) : 1;
    return { src: reel.src, frame: frame - frame % step, marks, isLooping };
  }

  keepStanding(standing: Standing): void {
    this.#see(standing);
  }

  get #look(): ClipLook {
    return looks.get()[this.store.clipId] ?? NOTHING;
  }

  #see(change: Partial<ClipLook>): void {
    const before = this.#look;
    const after = { ...before, ...change };
    if (JSON.stringify(after) === JSON.stringify(before)) return;
    looks.set(withNewest(looks.get(), this.store.clipId, after, MOST_LOOKS));
  }

  #planKey(): string {
    const plan = this.store.facts?.plan;
    return plan ? `${plan.summary} ${plan.generatedFrames} ${plan.workflowVersionId}` : "-";
  }

  #layOut(): LaneSegment[] {
    const { facts } = this.store;
    return facts ? laneOf(facts.clip, facts.plan) : [];
  }

  #choose(): Shown | undefined {
    const { facts } = this.store;
    if (!facts) return undefined;
    const { segments } = facts.clip;
    const wanted = this.#look.auditioned;
    for (const segment of segments) {
      const take = segment.takes.find(({ id }) => id === wanted);
      if (take?.assetId && take.frameCount) return { kind: "take", take, segment, isAudition: true };
    }
    const asked = askedTake(facts.clip);
    if (asked?.take.assetId && asked.take.frameCount) return { kind: "take", ...asked, isAudition: false };
    const cut = cutToShow(facts.clip);
    const isWorking = facts.clip.status === "generating" || segments.some((segment) => openTake(segment));
    if (cut?.assetId && !isWorking) return { kind: "cut", cut };
    // Until there is a cut: the segment that is looked at, else the newest that was made.
    const number = this.#look.picked;
    const made = segments.filter((segment) => chosenTake(segment)?.assetId);
    const segment = made.find(({ index }) => index === number) ?? made.at(-1);
    const take = segment && chosenTake(segment);
    if (segment && take?.assetId && take.frameCount) {
      return { kind: "take", take, segment, isAudition: false };
    }
    return cut?.assetId ? { kind: "cut", cut } : undefined;
  }
}

function reelOf(shown: Shown): Reel | undefined {
  if (shown.kind === "cut") {
    const { assetId, rate, frames } = shown.cut;
    return assetId ? { ...addressesOf(assetId), rate, frames } : undefined;
  }
  const { assetId, rate, frameCount } = shown.take;
  return assetId && frameCount ? { ...addressesOf(assetId), rate, frames: frameCount } : undefined;
}

/** Where the review copy of a take or cut and its poster are. */
export function addressesOf(assetId: string): { src: string; poster: string } {
  const base = `/api/assets/${assetId}/derivatives`;
  return { src: `${base}/proxy`, poster: `${base}/poster` };
}

const desks = storesBy((key) => new ClipDesk(clipStoreOf(...key.split("/") as [string, string])));

/** The desk of the open clip. */
export function openDesk(): ClipDesk | undefined {
  const [project, clip] = [projectId(), entity("clip")];
  return project !== undefined && clip ? desks(`${project}/${clip.id}`) : undefined;
}
