import { computed, signal } from "@lit-labs/signals";
import type { AnyEndpoint, Reply } from "#server/core/endpoint.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import { ApiError, call, type CallInput } from "./call.ts";
import type { Live } from "./live.ts";

/** Changes come in bursts: one reading serves them all. */
const GATHER_MS = 60;
/** Where reading takes long, changes are gathered as long, but no longer than this. */
const MOST_GATHER_MS = 500;
/** After a reading that failed for want of a studio. */
const RETRY_MS = 5_000;
const MOST_READS = 12;
const MAX_PAGES = 100;

/** What a store needs to know of its slice. */
export interface StoreSource<Item> {
  idOf(item: Item): string;
  /** All items as the studio has them now. Throws ApiError. */
  list(): Promise<readonly Item[]>;
  /** One item, or undefined where it is gone: see orGone(). Without it every event reads the list. */
  read?(id: string): Promise<Item | undefined>;
  /** What to hear: "project:<id>", "user:<id>", …. Asked at the start and after each reading. */
  topics(): readonly string[];
  /** Of how many changed items each is read by itself; of more the list is read. 12, unless said. */
  readonly mostReads?: number;
  /** Which items an event of these topics tells of: their ids, all of them, or none (undefined). */
  concerns(event: LiveEvent): readonly string[] | "all" | undefined;
  /** Whether an item is one of the list's; all are, unless said. */
  keeps?(item: Item): boolean;
  /** In which order `items` come; the studio's own, unless said. */
  order?(one: Item, other: Item): number;
  /** Where the last facts are kept, so that the next start shows them at once, marked stale. */
  readonly kept?: KeptFacts<Item>;
}

/** Facts of a former visit, in this browser. client/core/cache.ts makes these. */
export interface KeptFacts<Item> {
  load(): Promise<readonly Item[] | undefined>;
  save(items: readonly Item[]): void;
}

interface Known<Item> {
  /** Undefined: it is known to be gone. */
  readonly item: Item | undefined;
  readonly asOf: number;
}

interface Attempt<Item> {
  readonly attemptId: string;
  readonly ids: readonly string[];
  readonly change: (item: Item | undefined) => Item | undefined;
}

/** Everything that a store knows: facts as the studio told them, and changes that it has not answered yet. */
export interface StoreState<Item> {
  readonly facts: ReadonlyMap<string, Known<Item>>;
  readonly attempts: readonly Attempt<Item>[];
}

/**
 * The one way by which knowledge comes in. `asOf` is when it was asked for, so that a slow answer never overwrites
 * what was learned after its question.
 */
export type StoreChange<Item> =
  | { readonly kind: "list"; readonly items: readonly Item[]; readonly asOf: number }
  | { readonly kind: "item"; readonly id: string; readonly item: Item | undefined; readonly asOf: number }
  | ({ readonly kind: "attempt" } & Attempt<Item>)
  | { readonly kind: "settled"; readonly attemptId: string };

/** The state after a change. Applying the same change again gives the same state. */
export function applyChange<Item>(
  state: StoreState<Item>,
  change: StoreChange<Item>,
  idOf: (item: Item) => string,
): StoreState<Item> {
  switch (change.kind) {
    case "list":
      return { ...state, facts: mergeList(state.facts, change, idOf) };
    case "item": {
      const known = state.facts.get(change.id);
      if (known && known.asOf > change.asOf) return state;
      const facts = new Map(state.facts).set(change.id, { item: change.item, asOf: change.asOf });
      return { ...state, facts };
    }
    case "attempt": {
      if (state.attempts.some(({ attemptId }) => attemptId === change.attemptId)) return state;
      return { ...state, attempts: [...state.attempts, change] };
    }
    case "settled":
      return { ...state, attempts: state.attempts.filter(({ attemptId }) => attemptId !== change.attemptId) };
  }
}

/** In the list's order; what was learned after the list was asked for stays, at its end where it is new. */
function mergeList<Item>(
  before: ReadonlyMap<string, Known<Item>>,
  { items, asOf }: { readonly items: readonly Item[]; readonly asOf: number },
  idOf: (item: Item) => string,
): ReadonlyMap<string, Known<Item>> {
  const facts = new Map<string, Known<Item>>();
  for (const item of items) {
    const known = before.get(idOf(item));
    facts.set(idOf(item), known && known.asOf > asOf ? known : { item, asOf });
  }
  for (const [id, known] of before) if (known.asOf > asOf && !facts.has(id)) facts.set(id, known);
  return facts;
}

/** The facts with the changes that wait for an answer laid over them. */
export function viewOf<Item>({ facts, attempts }: StoreState<Item>): ReadonlyMap<string, Item> {
  const view = new Map<string, Item>();
  for (const [id, { item }] of facts) if (item !== undefined) view.set(id, item);
  for (const { ids, change } of attempts) {
    for (const id of ids) {
      const item = change(view.get(id));
      if (item === undefined) view.delete(id);
      else view.set(id, item);
    }
  }
  return view;
}

interface Reading {
  /** Undefined until the first answer of the studio. */
  readonly readAt: number | undefined;
  readonly problem: ApiError | undefined;
}

