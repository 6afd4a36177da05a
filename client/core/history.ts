import { computed, signal } from "@lit-labs/signals";
import { newId } from "#server/core/id.ts";
import { workspace } from "./workspace.ts";

/** Nodes of one kept document; a tab that has made more begins another. */
const CHUNK_NODES = 200;
const CHUNKS = "history/";
const NAMES = "history-names";
const AT = "history-at";

/** Where the history begins: nothing to take back before it. */
export const HISTORY_START = "start";

/** What was done, as one did it: "Rename clip 020". Undo and redo may ask the studio; what they throw is told. */
export interface HistoryRecord {
  readonly label: string;
  /** Left out: it can't be taken back, and going back past it is refused. */
  readonly undo?: () => void | Promise<void>;
  readonly redo?: () => void | Promise<void>;
  /** For what is to be undone after a reload and on other devices too: a registered verb and its facts, as JSON. */
  readonly memory?: { readonly verb: string; readonly facts: unknown };
}

/** How a kind of change is taken back and done again from its facts alone. */
export interface HistoryVerb {
  undo(facts: unknown): void | Promise<void>;
  redo(facts: unknown): void | Promise<void>;
}

/** A change in the tree, as it is kept. */
export interface HistoryNode {
  readonly id: string;
  readonly parentId: string;
  readonly label: string;
  /** ISO instant. */
  readonly at: string;
  readonly memory?: HistoryRecord["memory"];
}

/** Where the tree is kept: the workspace. Shared documents go to every device; the position is each view's own. */
export interface HistoryKeeper {
  get<T>(name: string, fallback: T, options?: { isShared?: boolean }): T;
  set(name: string, value: unknown, options?: { isShared?: boolean }): void;
  names(prefix: string): readonly string[];
  /** Short, and of no other tab that lives: under it this one writes. */
  readonly writer: string;
}

/**
 * Everything that was done, as a tree: undo and then another change make a branch, and every branch can be seen,
 * named and gone back to. Nothing is ever dropped from it. Each tab writes documents of its own, so that two tabs or
 * devices never clash; together they make one tree.
 */
