import { computed, signal } from "@lit-labs/signals";
import { newId } from "#server/core/id.ts";
import { inOrder } from "./order.ts";
import { workspace } from "./workspace.ts";

/** Nodes of one kept document; a tab that has made more begins another. */
const CHUNK_NODES = 200;
const CHUNKS = "history/";
const NAMES = "history-names";
const AT = "history-at";

/** As many presses of Ctrl+Z count before the first of them is answered. */
const MOST_WAYS = 4;

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
  /** Ways through the tree that were asked for and have not ended. */
  readonly #ways = signal(0);
  /** Which child was gone to last: where redo goes. */
  readonly #followed = new Map<string, string>();
  readonly #nodes = computed(() => this.#readNodes());
  readonly #children = computed(() => childrenOf(this.#nodes.get()));
  #known: {
    readonly chunks: readonly (readonly HistoryNode[])[];
    readonly nodes: ReadonlyMap<string, HistoryNode>;
  } = { chunks: [], nodes: new Map() };
  #queue: Promise<unknown> = Promise.resolve();
  /** What was noted ahead and waits for the studio's answer. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** What was taken back by a change of its own → that change. */
  readonly #counters = new Map<string, string>();

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
    return this.#ways.get() > 0;
  }

  /** Whether no more can be asked for now: a key that is held would go on long after it is let go. */
  get isFull(): boolean {
    return this.#ways.get() >= MOST_WAYS;
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

  /**
   * What was noted ahead is under way until `act` ends: whoever takes it back meanwhile waits for that. Refused, it did
   * not happen and is taken out again. Returns and throws what `act` does.
   */
  settle<T>(id: string, act: Promise<T>): Promise<T> {
    const settled = act.catch((error: unknown) => {
      this.retract(id);
      throw error;
    }).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, settled.catch(() => {}));
    return settled;
  }

  /** Notes otherwise what was noted ahead: of several things some were refused. */
  amend(id: string, { label, memory }: Required<Pick<HistoryRecord, "label" | "memory">>): void {
    this.#rewrite((node) => node.id === id ? { ...node, label, memory } : node);
  }

  /** Takes out what was noted ahead and then refused: it did not happen. What was done after it stays. */
  retract(id: string): void {
    const node = this.nodes.get(id);
    if (!node) return;
    const next = this.#followed.get(id);
    if (this.at === id) this.#arrive(node.parentId);
    else if (next !== undefined) this.#followed.set(node.parentId, next);
    this.#rewrite((one) =>
      one.id === id ? undefined : one.parentId === id ? { ...one, parentId: node.parentId } : one
    );
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
    await this.#inTurn(() => this.#walk(this.nodes.get(this.at)?.parentId));
  }

  /** Does again what was undone last, or else the newest of what was done next. */
  async redo(): Promise<void> {
    await this.#inTurn(() => this.#walk(this.#nextId()));
  }

  /**
   * Goes to any point of the tree: back to where the branches part, then forth. Where a step fails one stays there,
   * and its error is thrown.
   */
  async goTo(id: string): Promise<void> {
    await this.#inTurn(() => this.#walk(id));
  }

  /** Whether it is done now: neither taken back nor on another branch. */
  isDone(id: string): boolean {
    const counter = this.#counters.get(id);
    const line = this.#lineOf(this.at).map((node) => node.id);
    return line.includes(id) && (counter === undefined || !line.includes(counter));
  }

  /**
   * Takes this one change back: the last one as undo does, one before it by a change of its own. What is not done, or
   * not any more, is left alone. Throws what its undo throws.
   */
  async takeBack(id: string): Promise<void> {
    await this.#inTurn(() => this.#takeBack(id));
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

  async #inTurn(act: () => Promise<void>): Promise<void> {
    this.#ways.set(this.#ways.get() + 1);
    const way = this.#queue.then(act).finally(() => this.#ways.set(this.#ways.get() - 1));
    this.#queue = way.catch(() => {});
    await way;
  }

  async #takeBack(id: string): Promise<void> {
    await this.#underWay.get(id);
    const node = this.nodes.get(id);
    if (!node || !this.isDone(id)) return;
    if (this.at === id) return await this.#walk(node.parentId);
    const [undo, redo] = [this.#require(node, "undo"), this.#require(node, "redo")];
    await undo();
    this.#counters.set(id, this.record({ label: `↶ ${node.label}`, undo: redo, redo: undo }));
  }

  async #walk(id: string | undefined): Promise<void> {
    if (id === undefined) return;
    // What the studio has not answered yet may turn out not to have happened.
    await Promise.all(this.pathTo(id).undone.map((node) => this.#underWay.get(node.id)));
    const { undone, redone } = this.pathTo(id);
    // Before anything is touched: a way that ends half way is worse than none.
    for (const node of undone) this.#require(node, "undo");
    for (const node of redone) this.#require(node, "redo");
    for (const node of undone) {
      if (!await this.#step(node.id, node.parentId, this.#require(node, "undo"))) return;
    }
    for (const node of redone) {
      if (!await this.#step(node.parentId, node.id, this.#require(node, "redo"))) return;
    }
  }

  /**
   * One step of a way. It arrives before the studio has answered, so that what is done meanwhile comes after it; then
   * the way ends there, and false is returned.
   */
  async #step(from: string, to: string, act: () => void | Promise<void>): Promise<boolean> {
    if (this.at !== from) return false;
    this.#arrive(to);
    try {
      await act();
    } catch (error) {
      if (this.at === to) this.#arrive(from);
      throw error;
    }
    return true;
  }

  #rewrite(change: (node: HistoryNode) => HistoryNode | undefined): void {
    for (const name of this.#keeper.names(CHUNKS)) {
      const nodes = this.#keeper.get<readonly HistoryNode[]>(name, []);
      const changed = nodes.flatMap((node) => change(node) ?? []);
      const isSame = changed.length === nodes.length && changed.every((node, at) => node === nodes[at]);
      if (!isSame) this.#keeper.set(name, changed);
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
    const sorted = chunks.flat().sort((one, other) => inOrder(one.id, other.id));
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
