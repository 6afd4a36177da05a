import { select } from "#client/core/place.ts";
import { type Note, type Noted, undoable } from "#client/core/undoable.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { seedsOf } from "./seed_store.ts";

/** A flag or a rating that is set by culling. */
export interface CullChange {
  readonly status?: "candidate" | "kept" | "rejected";
  readonly rating?: number | null;
}

/** What is remembered of a decision, as JSON: good after a reload and on another device too. */
export interface CullFacts {
  readonly projectId: string;
  readonly characterId: string;
  readonly before: readonly Pick<Seed, "id" | "status" | "rating" | "approvedAt">[];
  readonly change: CullChange;
}

interface HeroFacts {
  readonly projectId: string;
  readonly characterId: string;
  readonly hero: Pick<Seed, "id" | "status" | "approvedAt">;
  readonly previous: Pick<Seed, "id" | "approvedAt"> | null;
  readonly isApproved: boolean;
}

/** Remembers a decision of culling in the history: a hundred of them in a minute are no news. */
export const noteCull: Note<CullFacts> = undoable<CullFacts>("seeds.cull", {
  undo: async ({ projectId, characterId, before }) => {
    const store = seedsOf(projectId, characterId);
    if (before[0]) select("seed", [before[0].id]);
    await Promise.all(before.map(async ({ id, status, rating, approvedAt }) => {
      const isFlag = status === "candidate" || status === "kept" || status === "rejected";
      await store.cull(id, { rating, ...(isFlag ? { status } : {}) });
      if (status === "hero") await store.chooseHero(id, approvedAt !== null);
    }));
  },
  redo: async ({ projectId, characterId, before, change }) => {
    const store = seedsOf(projectId, characterId);
    await Promise.all(before.map(({ id }) => store.cull(id, change)));
  },
});

const noteHeroFacts: Note<HeroFacts> = undoable<HeroFacts>("seeds.make_hero", {
  undo: async ({ projectId, characterId, hero, previous, isApproved }) => {
    const store = seedsOf(projectId, characterId);
    if (previous && previous.id !== hero.id) {
      await store.chooseHero(previous.id, previous.approvedAt !== null);
    }
    if (hero.status === "hero") {
      // Chosen already, it was approved only.
      if (isApproved && hero.approvedAt === null) await store.withdrawApproval(hero.id);
      return;
    }
    await store.cull(hero.id, { status: hero.status === "kept" ? "kept" : "candidate" });
  },
  redo: async ({ projectId, characterId, hero, isApproved }) => {
    await seedsOf(projectId, characterId).chooseHero(hero.id, isApproved);
  },
});

interface ApprovalFacts {
  readonly projectId: string;
  readonly characterId: string;
  readonly seedId: Seed["id"];
}

/** Remembers that a hero was approved. */
export const noteApproval: Note<ApprovalFacts> = undoable<ApprovalFacts>("seeds.approve_hero", {
  undo: ({ projectId, characterId, seedId }) => seedsOf(projectId, characterId).withdrawApproval(seedId),
  redo: ({ projectId, characterId, seedId }) => seedsOf(projectId, characterId).approve(seedId),
});

/** What is remembered of a decision about these, as they were before it. */
export function cullFacts(before: readonly Seed[], change: CullChange): CullFacts {
  const [first] = before;
  return {
    projectId: first?.projectId ?? "",
    characterId: first?.characterId ?? "",
    before: before.map(({ id, status, rating, approvedAt }) => ({ id, status, rating, approvedAt })),
    change,
  };
}

/** Remembers the choice of a hero in the history. Returns its undo. */
export function noteHero(
  label: string,
  { hero, previous, isApproved }: { hero: Seed; previous: Seed | undefined; isApproved: boolean },
): Noted<HeroFacts> {
  return noteHeroFacts(label, {
    projectId: hero.projectId,
    characterId: hero.characterId,
    hero: { id: hero.id, status: hero.status, approvedAt: hero.approvedAt },
    previous: previous ? { id: previous.id, approvedAt: previous.approvedAt } : null,
    isApproved,
  });
}
