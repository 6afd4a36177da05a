import { computed, signal } from "@lit-labs/signals";
import {
  changeWorkspace,
  createWorkspace,
  listBranches,
  readBranch,
  type Workspace,
  type WorkspaceBranch,
} from "#server/workspace/contract.ts";
import { newId } from "#server/core/id.ts";
import { call } from "./call.ts";
import { follow } from "./follow.ts";
import { claimViewSlot, type ViewSlot } from "./view_slot.ts";
import { type WorkspaceId, type WorkspaceOptions, WorkspaceSync } from "./workspace_sync.ts";

/** `saved`: the studio has everything; `saving`: within two seconds; `unsaved`: it is out of reach, this browser has it. */
export type SaveState = "opening" | "saved" | "saving" | "unsaved";

/** Something whose state lives elsewhere (signals of the dock, panels, the place) and is kept as a document. */
export interface Binding {
  /** "layout": without `isShared` each view has its own. */
  readonly name: string;
  readonly isShared?: boolean;
  /** Where nothing was kept yet, what shows is: else another workspace's state would stay where one comes from there. */
  readonly keepsWhatShows?: boolean;
  /** The state, a JSON value, read from signals; undefined for none. */
  read(): unknown;
  /** Puts a kept state back; undefined where nothing was kept. `isOpening` when it is the first one that shows. */
  write(value: unknown, about: { readonly isOpening: boolean }): void;
}

/** Many small documents under one name: key → state. */
export interface MapBinding {
  readonly name: string;
  readonly isShared?: boolean;
  read(): Readonly<Record<string, unknown>>;
  write(values: Readonly<Record<string, unknown>>): void;
}

/**
 * What one's screen looks like, as documents: in this browser at once, on the studio within two seconds, and on every
 * other device of the user. Each tab of each browser has a view of its own, so that two never overwrite each other; what is shared
 * (drafts, history) goes from tab to tab at once.
 */
