import { call } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { inOrder } from "#client/core/order.ts";
import { callPages, orGone, Store, storesBy } from "#client/core/store.ts";
import type { BodyInput } from "#server/core/endpoint.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import * as seeds from "#server/seeds/contract.ts";

type Seed = seeds.Seed;
type CharacterId = Seed["characterId"];

/** The seeds of one character, oldest first, and what can be done with them. */
export class SeedStore {
  readonly #store: Store<Seed>;
  readonly #characterId: CharacterId;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(projectId: string, characterId: string) {
    // An id that the studio gave, out of an address.
    this.#characterId = characterId as CharacterId;
    this.#store = new Store<Seed>({
      idOf: ({ id }) => id,
      list: () => callPages(seeds.listSeeds, { params: { characterId: this.#characterId } }),
      read: (id) => orGone(call(seeds.getSeed, { params: { seedId: id as Seed["id"] } })),
      topics: () => [`project:${projectId}`],
      concerns: (event) => this.#readIds(event),
      order: (one, other) => inOrder(one.id, other.id),
    }, live);
  }

  get all(): readonly Seed[] {
    return this.#store.items;
  }

  get reading(): Pick<Store<Seed>, "isKnown" | "isStale" | "problem" | "read"> {
    return this.#store;
  }

  find(seedId: string): Seed | undefined {
    return this.#store.find(seedId);
  }

  open(): () => void {
    return this.#store.open();
  }

  /** Gives an uploaded still as portrait or foundation; by the same id it is given once. Throws ApiError. */
  async add(input: BodyInput<typeof seeds.addSeed> & { readonly id: Seed["id"] }): Promise<Seed> {
    const params = { characterId: this.#characterId };
    const seed = await call(seeds.addSeed, { params, body: input });
    this.#store.put(seed);
    return seed;
  }

  /** Makes the other kind from this one. Throws ApiError. */
  async derive(seedId: Seed["id"]): Promise<Seed> {
    const seed = await call(seeds.deriveSeed, { params: { seedId }, body: { id: newId<"seed">() } });
    this.#store.put(seed);
    return seed;
  }

  /** Measures `seedId` against `withSeedId`; the measures follow by themselves. Throws ApiError. */
  async compare(seedId: Seed["id"], withSeedId: Seed["id"]): Promise<void> {
    await call(seeds.compareSeed, { params: { seedId }, body: { withSeedId } });
  }

  /** Keeps, rejects or rates, shown at once. Throws ApiError and shows what was before. */
  async cull(seedId: Seed["id"], change: BodyInput<typeof seeds.cullSeed>): Promise<void> {
    await this.#store.act(
      seedId,
      (seed) => seed && { ...seed, ...change as Partial<Seed> },
      () => this.#inTurn(seedId, () => call(seeds.cullSeed, { params: { seedId }, body: change })),
    );
  }

  /** Keys are faster than answers: what is decided of one seed reaches the studio in the order of the decisions. */
  #inTurn(seedId: string, send: () => Promise<Seed>): Promise<Seed> {
    const turn = (this.#turns.get(seedId) ?? Promise.resolve()).then(send);
    this.#turns.set(seedId, turn.catch(() => undefined));
    return turn;
  }

  /** Makes it the hero in place of any other of its batch, shown at once. Throws ApiError. */
  async chooseHero(seedId: Seed["id"], approve: boolean): Promise<void> {
    await this.#store.act(
      seedId,
      (seed) => seed && { ...seed, status: "hero" },
      () => this.#inTurn(seedId, () => call(seeds.chooseHero, { params: { seedId }, body: { approve } })),
    );
  }

  async approve(seedId: Seed["id"]): Promise<void> {
    await this.#store.act(seedId, (seed) => seed, () => call(seeds.approveHero, { params: { seedId } }));
  }

  /** Takes the approval back; it stays the hero. Throws ApiError while a clip that has begun builds on it. */
  async withdrawApproval(seedId: Seed["id"]): Promise<void> {
    await this.#store.act(
      seedId,
      (seed) => seed && { ...seed, approvedAt: null },
      () => call(seeds.withdrawApproval, { params: { seedId } }),
    );
  }

  /** Asks for a batch; its seeds come as they are told of. Throws ApiError with the wrong fields. */
  async vary(input: Omit<BodyInput<typeof seeds.createVariations>, "id">): Promise<seeds.VariationBatch> {
    const batch = await call(seeds.createVariations, {
      params: { characterId: this.#characterId },
      body: { ...input, id: newId<"variation batch">() },
    });
    for (const seed of batch.seeds) this.#store.put(seed);
    return batch;
  }

  /** Gives up what is still being made of a batch. Throws ApiError. */
  async cancelBatch(batchId: seeds.VariationBatch["id"]): Promise<void> {
    const batch = await call(seeds.cancelVariations, { params: { batchId } });
    for (const seed of batch.seeds) this.#store.put(seed);
  }

  #readIds({ code, data }: LiveEvent): readonly string[] | "all" | undefined {
    if (code !== seeds.seedChanged.code) return undefined;
    const read = seeds.seedChanged.data.safeParse(data);
    if (!read.success || read.data.characterId !== this.#characterId) return undefined;
    const { seedId, batchId } = read.data;
    // Of a new batch only its first seed is told: the others are read with it.
    return this.find(seedId) || batchId === null ? [seedId] : "all";
  }
}

/** The batches of one character, newest first: how far they are and what they cost. */
export function makeBatchStore(projectId: string, characterId: string): Store<seeds.VariationSummary> {
  return new Store<seeds.VariationSummary>({
    idOf: ({ id }) => id,
    list: () => callPages(seeds.listVariations, { params: { characterId: characterId as CharacterId } }),
    topics: () => [`project:${projectId}`],
    concerns: ({ code, data }) => {
      if (code !== seeds.seedChanged.code) return undefined;
      const read = seeds.seedChanged.data.safeParse(data);
      return read.success && read.data.characterId === characterId && read.data.batchId !== null
        ? "all"
        : undefined;
    },
    order: (one, other) => inOrder(other.id, one.id),
  }, live);
}

const seedStores = storesBy((key) => new SeedStore(...split(key)));
const batchStores = storesBy((key) => makeBatchStore(...split(key)));

/** The store of a character's seeds; the same one for all who ask. */
export function seedsOf(projectId: string, characterId: string): SeedStore {
  return seedStores(`${projectId}/${characterId}`);
}

export function batchesOf(projectId: string, characterId: string): Store<seeds.VariationSummary> {
  return batchStores(`${projectId}/${characterId}`);
}

function split(key: string): [string, string] {
  const [projectId = "", characterId = ""] = key.split("/");
  return [projectId, characterId];
}