/**
 * What a page knows of one kind of thing. It reads them when it is opened, again after every event that tells of
 * them and after a gap, and keeps what it knows, marked stale, while the studio can't be reached. A slice's store
 * has one of these, gives it its verbs, and is the only caller of the studio for its slice.
 */
export class Store<Item> {
  readonly #source: StoreSource<Item>;
  readonly #live: Pick<Live, "listen" | "state">;
  readonly #state = signal<StoreState<Item>>({ facts: new Map(), attempts: [] });
  readonly #reading = signal<Reading>({ readAt: undefined, problem: undefined });
  readonly #view = computed(() => viewOf(this.#state.get()));
  readonly #items = computed(() => this.#listItems());
  /** Counts questions and answers: which came first. */
  #clock = 0;
  #openings = 0;
  #unlisten: (() => void) | undefined;
  #topics: readonly string[] = [];
  #dirty: Set<string> | "all" = new Set();
  #soon: { readonly timer: ReturnType<typeof setTimeout>; readonly at: number } | undefined;
  #current: Promise<void> | undefined;
  /** How long the last reading took. */
  #readingMs = 0;

  constructor(source: StoreSource<Item>, live: Pick<Live, "listen" | "state">) {
    this.#source = source;
    this.#live = live;
  }

  get items(): readonly Item[] {
    return this.#items.get();
  }

  find(id: string): Item | undefined {
    return this.#view.get().get(id);
  }

  /** Whether there is anything to show, be it from a former visit: until then a page shows its skeleton. */
  get isKnown(): boolean {
    return this.#reading.get().readAt !== undefined || this.#state.get().facts.size > 0;
  }