export class HistoryStore {
  readonly #keeper: HistoryKeeper;
  readonly #verbs: Map<string, HistoryVerb> = new Map();
  readonly #acts = new Map<string, Pick<HistoryRecord, "undo" | "redo">>();
  readonly #busy = signal(false);
  /** Which child was gone to last: where redo goes. */
  readonly #followed = new Map<string, string>();
  readonly #nodes = computed(() => this.#readNodes());
  readonly #children = computed(() => childrenOf(this.#nodes.get()));
  #known: {
    readonly chunks: readonly (readonly HistoryNode[])[];
    readonly nodes: ReadonlyMap<string, HistoryNode>;
  } = { chunks: [], nodes: new Map() };
  #queue: Promise<unknown> = Promise.resolve();

  constructor(keeper: HistoryKeeper) {
    this.#keeper = keeper;
  }

  /** All nodes by id, oldest first, without the start. */
  get nodes(): ReadonlyMap<string, HistoryNode> {
    return this.#nodes.get();
  }

  /** Ids of what was done next, after each node, oldest first. */
  get children(): ReadonlyMap<string, readonly string[]> {
    return this.#children.get();
  }

  /** Id of the node one is at. */
  get at(): string {
    const at = this.#keeper.get<string>(AT, HISTORY_START, { isShared: false });
    return at === HISTORY_START || this.nodes.has(at) ? at : HISTORY_START;
  }

  /** Whether something is being undone or done again now. */
  get isBusy(): boolean {
    return this.#busy.get();
  }

  /** What people call a point of the tree; undefined for most. */
  nameOf(id: string): string | undefined {
    return this.#keeper.get<Readonly<Record<string, string>>>(NAMES, {})[id];
  }

  /** Names a point of the tree; an empty text takes the name away. */
  name(id: string, text: string): void {
    const { [id]: _, ...others } = this.#keeper.get<Readonly<Record<string, string>>>(NAMES, {});
    this.#keeper.set(NAMES, text.trim() === "" ? others : { ...others, [id]: text.trim() });
  }

  /** Lets changes of this verb be taken back from their facts: by each slice, once. */
  registerVerb(verb: string, how: HistoryVerb): void {
    this.#verbs.set(verb, how);
  }

  /** Adds what was just done, after the node one is at, and goes there. */
  record({ label, undo, redo, memory }: HistoryRecord): string {
    const id = newId<"history node">();
    const node: HistoryNode = {
      id,
      parentId: this.at,
      label,
      at: new Date().toISOString(),
      ...(memory ? { memory } : {}),
    };
    this.#acts.set(id, { ...(undo ? { undo } : {}), ...(redo ? { redo } : {}) });
    const chunk = this.#chunkToWrite();
    this.#keeper.set(chunk, [...this.#keeper.get<readonly HistoryNode[]>(chunk, []), node]);
    this.#arrive(id);
    return id;
  }

  /** Takes out what was noted ahead and then refused: it did not happen. What was done after it stays, and so it does. */
  retract(id: string): void {
    const node = this.nodes.get(id);
    if (!node || (this.children.get(id) ?? []).length > 0) return;
    if (this.at === id) this.#arrive(node.parentId);
    for (const name of this.#keeper.names(CHUNKS)) {
      const nodes = this.#keeper.get<readonly HistoryNode[]>(name, []);
      if (nodes.some((one) => one.id === id)) this.#keeper.set(name, nodes.filter((one) => one.id !== id));
    }
  }

  get undoLabel(): string | undefined {
    return this.nodes.get(this.at)?.label;
  }

  get redoLabel(): string | undefined {
    return this.nodes.get(this.#nextId() ?? "")?.label;
  }

  /** Why the change can't be taken back, or undefined where it can. */
  whyNotUndo(id: string = this.at): "start" | "final" | "forgotten" | undefined {
    const node = this.nodes.get(id);
    if (!node) return "start";
    if (this.#actOf(node, "undo")) return undefined;
    return this.#acts.has(id) || node.memory ? "final" : "forgotten";
  }

  /** Takes back the last change. Throws what the change's own undo throws; then one stays where one was. */
  async undo(): Promise<void> {
    const parentId = this.nodes.get(this.at)?.parentId;
    if (parentId !== undefined) await this.goTo(parentId);
  }

  /** Does again what was undone last, or else the newest of what was done next. */
  async redo(): Promise<void> {
    const next = this.#nextId();
    if (next !== undefined) await this.goTo(next);
  }

  /**
   * Goes to any point of the tree: back to where the branches part, then forth. Where a step fails one stays there,
   * and its error is thrown.
   */
  async goTo(id: string): Promise<void> {
    const walk = this.#queue.then(() => this.#walk(id));
    this.#queue = walk.catch(() => {});
    await walk;
  }

  /** The steps from where one is to a point: what would be undone, then what would be done again. */
  pathTo(id: string): { readonly undone: readonly HistoryNode[]; readonly redone: readonly HistoryNode[] } {
    const here = this.#lineOf(this.at);
    const there = this.#lineOf(id);
    const shared = new Set(there.map((node) => node.id));
    const undone = here.filter((node) => !shared.has(node.id));
    const mine = new Set(here.map((node) => node.id));
    return { undone, redone: there.filter((node) => !mine.has(node.id)).reverse() };
  }

  async #walk(id: string): Promise<void> {
    const { undone, redone } = this.pathTo(id);
    // Before anything is touched: a way that ends half way is worse than none.
    for (const node of undone) this.#require(node, "undo");
    for (const node of redone) this.#require(node, "redo");
    this.#busy.set(true);
    try {
      for (const node of undone) {
        await this.#require(node, "undo")();
        this.#arrive(node.parentId);
      }
      for (const node of redone) {
        await this.#require(node, "redo")();
        this.#arrive(node.id);
      }
    } finally {
      this.#busy.set(false);
    }
  }

  /** The last document of this tab, or of one before it that wrote under the same name, until it is full. */
  #chunkToWrite(): string {
    const prefix = `${CHUNKS}${this.#keeper.writer}/`;
    const mine = this.#keeper.names(prefix);
    const last = mine.at(-1);
    const isFull = last === undefined || this.#keeper.get<readonly unknown[]>(last, []).length >= CHUNK_NODES;
    return isFull ? `${prefix}${String(mine.length + 1).padStart(4, "0")}` : last;
  }

  #arrive(id: string): void {
    for (let node = this.nodes.get(id); node; node = this.nodes.get(node.parentId)) {
      if (this.#followed.get(node.parentId) === node.id) break;
      this.#followed.set(node.parentId, node.id);
    }
    this.#keeper.set(AT, id, { isShared: false });
  }

  #nextId(): string | undefined {
    const next = this.children.get(this.at) ?? [];
    const followed = this.#followed.get(this.at);
    return followed !== undefined && next.includes(followed) ? followed : next.at(-1);
  }

  #actOf(node: HistoryNode, way: "undo" | "redo"): (() => void | Promise<void>) | undefined {
    const own = this.#acts.get(node.id)?.[way];
    if (own) return own;
    const verb = node.memory && this.#verbs.get(node.memory.verb);
    return verb && (() => verb[way](node.memory?.facts));
  }

  #require(node: HistoryNode, way: "undo" | "redo"): () => void | Promise<void> {
    const act = this.#actOf(node, way);
    if (act) return act;
    throw new Error(
      `Cannot go there: "${node.label}" can't be ${
        way === "undo" ? "taken back" : "done again"
      } any more; nothing was changed`,
    );
  }

  /** From the node up to the start. */
  #lineOf(id: string): HistoryNode[] {
    const line: HistoryNode[] = [];
    for (let node = this.nodes.get(id); node; node = this.nodes.get(node.parentId)) line.push(node);
    return line;
  }

  #readNodes(): ReadonlyMap<string, HistoryNode> {
    const chunks = this.#keeper.names(CHUNKS).map((name) =>
      this.#keeper.get<readonly HistoryNode[]>(name, [])
    );
    const known = this.#known;
    // Any document's change leads here, most often another one's.
    if (known.chunks.length === chunks.length && chunks.every((chunk, at) => chunk === known.chunks[at])) {
      return known.nodes;
    }
    // Ids count up in time.
    const sorted = chunks.flat().sort((one, other) => one.id < other.id ? -1 : 1);
    const nodes = new Map(sorted.map((node) => [node.id, node]));
    this.#known = { chunks, nodes };
    return nodes;
  }
}

function childrenOf(nodes: ReadonlyMap<string, HistoryNode>): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { id, parentId } of nodes.values()) {
    const list = children.get(parentId);
    if (list) list.push(id);
    else children.set(parentId, [id]);
  }
  return children;
}

/** The history of this page's workspace. */
export const history: HistoryStore = new HistoryStore(workspace);
