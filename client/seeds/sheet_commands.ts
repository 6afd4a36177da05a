import { openCharacterId } from "#client/characters/open_character.ts";
import { session } from "#client/auth/session_store.ts";
import { ApiError } from "#client/core/call.ts";
import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { entity, go, projectId, takeKeyboard } from "#client/core/place.ts";
import { doToEach } from "#client/core/undoable.ts";
import type { Seed, VariationSummary } from "#server/seeds/contract.ts";
import { batchDraft, resetKnobs, setDraftFaults } from "./batch_draft.ts";
import { type CullChange, cullFacts, noteApproval, noteCull, noteHero } from "./decisions.ts";
import { isReady, openPair, openSeeds } from "./open_pair.ts";
import { batchesOf } from "./seed_store.ts";
import { seedWorkOf } from "./seed_work.ts";
import {
  advance,
  compare,
  COMPARE_MOST,
  compared,
  fitCompare,
  meantToCompare,
  seedsFor,
  zoomCompare,
} from "./sheet_state.ts";
import { w } from "./words.ts";

const SCOPE = "variations";
/** How much a key zooms. */
const STEP = 1.25;
const group = () => w("variations");
type Flag = NonNullable<CullChange["status"]>;

function readyFor(target: unknown): Seed[] {
  return seedsFor(target).filter(isReady);
}

/** Decides, goes on to the next picture where a flag was set by key, and can be taken back. */
async function decide(target: unknown, change: CullChange, text: (count: number) => string): Promise<void> {
  const store = openSeeds();
  const before = readyFor(target);
  if (!store || before.length === 0) return;
  // A flag decides, and one goes on; a rating is often followed by one.
  if (target === undefined && change.status !== undefined) advance(before);
  const { undo, done, refusal } = await doToEach(
    before,
    ({ id }) => store.cull(id, change),
    noteCull,
    (seeds) => ({ label: text(seeds.length), facts: cullFacts(seeds, change) }),
  );
  // One picture shows by itself what became of it; of many, that they were many should be said.
  if (before.length > 1) tell({ kind: "done", text: text(done.length), undo });
  if (refusal !== undefined) throw refusal;
}

async function makeHero(hero: Seed): Promise<void> {
  const store = openSeeds();
  if (!store) return;
  const previous = hero.batchId === null
    ? undefined
    : store.all.find(({ batchId, status }) => batchId === hero.batchId && status === "hero");
  const isApproved = session.may("review.finalize");
  const undo = noteHero(w("makeHero"), { hero, previous, isApproved });
  await undo.settle(store.chooseHero(hero.id, isApproved));
  tell({ kind: isApproved ? "done" : "attention", text: w(isApproved ? "heroTold" : "heroWaits"), undo });
}

function rateCommand(rating: number): Command {
  return {
    id: `seeds.rate_${rating}`,
    label: () => w("rate", { n: rating }),
    group,
    icon: "star",
    keys: [String(rating)],
    scope: SCOPE,
    permission: "character.edit",
    when: (target) => readyFor(target).length > 0,
    whyNot: () => w("needsSelection"),
    isOn: (target) => seedsFor(target).some((seed) => seed.rating === rating),
    run: (target) => decide(target, { rating }, () => w("rated", { n: rating })),
  };
}

function flagCommand(
  facts: Pick<Command, "id" | "icon" | "keys"> & {
    readonly label: () => string;
    readonly status: Flag;
    readonly told: (n: number) => string;
  },
): Command {
  const { id, icon, keys, label, status, told } = facts;
  return {
    id,
    label,
    group,
    ...(icon ? { icon } : {}),
    ...(keys ? { keys } : {}),
    scope: SCOPE,
    permission: "character.edit",
    when: (target) => readyFor(target).length > 0,
    whyNot: () => w("needsSelection"),
    isOn: (target) => seedsFor(target).some((seed) => seed.status === status),
    run: (target) => decide(target, { status }, told),
  };
}