  /** What shows may be out of date: the studio is out of reach, or has not been asked since the last visit. */
  get isStale(): boolean {
    const { readAt, problem } = this.#reading.get();
    return this.isKnown && (readAt === undefined || problem !== undefined || this.#live.state === "lost");
  }

  /** Why the last reading failed; undefined once one succeeds. */
  get problem(): ApiError | undefined {
    return this.#reading.get().problem;
  }

  /** Whether a change of it waits for the studio's answer. */
  isPending(id: string): boolean {
    return this.#state.get().attempts.some(({ ids }) => ids.includes(id));
  }

  /** Reads and listens until the returned function is called; several may have it open. */
  open(): () => void {
    if (this.#openings++ === 0) this.#start();
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      if (--this.#openings === 0) this.#stop();
    };
  }

  /** Reads everything anew. What fails is told by `problem`. */
  async read(): Promise<void> {
    this.#dirty = "all";
    await this.#readDirty();
  }

  /**
   * Shows `change` at once, sends it, and takes the answer. `send` gives the changed item, or nothing: then it is
   * read, unless `change` removed it. When the studio refuses, the change is taken back and its ApiError thrown.
   */
  async act(
    id: string,
    change: (item: Item | undefined) => Item | undefined,
    send: () => Promise<Item | void>,
  ): Promise<Item | undefined> {
    const attemptId = newId<"attempt">();
    this.apply({ kind: "attempt", attemptId, ids: [id], change });
    try {
      const reply = await send();
      const item = reply ?? await this.#afterwards(id, change);
      this.apply({ kind: "item", id, item, asOf: ++this.#clock }, { kind: "settled", attemptId });
      return item;
    } catch (error) {
      this.apply({ kind: "settled", attemptId });
      throw error;
    }
  }

  /** As `act` for many at once: they are read when `send` is done or has failed, for it may have done some of them. */
  async actOnMany(
    ids: readonly string[],
    change: (item: Item | undefined) => Item | undefined,
    send: () => Promise<void>,
  ): Promise<void> {
    const attemptId = newId<"attempt">();
    this.apply({ kind: "attempt", attemptId, ids, change });
    try {
      const sent = send();
      // What each of the many changes tells is not worth a reading of its own.
      const isSent = Promise.allSettled([this.#current, sent]).then(() => {
        if (this.#current === isSent) this.#current = undefined;
      });
      this.#current = isSent;
      await sent;
      await isSent;
    } finally {
      if (this.#dirty !== "all") { for (const id of ids) this.#dirty.add(id); }
      await this.#readDirty();
      this.apply({ kind: "settled", attemptId });
    }
  }

  /** Takes an item that another reply brought. */
  put(item: Item): void {
    this.apply({ kind: "item", id: this.#source.idOf(item), item, asOf: ++this.#clock });
    if (this.#openings > 0) this.#listen();
  }

  /** Replies, optimistic changes and what events made us read: all comes through here. */
  apply(...changes: readonly StoreChange<Item>[]): void {
    this.#state.set(
      changes.reduce((state, change) => applyChange(state, change, this.#source.idOf), this.#state.get()),
    );
  }

  /** Forgets everything: another one has signed in. */
  clear(): void {
    this.#state.set({ facts: new Map(), attempts: [] });
    this.#reading.set({ readAt: undefined, problem: undefined });
  }

  #listItems(): readonly Item[] {
    const { keeps, order } = this.#source;
    const items = [...this.#view.get().values()];
    const kept = keeps ? items.filter((item) => keeps(item)) : items;
    return order ? kept.sort((one, other) => order(one, other)) : kept;
  }

  #start(): void {
    this.#listen();
    void this.#showKept();
    void this.read();
  }

  #stop(): void {
    clearTimeout(this.#soon?.timer);
    this.#soon = undefined;
    this.#unlisten?.();
    this.#topics = [];
  }

  /** Hears what there is to hear of what is known now. */
  #listen(): void {
    const topics = this.#source.topics();
    if (topics.join() === this.#topics.join()) return;
    const before = this.#unlisten;
    this.#topics = topics;
    this.#unlisten = this.#live.listen({
      topics,
      event: (event) => this.#mark(this.#source.concerns(event)),
      resync: () => this.#mark("all"),
      heard: () => this.#mark("all"),
      // Only a reading can tell whether the studio is really back.
      changed: (state) => state === "live" && this.problem && this.#mark("all"),
    });
    before?.();
  }

  async #showKept(): Promise<void> {
    const items = await this.#source.kept?.load();
    // As of before everything: whatever the studio has said meanwhile is newer.
    if (items && this.#reading.get().readAt === undefined) this.apply({ kind: "list", items, asOf: 0 });
  }

  #mark(what: readonly string[] | "all" | undefined): void {
    if (what === undefined) return;
    if (what === "all" || !this.#source.read) this.#dirty = "all";
    else if (this.#dirty !== "all") { for (const id of what) this.#dirty.add(id); }
    this.#readIn(Math.min(MOST_GATHER_MS, Math.max(GATHER_MS, this.#readingMs)));
  }

  /** Reads in `ms` at the latest. */
  #readIn(ms: number): void {
    const at = Date.now() + ms;
    if (this.#soon && this.#soon.at <= at) return;
    clearTimeout(this.#soon?.timer);
    const timer = setTimeout(() => {
      this.#soon = undefined;
      void this.#readDirty();
    }, ms);
    this.#soon = { timer, at };
  }

  /** One reading at a time; what changes meanwhile is read after it. */
  async #readDirty(): Promise<void> {
    await this.#current;
    this.#current ??= this.#readAll().finally(() => this.#current = undefined);
    await this.#current;
  }

  async #readAll(): Promise<void> {
    while (this.#dirty === "all" || this.#dirty.size > 0) {
      const dirty = this.#dirty;
      this.#dirty = new Set();
      try {
        const since = performance.now();
        await this.#readWhat(dirty);
        this.#readingMs = performance.now() - since;
        if (this.#openings > 0) this.#listen();
        this.#reading.set({ readAt: Date.now(), problem: undefined });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#reading.set({ ...this.#reading.get(), problem: error });
        this.#dirty = "all";
        const isPassing = error.status === 0 || error.status === 429 || error.status >= 500;
        if (isPassing && this.#openings > 0) this.#readIn(RETRY_MS);
        return;
      }
    }
  }

  async #readWhat(dirty: ReadonlySet<string> | "all"): Promise<void> {
    const { list, read, mostReads = MOST_READS, idOf, kept } = this.#source;
    const asOf = ++this.#clock;
    if (dirty === "all" || !read || dirty.size > mostReads) {
      const items = await list();
      this.apply({ kind: "list", items, asOf });
      kept?.save(items);
      return;
    }
    const found = await Promise.all([...dirty].map(async (id) => ({ id, item: await read(id) })));
    this.apply(...found.map(({ id, item }) => ({
      kind: "item" as const,
      id: item ? idOf(item) : id,
      item,
      asOf,
    })));
  }

  async #afterwards(
    id: string,
    change: (item: Item | undefined) => Item | undefined,
  ): Promise<Item | undefined> {
    const { read } = this.#source;
    if (change(this.find(id)) === undefined) return undefined;
    if (read) return await read(id);
    await this.read();
    return this.#state.get().facts.get(id)?.item;
  }
}

/** One store for each key, made when it is first asked for: `storesBy((projectId) => new Store(…, live))`. */
export function storesBy<S>(make: (key: string) => S): (key: string) => S {
  const stores = new Map<string, S>();
  return (key) => {
    const store = stores.get(key) ?? make(key);
    stores.set(key, store);
    return store;
  };
}

/** The reply, or undefined where there is no such thing any more; other refusals are thrown. */
export async function orGone<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}

type ItemOf<E extends AnyEndpoint> = Reply<E> extends { items: (infer Item)[] } ? Item : never;

/** All items of a paged list, at most 20,000. Throws ApiError. */
export async function callPages<E extends AnyEndpoint>(
  endpoint: E,
  input: CallInput<E> = {},
): Promise<ItemOf<E>[]> {
  const items: ItemOf<E>[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { limit: 200, ...input.query as object, ...(cursor === undefined ? {} : { cursor }) };
    // Every paged list has these two in its query and these two in its reply.
    const reply = await call(endpoint, { ...input, query } as CallInput<E>) as {
      items: ItemOf<E>[];
      next?: string;
    };
    items.push(...reply.items);
    if (reply.next === undefined) break;
    cursor = reply.next;
  }
  return items;
}