export class WorkspaceStore {
  readonly #isOpen = signal(false);
  readonly #sync: WorkspaceSync = new WorkspaceSync((names) => names ? this.#show(names) : this.#showAll());
  readonly #texts = computed(() =>
    new Map([...this.#sync.docs].map(([name, { content }]) => [name, content]))
  );
  /** What was parsed already: the same document is the same value until it changes. */
  readonly #values = new Map<string, { readonly text: string; readonly value: unknown }>();
  readonly #bindings = new Set<{ readonly show: (changed?: ReadonlySet<string>) => void }>();
  #isOpening = false;
  #slot: ViewSlot | undefined;

  get state(): SaveState {
    if (!this.#isOpen.get()) return "opening";
    const isClean = [...this.#sync.docs.values()].every(({ pending }) => !pending);
    return isClean ? "saved" : this.#sync.isReachable ? "saving" : "unsaved";
  }

  /** One's workspaces, last used first, without those that were removed. */
  get list(): readonly Workspace[] {
    return this.#sync.list.filter(({ removedAt }) => removedAt === null);
  }

  get current(): Workspace | undefined {
    return this.#sync.list.find(({ id }) => id === this.#sync.currentId);
  }

  /** The number of this tab's view in this browser; undefined until it is open. */
  get slot(): number | undefined {
    return this.#slot?.slot;
  }

  /** Names this tab's view, and this tab among all that live now, on any device; a later tab may have the same name. */
  get writer(): string {
    return `${deviceId()}.${this.#slot?.slot ?? 1}`;
  }

  /**
   * Shows what was kept, and follows it. Resolves once that shows: at once from this browser, after an answer of the
   * studio in a new one; with nothing kept when the studio is out of reach too. A panel's own window shares the view of
   * the tab that opened it, `ownerSlot`: what is undone there is undone here.
   */
  async open(options: WorkspaceOptions & { readonly ownerSlot?: number | undefined }): Promise<void> {
    const { ownerSlot, ...rest } = options;
    await this.#sync.begin(rest);
    const isKnown = this.#sync.docs.size > 0;
    if (!isKnown) await this.#sync.meet();
    if (ownerSlot === undefined) {
      this.#slot = await claimViewSlot(`seedloop.view.${options.userId}`, this.#slotsByUse());
      this.#dropOldViews();
      this.#copyView();
    } else {
      this.#slot = { slot: ownerSlot, release: () => {} };
    }
    this.#sync.listen();
    this.#isOpen.set(true);
    this.#isOpening = true;
    this.#showAll();
    this.#isOpening = false;
    if (isKnown) void this.#sync.meet();
  }

  /** Saves what is left and stops; what can't be saved stays in this browser. */
  async close(): Promise<void> {
    await this.#sync.end();
    this.#slot?.release();
    this.#isOpen.set(false);
  }

  /** A document's value, not to be changed in place, or `fallback` where there is none; read it inside render(). */
  get<T>(name: string, fallback: T, { isShared = true } = {}): T {
    const full = this.#fullName(name, isShared);
    const text = this.#texts.get().get(full);
    if (text === undefined) return fallback;
    const known = this.#values.get(full);
    const value = known?.text === text ? known.value : JSON.parse(text);
    if (known?.text !== text) this.#values.set(full, { text, value });
    // Whoever reads a document is who wrote it.
    return value as T;
  }

  /** Keeps a JSON value; undefined removes the document. In this browser at once, on the studio within two seconds. */
  set(name: string, value: unknown, { isShared = true, keepsBefore = false } = {}): void {
    const content = value === undefined ? null : JSON.stringify(value);
    this.#sync.edit(this.#fullName(name, isShared), content, keepsBefore);
  }

  /** Names of shared documents that start so: "history/". */
  names(prefix: string): readonly string[] {
    return [...this.#texts.get()].filter(([name, text]) => text !== undefined && name.startsWith(prefix))
      .map(([name]) => name).sort();
  }

  /** Keeps the state of something as a document, until the returned function is called. */
  bind({ name, isShared = false, keepsWhatShows = false, read, write }: Binding): () => void {
    const full = () => this.#fullName(name, isShared);
    const show = (changed?: ReadonlySet<string>) => {
      if (changed && !changed.has(full())) return;
      const text = this.#sync.docs.get(full())?.content;
      const now = textOf(read());
      if (text === now) return;
      const isNew = text === undefined && this.#sync.currentId !== undefined;
      if (isNew && keepsWhatShows) return this.#sync.edit(full(), now ?? null, false);
      write(text === undefined ? undefined : JSON.parse(text), { isOpening: this.#isOpening });
    };
    return this.#follow(show, () => {
      const text = textOf(read());
      return () => this.#isOpen.get() && this.#sync.edit(full(), text ?? null, false);
    });
  }

  /** bind() for many small states: only those that changed are kept anew. */
  bindMap({ name, isShared = false, read, write }: MapBinding): () => void {
    const prefix = () => `${this.#fullName(name, isShared)}/`;
    let last: Readonly<Record<string, unknown>> = {};
    const show = (changed?: ReadonlySet<string>) => {
      if (changed && ![...changed].some((one) => one.startsWith(prefix()))) return;
      const values: Record<string, unknown> = {};
      for (const [full, { content }] of this.#sync.docs) {
        if (content !== undefined && full.startsWith(prefix())) {
          values[full.slice(prefix().length)] = JSON.parse(content);
        }
      }
      last = values;
      write(values);
    };
    return this.#follow(show, () => {
      const now = read();
      return () => {
        if (!this.#isOpen.get()) return;
        const keys = new Set([...Object.keys(last), ...Object.keys(now)]);
        for (const key of keys) {
          if (last[key] !== now[key]) this.#sync.edit(`${prefix()}${key}`, textOf(now[key]) ?? null, false);
        }
        last = now;
      };
    });
  }

  /** Sends everything that waits, now; what can't be sent stays in this browser. */
  async flush(): Promise<void> {
    await this.#sync.flush();
  }

  /** Opens another workspace. Throws ApiError. */
  async choose(workspaceId: string): Promise<void> {
    await this.flush();
    await this.#sync.recall(workspaceId as WorkspaceId);
    await this.#sync.readChanges();
    this.#copyView();
    this.#showAll();
  }

  /** Makes a workspace of this name, as this one is now, and opens it. Throws ApiError. */
  async create(name: string): Promise<void> {
    await this.flush();
    const copyOfId = this.#sync.currentId;
    const made = await call(createWorkspace, { body: { name, ...(copyOfId ? { copyOfId } : {}) } });
    this.#sync.putWorkspace(made);
    await this.choose(made.id);
  }

  /** Renames, removes or brings back a workspace. Throws ApiError. */
  async change(
    workspaceId: string,
    change: { readonly name?: string; readonly isRemoved?: boolean },
  ): Promise<void> {
    const changed = await call(changeWorkspace, {
      params: { workspaceId: workspaceId as WorkspaceId },
      body: change,
    });
    this.#sync.putWorkspace(changed);
    const next = this.list[0];
    if (changed.removedAt !== null && changed.id === this.#sync.currentId && next) await this.choose(next.id);
  }

  /** States of a document that lost to a newer edit or were kept on purpose. Throws ApiError. */
  async branches(name: string, { isShared = true } = {}): Promise<readonly WorkspaceBranch[]> {
    const workspaceId = this.#sync.currentId;
    if (!workspaceId) return [];
    const query = { name: this.#fullName(name, isShared) };
    return (await call(listBranches, { params: { workspaceId }, query })).items;
  }

  /** Goes back to such a state; the one that shows becomes a branch in its turn. Throws ApiError. */
  async goBack(branchId: WorkspaceBranch["id"]): Promise<void> {
    const workspaceId = this.#sync.currentId;
    if (!workspaceId) return;
    const { name, content } = await call(readBranch, { params: { workspaceId, branchId } });
    this.#sync.edit(name, content, true);
    this.#show([name]);
  }

  #fullName(name: string, isShared: boolean): string {
    return isShared ? name : `view/${this.writer}/${name}`;
  }

  /** `look` reads signals; what it returns then acts without being followed. */
  #follow(show: (changed?: ReadonlySet<string>) => void, look: () => () => void): () => void {
    const binding = { show };
    this.#bindings.add(binding);
    if (this.#isOpen.get()) show();
    const stop = follow(() => {
      const act = look();
      queueMicrotask(act);
    });
    return () => {
      this.#bindings.delete(binding);
      stop();
    };
  }

  #show(names: readonly string[]): void {
    if (names.length === 0 || !this.#isOpen.get()) return;
    const changed = new Set(names);
    for (const { show } of this.#bindings) show(changed);
  }

  /** Before it is open nobody knows which view is this tab's. */
  #showAll(): void {
    if (!this.#isOpen.get()) return;
    for (const { show } of this.#bindings) show();
  }

  /** Views of all devices, "<device>.<slot>", the one that was changed last first. */
  #viewsByUse(): string[] {
    const newest = new Map<string, number>();
    for (const { name, revision, pending, content } of this.#sync.docs.values()) {
      const view = name.match(/^view\/([^/]+)\//)?.[1];
      if (view === undefined || content === undefined) continue;
      newest.set(view, Math.max(newest.get(view) ?? 0, pending?.editedAt ?? revision));
    }
    return [...newest].toSorted(([, one], [, other]) => other - one).map(([view]) => view);
  }

  /** Numbers of this browser's own views, the one that was changed last first. */
  #slotsByUse(): number[] {
    const prefix = `${deviceId()}.`;
    return this.#viewsByUse().filter((view) => view.startsWith(prefix))
      .map((view) => Number(view.slice(prefix.length))).filter(Number.isSafeInteger);
  }

  /** A tab whose view has nothing yet starts as the one that was used last, in this browser or on another device. */
  #copyView(): void {
    const views = this.#viewsByUse();
    const source = this.#slotsByUse().map((slot) => `${deviceId()}.${slot}`)[0] ?? views[0];
    if (source === undefined || views.includes(this.writer)) return;
    const prefix = `view/${source}/`;
    this.#sync.editTogether(
      [...this.#sync.docs.values()].flatMap(({ name, content }) =>
        content !== undefined && name.startsWith(prefix)
          ? [{ name: `view/${this.writer}/${name.slice(prefix.length)}`, content }]
          : []
      ),
    );
  }

  /** Every browser profile that ever signed in has left a view: the oldest go. */
  #dropOldViews(): void {
    const old = new Set(this.#viewsByUse().slice(MOST_VIEWS));
    for (const { name } of [...this.#sync.docs.values()]) {
      const view = name.match(/^view\/([^/]+)\//)?.[1];
      if (view !== undefined && old.has(view) && view !== this.writer) this.#sync.edit(name, null, false);
    }
  }
}

const DEVICE = "seedloop.device";
/** Of all devices together. */
const MOST_VIEWS = 24;

/** This browser profile's own short name, made when it is first asked for. */
function deviceId(): string {
  const known = localStorage.getItem(DEVICE) ?? newId().replaceAll("-", "").slice(-12);
  localStorage.setItem(DEVICE, known);
  return known;
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

export const workspace: WorkspaceStore = new WorkspaceStore();
