import { history } from "#client/core/history.ts";
import { select } from "#client/core/place.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { seedsOf } from "./seed_store.ts";

/** A flag or a rating that is set by culling. */
export interface CullChange {
  readonly status?: "candidate" | "kept" | "rejected";
  readonly rating?: number | null;
}

/** What is remembered of a decision, as JSON: good after a reload and on another device too. */
interface CullFacts {
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

const CULL = "seeds.cull";
const HERO = "seeds.make_hero";

history.registerVerb(CULL, {
  undo: async (facts) => {
    // What noteCull() wrote.
    const { projectId, characterId, before } = facts as CullFacts;
    const store = seedsOf(projectId, characterId);
    if (before[0]) select("seed", [before[0].id]);
    await Promise.all(before.map(async ({ id, status, rating, approvedAt }) => {
      const isFlag = status === "candidate" || status === "kept" || status === "rejected";
      await store.cull(id, { rating, ...(isFlag ? { status } : {}) });
      if (status === "hero") await store.chooseHero(id, approvedAt !== null);
    }));
  },
  redo: async (facts) => {
    const { projectId, characterId, before, change } = facts as CullFacts;
    const store = seedsOf(projectId, characterId);
    await Promise.all(before.map(({ id }) => store.cull(id, change)));
  },
});

history.registerVerb(HERO, {
  undo: async (facts) => {
    // What noteHero() wrote.
    const { projectId, characterId, hero, previous } = facts as HeroFacts;
    const store = seedsOf(projectId, characterId);
    if (previous && previous.id !== hero.id) {
      await store.chooseHero(previous.id, previous.approvedAt !== null);
    }
    if (hero.status === "hero") return;
    await store.cull(hero.id, { status: hero.status === "kept" ? "kept" : "candidate" });
  },
  redo: async (facts) => {
    const { projectId, characterId, hero, isApproved } = facts as HeroFacts;
    await seedsOf(projectId, characterId).chooseHero(hero.id, isApproved);
  },
});

/** Remembers a decision of culling in the history: a hundred of them in a minute are no news. Returns its undo. */
export function noteCull(label: string, before: readonly Seed[], change: CullChange): () => Promise<void> {
  const [first] = before;
  if (!first) return () => Promise.resolve();
  const facts: CullFacts = {
    projectId: first.projectId,
    characterId: first.characterId,
    before: before.map(({ id, status, rating, approvedAt }) => ({ id, status, rating, approvedAt })),
    change,
  };
  return undoOf(history.record({ label, memory: { verb: CULL, facts } }));
}

/** Remembers the choice of a hero in the history. Returns its undo. */
export function noteHero(
  label: string,
  { hero, previous, isApproved }: { hero: Seed; previous: Seed | undefined; isApproved: boolean },
): () => Promise<void> {
  const facts: HeroFacts = {
    projectId: hero.projectId,
    characterId: hero.characterId,
    hero: { id: hero.id, status: hero.status, approvedAt: hero.approvedAt },
    previous: previous ? { id: previous.id, approvedAt: previous.approvedAt } : null,
    isApproved,
  };
  return undoOf(history.record({ label, memory: { verb: HERO, facts } }));
}

/** A toast's undo takes back what it tells of, and nothing that was done since. */
function undoOf(nodeId: string): () => Promise<void> {
  return async () => {
    if (history.at === nodeId) await history.undo();
  };
}
