import { signal } from "@lit-labs/signals";
import { type Found, readSearchIndex, search, SEARCHED, type Searched } from "#server/search/contract.ts";
import { type Findable, FuzzyIndex } from "#client/app/fuzzy.ts";
import { call } from "./call.ts";

/** Names kept at most; of more the newest, and the studio searches the rest. */
const MAX_NAMES = 100_000;
const PAGE = 20_000;
const RENEW_MS = 10 * 60_000;
const ADD_MS = 15_000;
/** Below this many local matches the studio is asked as well. */
const ENOUGH = 5;
const ASK_AFTER_MS = 120;

/** Something of the studio that can be found by its name. */
export interface FoundEntity extends Findable {
  readonly thing: Searched;
  readonly projectId: string | undefined;
  /** A clip's scene, an asset's kind, a user's login, a job's status, how many a batch was to make. */
  readonly hint: string | undefined;
}

export interface EntityMatch {
  readonly entity: FoundEntity;
  /** 1 is the very name. */
  readonly score: number;
  /** Which letters of the name were meant, as [from, to) pairs; none where the studio found it. */
  readonly ranges: readonly (readonly [number, number])[];
}

/**
 * Finds what has a name in the studio (SEARCHED) by a few letters: at once among the names that this page holds, and on
 * the studio where they say too little (names changed since, more than 100,000).
 */
export class EntitySearch {
  readonly #index = signal<FuzzyIndex<FoundEntity> | undefined>(undefined);
  #entities: readonly FoundEntity[] = [];
  #isWhole = false;
  #readAt = 0;
  #addedAt = 0;
  #reading: Promise<void> | undefined;

  /** How many names are held; 0 until load() is done. */
  get size(): number {
    return this.#index.get()?.size ?? 0;
  }

  /** Reads the names, or what came since, when that is some time ago: call it when a search is about to begin. */
  async load(now: number = Date.now()): Promise<void> {
    const isOld = now - this.#readAt > RENEW_MS;
    if (!isOld && now - this.#addedAt < ADD_MS) return;
    this.#reading ??= (isOld ? this.#readAll() : this.#readNew()).finally(() => this.#reading = undefined);
    await this.#reading;
  }

  /** Forgets everything: another one has signed in. */
  clear(): void {
    this.#entities = [];
    this.#readAt = this.#addedAt = 0;
    this.#index.set(undefined);
  }

  /** The best among the names held, at once, best first. */
  findHere(query: string, limit: number, boost?: (entity: FoundEntity) => number): readonly EntityMatch[] {
    const found = this.#index.get()?.find(query, limit, boost) ?? [];
    return found.map(({ item, score, ranges }) => ({ entity: item, score, ranges }));
  }

  /** What was made last, of those that `isFirst` prefers: for who has typed nothing yet. */
  newest(limit: number, isFirst: (id: string) => boolean): readonly FoundEntity[] {
    const first = this.#entities.filter(({ id }) => isFirst(id));
    const rest = this.#entities.slice(0, limit).filter(({ id }) => !isFirst(id));
    return [...first, ...rest].slice(0, limit);
  }

  /** findHere(), and the studio's matches as well where those are few. */
  async find(
    query: string,
    limit: number,
    stop: AbortSignal,
    boost?: (entity: FoundEntity) => number,
  ): Promise<readonly EntityMatch[]> {
    const here = this.findHere(query, limit, boost);
    if (query.trim() === "" || (here.length >= ENOUGH && this.#isWhole)) return here;
    // Somebody who is still typing asks for nothing yet.
    await new Promise((resolve) => setTimeout(resolve, ASK_AFTER_MS));
    if (stop.aborted) return here;
    // Out of reach of the studio, what is held is what can be found.
    const { items } = await call(search, { query: { q: query } }).catch(() => ({ items: [] }));
    const known = new Map(here.map((match) => [match.entity.id, match]));
    for (const found of items) {
      const before = known.get(found.id);
      const entity = entityOf(found);
      if (!before) known.set(found.id, { entity, score: found.score + (boost?.(entity) ?? 0), ranges: [] });
      else if (before.entity.name !== found.name) known.set(found.id, { ...before, entity, ranges: [] });
    }
    return [...known.values()].sort((one, other) => other.score - one.score).slice(0, limit);
  }

  async #readAll(): Promise<void> {
    const entities: FoundEntity[] = [];
    let before: string | undefined;
    do {
      const page = await this.#readPage({ limit: PAGE, ...(before === undefined ? {} : { before }) });
      entities.push(...page.entities);
      before = page.next;
    } while (before !== undefined && entities.length < MAX_NAMES);
    this.#isWhole = before === undefined;
    this.#readAt = this.#addedAt = Date.now();
    this.#hold(entities);
  }

  async #readNew(): Promise<void> {
    const after = this.#entities[0]?.id;
    const page = await this.#readPage({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    this.#addedAt = Date.now();
    if (page.next !== undefined) return await this.#readAll();
    if (page.entities.length > 0) this.#hold([...page.entities, ...this.#entities].slice(0, MAX_NAMES));
  }

  async #readPage(query: { limit: number; before?: string; after?: string }) {
    const { projects, rows, next } = await call(readSearchIndex, { query });
    const entities = rows.map(([kind, id, name, project, hint]): FoundEntity => ({
      id,
      name,
      thing: SEARCHED[kind] ?? "project",
      projectId: projects[project],
      hint: hint ?? undefined,
      ...(hint === null ? {} : { keywords: hint }),
    }));
    return { entities, next };
  }

  #hold(entities: readonly FoundEntity[]): void {
    this.#entities = entities;
    this.#index.set(new FuzzyIndex(entities));
  }
}

function entityOf({ thing, id, projectId, name, hint }: Found): FoundEntity {
  return { thing, id, name, projectId: projectId ?? undefined, hint: hint ?? undefined };
}

export const entitySearch: EntitySearch = new EntitySearch();