/** What moves the compared pictures; there is nothing to move in the sheet. */
function viewCommand(facts: Pick<Command, "id" | "icon" | "keys" | "label" | "run">): Command {
  return {
    ...facts,
    group,
    scope: SCOPE,
    repeats: true,
    permission: null,
    when: () => compared().length > 0,
    whyNot: () => w("needsCompare"),
  };
}

function openBatch(target: unknown): VariationSummary | undefined {
  if (typeof target === "object" && target !== null) return target as VariationSummary; // The bar of a batch.
  const id = entity("batch")?.id;
  const [project, character] = [projectId(), openCharacterId()];
  if (project === undefined || character === undefined) return undefined;
  const all = batchesOf(project, character);
  return id === undefined ? all.items.find(({ making }) => making > 0) : all.find(id);
}

function makingFor(target: unknown): readonly Seed[] {
  return seedsFor(target).filter(({ status }) => status === "making");
}

export const sheetCommands: readonly Command[] = [
  flagCommand({
    id: "seeds.keep",
    label: () => w("keep"),
    icon: "check",
    keys: ["p"],
    status: "kept",
    told: (n) => w("keptTold", { n }),
  }),
  flagCommand({
    id: "seeds.reject",
    label: () => w("reject"),
    icon: "close",
    keys: ["x"],
    status: "rejected",
    told: (n) => w("rejectedTold", { n }),
  }),
  flagCommand({
    id: "seeds.undecide",
    label: () => w("undecide"),
    icon: "circle",
    keys: ["u"],
    status: "candidate",
    told: (n) => w("undecidedTold", { n }),
  }),
  ...[1, 2, 3, 4, 5].map(rateCommand),
  {
    id: "seeds.unrate",
    label: () => w("unrate"),
    group,
    keys: ["0"],
    scope: SCOPE,
    permission: "character.edit",
    when: (target) => readyFor(target).length > 0,
    whyNot: () => w("needsSelection"),
    run: (target) => decide(target, { rating: null }, () => w("unrated")),
  },
  {
    id: "seeds.compare_kept",
    label: () => {
      const { length: total } = meantToCompare();
      const n = Math.min(total, COMPARE_MOST);
      if (n < total) return w("compareSome", { n, total });
      return n === 0 ? w("compareKept") : w("compareCount", { n });
    },
    group,
    icon: "grid",
    keys: ["c"],
    scope: SCOPE,
    permission: "asset.read",
    when: () => compared().length > 0 || meantToCompare().length > 0,
    whyNot: () => w("needsTwo"),
    isOn: () => compared().length > 0,
    run: () => {
      const ids = compared().length > 0 ? [] : meantToCompare();
      compare(ids);
      const n = COMPARE_MOST;
      if (ids.length > n) tell({ kind: "info", text: w("comparedSome", { n, total: ids.length }) });
    },
  },
  viewCommand({
    id: "seeds.zoom_in",
    icon: "zoomIn",
    keys: ["+", "="],
    label: () => w("zoomIn"),
    run: () => zoomCompare(STEP),
  }),
  viewCommand({
    id: "seeds.zoom_out",
    icon: "zoomOut",
    keys: ["-"],
    label: () => w("zoomOut"),
    run: () => zoomCompare(1 / STEP),
  }),
  viewCommand({ id: "seeds.fit", icon: "maximize", keys: ["f"], label: () => w("fit"), run: fitCompare }),
  {
    id: "seeds.make_hero",
    label: () => w("makeHero"),
    group,
    icon: "crown",
    keys: ["h"],
    scope: SCOPE,
    permission: "character.edit",
    when: (target) => readyFor(target).length === 1 && readyFor(target)[0]?.kind === "foundation",
    whyNot: () => w("needsSelection"),
    isOn: (target) => seedsFor(target).some(({ status }) => status === "hero"),
    run: async (target) => {
      const [seed] = readyFor(target);
      if (seed) await makeHero(seed);
    },
  },
  {
    id: "seeds.approve_hero",
    label: () => w("approveHero"),
    group,
    icon: "lock",
    permission: "review.finalize",
    when: (target) => heroFor(target)?.approvedAt === null,
    whyNot: () => w("needsHero"),
    run: async (target) => {
      const hero = heroFor(target);
      const store = openSeeds();
      if (!hero || !store) return;
      const { projectId, characterId, id: seedId } = hero;
      const undo = noteApproval(w("approveHero"), { projectId, characterId, seedId });
      await undo.settle(store.approve(seedId));
      tell({ kind: "done", text: w("approvedTold"), undo });
    },
  },
  {
    id: "seeds.cancel",
    isForGood: true,
    label: () => w("cancelSeed"),
    group,
    icon: "stop",
    keys: ["delete"],
    scope: SCOPE,
    isDanger: true,
    permission: "job.control",
    when: (target) => makingFor(target).length > 0,
    whyNot: () => w("needsMaking"),
    run: async (target) => {
      const work = seedWorkOf(projectId() ?? "");
      await Promise.all(makingFor(target).map(({ id }) => work.cancel(id)));
    },
  },
  {
    id: "seeds.cancel_batch",
    isForGood: true,
    label: () => w("cancelBatch"),
    group,
    icon: "ban",
    permission: "job.control",
    isDanger: true,
    when: (target) => (openBatch(target)?.making ?? 0) > 0,
    whyNot: () => w("needsRunning"),
    run: async (target) => {
      const batch = openBatch(target);
      if (!batch) return;
      await openSeeds()?.cancelBatch(batch.id);
      tell({ kind: "done", text: w("batchStopped") });
    },
  },
  {
    id: "seeds.show_variations",
    label: () => w("showVariations"),
    group,
    icon: "grid",
    permission: "asset.read",
    when: () => openCharacterId() !== undefined,
    whyNot: () => w("needsCharacter"),
    run: () => go({ screen: "variations" }),
  },
  {
    id: "seeds.vary",
    label: () => w("makeVariations"),
    group,
    icon: "sparkles",
    permission: "generate",
    when: () => isReady(openPair().a),
    whyNot: () => w("needsPortrait"),
    run: () => go({ screen: "variations" }),
  },
  {
    id: "seeds.reset_knobs",
    isForGood: true,
    label: () => w("resetKnobs"),
    group,
    icon: "restore",
    permission: "generate",
    when: (target) => target !== undefined || batchDraft() !== undefined,
    whyNot: () => w("needsDraft"),
    run: () => resetKnobs(),
  },
  {
    id: "seeds.generate",
    label: () => {
      const count = batchDraft()?.count;
      return count === undefined ? w("generate") : w("generateCount", { n: count });
    },
    group,
    icon: "sparkles",
    keys: ["mod+enter"],
    scope: [SCOPE, "batch"],
    permission: "generate",
    when: () => batchDraft()?.portraitSeedId !== undefined,
    whyNot: () => batchDraft() ? w("needsPortrait") : w("needsDraft"),
    run: generate,
  },
];

function heroFor(target: unknown): Seed | undefined {
  return seedsFor(target).find(({ status }) => status === "hero") ??
    openSeeds()?.all.find(({ status, approvedAt }) => status === "hero" && approvedAt === null);
}

async function generate(): Promise<void> {
  const draft = batchDraft();
  const store = openSeeds();
  if (!draft?.portraitSeedId || !store) return;
  const { portraitSeedId, count, workflowVersionId, baseRandomSeed, prompt, knobs } = draft;
  setDraftFaults(undefined);
  try {
    const batch = await store.vary({
      portraitSeedId,
      count,
      prompt,
      knobs: { ...knobs },
      ...(workflowVersionId ? { workflowVersionId } : {}),
      ...(baseRandomSeed === undefined ? {} : { baseRandomSeed }),
    });
    compare([]);
    go({ entity: { kind: "batch", id: batch.id } });
    takeKeyboard();
  } catch (error) {
    if (!(error instanceof ApiError) || error.fields.length === 0) throw error;
    setDraftFaults(error);
  }
}
