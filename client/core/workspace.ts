import { computed, signal } from "@lit-labs/signals";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import {
  changeWorkspace,
  createWorkspace,
  listBranches,
  listWorkspaces,
  MAX_SAVED_AT_ONCE,
  readBranch,
  readDocuments,
  saveDocuments,
  type Workspace,
  type WorkspaceBranch,
  workspaceChanged,
} from "#server/workspace/contract.ts";
import type { Reply } from "#server/core/endpoint.ts";
import { ApiError, call } from "./call.ts";
import { follow } from "./follow.ts";
import type { Live } from "./live.ts";
import { claimViewSlot, type ViewSlot } from "./view_slot.ts";
import { type KeptEdit, WorkspaceMemory } from "./workspace_memory.ts";

/** From an edit to its saving, so that with the way there it stays within 2 s. */
const SAVE_MS = 700;
const RETRY_MS = 2_000;
const MAX_RETRY_MS = 30_000;
/** Of one request, in characters; the studio takes a megabyte. */
const MAX_BODY_LENGTH = 700_000;
/** Bodies of requests that outlive their page: what browsers allow. */
const MAX_FAREWELL_LENGTH = 60_000;
const ORPHAN_MS = 5_000;

type Id<E> = E extends { id: infer I } ? I : never;
type WorkspaceId = Id<Workspace>;

/** `saved`: the studio has everything; `saving`: within two seconds; `unsaved`: it is out of reach, this browser has it. */
export type SaveState = "opening" | "saved" | "saving" | "unsaved";

interface Doc {
  readonly name: string;
  /** JSON text that shows; undefined where there is none. */
  readonly content: string | undefined;
  /** What the studio has; 0 for nothing. */
  readonly revision: number;
  readonly pending: KeptEdit | undefined;
  /** The studio won't take what is pending: too large. It stays in this browser. */
  readonly problem: ApiError | undefined;
}

/** Something whose state lives elsewhere (signals of the dock, panels, the place) and is kept as a document. */
export interface Binding {
  /** "layout": without `isShared` each view has its own. */
  readonly name: string;
  readonly isShared?: boolean;
  /** The state, a JSON value, read from signals; undefined for none. */
  read(): unknown;
  /** Puts a kept state back; undefined where nothing was kept. */
  write(value: unknown): void;
}

/** Many small documents under one name: key → state. */
export interface MapBinding {
  readonly name: string;
  readonly isShared?: boolean;
  read(): Readonly<Record<string, unknown>>;
  write(values: Readonly<Record<string, unknown>>): void;
}

export interface WorkspaceOptions {
  readonly userId: string;
  readonly live: Pick<Live, "listen" | "state">;
  /** A newer edit of another device shows now; this one's was kept as a branch. */
  readonly branched?: (name: string) => void;
  /** The studio will never take this document as it is. */
  readonly refused?: (name: string, problem: ApiError) => void;
}

/**
 * What one's screen looks like, as documents: in this browser at once, on the studio within two seconds, and on every
 * other device of the user. Each tab has a view of its own, so that two never overwrite each other; what is shared
 * (drafts, history) goes from tab to tab at once.
 */
export class WorkspaceStore {
  readonly #tabId = newId<"tab">();
  readonly #docs = signal<ReadonlyMap<string, Doc>>(new Map());
  readonly #list = signal<readonly Workspace[]>([]);
  readonly #current = signal<WorkspaceId | undefined>(undefined);
  readonly #isReachable = signal(true);
  readonly #isOpen = signal(false);
  readonly #texts = computed(() =>
    new Map([...this.#docs.get()].map(([name, { content }]) => [name, content]))
  );
  /** What was parsed already: the same document is the same value until it changes. */
  readonly #values = new Map<string, { readonly text: string; readonly value: unknown }>();
  readonly #bindings = new Set<{ readonly show: (changed?: ReadonlySet<string>) => void }>();
  #options: WorkspaceOptions | undefined;
  #memory: WorkspaceMemory | undefined;
  #channel: BroadcastChannel | undefined;
  #slot: ViewSlot | undefined;
  #revision = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> | undefined;
  #failures = 0;
  #reading: Promise<void> | undefined;
  #stops: (() => void)[] = [];

  get state(): SaveState {
    if (!this.#isOpen.get()) return "opening";
    const isClean = [...this.#docs.get().values()].every(({ pending }) => !pending);
    return isClean ? "saved" : this.#isReachable.get() ? "saving" : "unsaved";
  }

  /** One's workspaces, last used first, without those that were removed. */
  get list(): readonly Workspace[] {
    return this.#list.get().filter(({ removedAt }) => removedAt === null);
  }

  get current(): Workspace | undefined {
    return this.#list.get().find(({ id }) => id === this.#current.get());
  }

  /** This tab's number among the views. */
  get slot(): number {
    return this.#slot?.slot ?? 1;
  }

  /** Names this tab among all that live now, on any device; a later tab may have the same name. */
  get writer(): string {
    return `${deviceId()}.${this.slot}`;
  }

  /**
   * Shows what was kept, and follows it. Resolves once that shows: at once from this browser, after an answer of the
   * studio in a new one; with nothing kept when the studio is out of reach too.
   */
  async open(options: WorkspaceOptions): Promise<void> {
    this.#options = options;
    this.#memory = new WorkspaceMemory(options.userId);
    const last = await this.#memory.lastUsed().catch(() => undefined);
    // The browser's own words; what the studio does not know it will not be asked for.
    if (last !== undefined) await this.#recall(last as WorkspaceId);
    const isKnown = this.#docs.get().size > 0;
    if (!isKnown) await this.#meet();
    this.#slot = await claimViewSlot(`seedloop.view.${options.userId}`, this.#slotsByUse());
    this.#copyView();
    this.#listen();
    this.#isOpen.set(true);
    this.#showAll();
    if (isKnown) void this.#meet();
  }

  /** Saves what is left and stops; what can't be saved stays in this browser. */
  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#slot?.release();
    this.#channel?.close();
    this.#isOpen.set(false);
    this.#docs.set(new Map());
    this.#current.set(undefined);
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
    this.#edit(this.#fullName(name, isShared), content, keepsBefore);
  }

  /** Names of shared documents that start so: "history/". */
  names(prefix: string): readonly string[] {
    return [...this.#texts.get()].filter(([name, text]) => text !== undefined && name.startsWith(prefix))
      .map(([name]) => name).sort();
  }

  /** Keeps the state of something as a document, until the returned function is called. */
  bind({ name, isShared = false, read, write }: Binding): () => void {
    const full = () => this.#fullName(name, isShared);
    const show = (changed?: ReadonlySet<string>) => {
      if (changed && !changed.has(full())) return;
      const text = this.#docs.get().get(full())?.content;
      if (text !== textOf(read())) write(text === undefined ? undefined : JSON.parse(text));
    };
    return this.#follow(show, () => {
      const text = textOf(read());
      return () => this.#isOpen.get() && this.#edit(full(), text ?? null, false);
    });
  }

  /** bind() for many small states: only those that changed are kept anew. */
  bindMap({ name, isShared = false, read, write }: MapBinding): () => void {
    const prefix = () => `${this.#fullName(name, isShared)}/`;
    let last: Readonly<Record<string, unknown>> = {};
    const show = (changed?: ReadonlySet<string>) => {
      if (changed && ![...changed].some((one) => one.startsWith(prefix()))) return;
      const values: Record<string, unknown> = {};
      for (const [full, { content }] of this.#docs.get()) {
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
          if (last[key] !== now[key]) this.#edit(`${prefix()}${key}`, textOf(now[key]) ?? null, false);
        }
        last = now;
      };
    });
  }

  /** Sends everything that waits, now; what can't be sent stays in this browser. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#saving;
    await this.#save();
  }

  /** Opens another workspace. Throws ApiError. */
  async choose(workspaceId: string): Promise<void> {
    await this.flush();
    await this.#recall(workspaceId as WorkspaceId);
    await this.#readChanges();
    this.#copyView();
    this.#showAll();
  }

  /** Makes a workspace of this name, as this one is now, and opens it. Throws ApiError. */
  async create(name: string): Promise<void> {
    await this.flush();
    const copyOfId = this.#current.get();
    const made = await call(createWorkspace, { body: { name, ...(copyOfId ? { copyOfId } : {}) } });
    this.#list.set([made, ...this.#list.get()]);
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
    this.#list.set(this.#list.get().map((one) => one.id === changed.id ? changed : one));
    const next = this.list[0];
    if (changed.removedAt !== null && changed.id === this.#current.get() && next) await this.choose(next.id);
  }

  /** States of a document that lost to a newer edit or were kept on purpose. Throws ApiError. */
  async branches(name: string, { isShared = true } = {}): Promise<readonly WorkspaceBranch[]> {
    const workspaceId = this.#current.get();
    if (!workspaceId) return [];
    const query = { name: this.#fullName(name, isShared) };
    return (await call(listBranches, { params: { workspaceId }, query })).items;
  }

  /** Goes back to such a state; the one that shows becomes a branch in its turn. Throws ApiError. */
  async goBack(branchId: WorkspaceBranch["id"]): Promise<void> {
    const workspaceId = this.#current.get();
    if (!workspaceId) return;
    const { name, content } = await call(readBranch, { params: { workspaceId, branchId } });
    this.#edit(name, content, true);
    this.#show([name]);
  }

  #fullName(name: string, isShared: boolean): string {
    return isShared ? name : `view/${this.slot}/${name}`;
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

  #edit(name: string, content: string | null, keepsBefore: boolean): void {
    const before = this.#docs.get().get(name);
    if ((before?.content ?? null) === content) return;
    const edit: KeptEdit = {
      name,
      content,
      editId: newId<"edit">(),
      base: before?.revision ?? 0,
      editedAt: Date.now(),
      ...(keepsBefore || before?.pending?.keepsBefore ? { keepsBefore: true } : {}),
    };
    this.#put({
      name,
      content: content ?? undefined,
      revision: edit.base,
      pending: edit,
      problem: undefined,
    });
    const workspaceId = this.#current.get();
    if (workspaceId) void this.#memory?.keepEdit(workspaceId, this.#tabId, edit).catch(() => {});
    this.#channel?.postMessage({ workspaceId, edit });
    this.#saveSoon(SAVE_MS);
  }

  #put(...docs: readonly Doc[]): void {
    const next = new Map(this.#docs.get());
    for (const doc of docs) next.set(doc.name, doc);
    this.#docs.set(next);
  }

  #show(names: readonly string[]): void {
    if (names.length === 0 || !this.#isOpen.get()) return;
    const changed = new Set(names);
    for (const { show } of this.#bindings) show(changed);
  }

  #showAll(): void {
    for (const { show } of this.#bindings) show();
  }

  /** What this browser remembers of a workspace; edits that no tab has sent are this tab's to send. */
  async #recall(workspaceId: WorkspaceId): Promise<void> {
    const kept = await this.#memory?.load(workspaceId).catch(() => undefined);
    const docs = new Map<string, Doc>();
    for (const { name, content, revision } of kept?.documents ?? []) {
      docs.set(name, { name, content, revision, pending: undefined, problem: undefined });
    }
    const edits = (kept?.edits ?? []).toSorted((one, other) => one.editedAt - other.editedAt);
    for (const edit of edits) {
      const before = docs.get(edit.name);
      const shown = { content: edit.content ?? undefined, revision: before?.revision ?? edit.base };
      docs.set(edit.name, { name: edit.name, ...shown, pending: edit, problem: undefined });
    }
    this.#revision = kept?.revision ?? 0;
    this.#current.set(workspaceId);
    this.#docs.set(docs);
    await this.#memory?.use(workspaceId).catch(() => {});
    // Of several tabs that died with an edit of the same document each one's is sent, the newest last.
    const superseded = edits.filter((edit) => docs.get(edit.name)?.pending !== edit);
    if (superseded.length > 0) void this.#sendOrphans(workspaceId, superseded);
    if (edits.length > 0) this.#saveSoon(0);
  }

  async #sendOrphans(workspaceId: WorkspaceId, edits: readonly KeptEdit[]): Promise<void> {
    const old = edits.filter(({ editedAt }) => Date.now() - editedAt > ORPHAN_MS);
    for (const edit of old) {
      try {
        await call(saveDocuments, {
          params: { workspaceId },
          body: { by: this.#tabId, documents: [sent(edit)] },
        });
        await this.#memory?.confirm(workspaceId, { editIds: [edit.editId] });
      } catch {
        // It stays in this browser and is tried at the next start.
      }
    }
  }

  /** Asks the studio which workspaces there are and what has changed in the open one. */
  async #meet(): Promise<void> {
    try {
      const items = await this.#readList();
      const open = this.#current.get();
      const isThere = items.some(({ id, removedAt }) => id === open && removedAt === null);
      if (!isThere) {
        await this.#recall((items.find(({ removedAt }) => removedAt === null) ?? await this.#first()).id);
      }
      await this.#readChanges();
      if (!isThere) this.#showAll();
      this.#reached();
    } catch (error) {
      this.#missed(error);
    }
  }

  async #readList(): Promise<readonly Workspace[]> {
    const { items } = await call(listWorkspaces);
    this.#list.set(items);
    return items;
  }

  async #first(): Promise<Workspace> {
    try {
      const made = await call(createWorkspace, { body: { name: "Main" } });
      this.#list.set([made, ...this.#list.get()]);
      return made;
    } catch (error) {
      // Another device made it in the same moment.
      const made = error instanceof ApiError && error.status === 409
        ? (await this.#readList())[0]
        : undefined;
      if (made) return made;
      throw error;
    }
  }

  /** One reading at a time. Throws ApiError. */
  async #readChanges(): Promise<void> {
    await this.#reading?.catch(() => {});
    this.#reading ??= this.#readOnce().finally(() => this.#reading = undefined);
    await this.#reading;
  }

  async #readOnce(): Promise<void> {
    const workspaceId = this.#current.get();
    if (!workspaceId) return;
    const told = await call(readDocuments, { params: { workspaceId }, query: { after: this.#revision } });
    if (this.#current.get() !== workspaceId) return;
    this.#revision = told.revision;
    const fresh = told.items.filter(({ name, revision }) => {
      const known = this.#docs.get().get(name);
      return !known || (known.revision < revision && !known.pending);
    });
    const names = new Set(told.names);
    const gone = [...this.#docs.get().values()].filter(({ name, pending, revision, content }) =>
      !names.has(name) && !pending && revision > 0 && content !== undefined
    );
    this.#put(
      ...fresh.map(({ name, content, revision }) => ({
        name,
        content,
        revision,
        pending: undefined,
        problem: undefined,
      })),
      ...gone.map((doc) => ({ ...doc, content: undefined, revision: 0 })),
    );
    const removed = gone.map(({ name }) => name);
    await this.#memory?.confirm(workspaceId, { documents: fresh, removed, revision: told.revision })
      .catch(() => {});
    this.#show([...fresh.map(({ name }) => name), ...removed]);
  }

  #saveSoon(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#save();
    }, ms);
  }

  /** One saving at a time; what was edited meanwhile follows. */
  async #save(): Promise<void> {
    if (this.#saving) return;
    const batch = this.#batch();
    if (batch.length === 0) return;
    this.#saving = this.#send(batch).finally(() => this.#saving = undefined);
    await this.#saving;
    if (this.#batch().length > 0) this.#saveSoon(this.#failures === 0 ? 0 : this.#waitMs());
  }

  async #send(batch: readonly KeptEdit[]): Promise<void> {
    const workspaceId = this.#current.get();
    // Made while nobody could say which workspaces there are.
    if (!workspaceId) return await this.#meet();
    try {
      const body = { by: this.#tabId, documents: batch.map(sent) };
      const { items } = await call(saveDocuments, { params: { workspaceId }, body });
      await this.#settle(workspaceId, batch, items);
      this.#reached();
    } catch (error) {
      this.#refuse(batch, error);
    }
  }

  #batch(): KeptEdit[] {
    const batch: KeptEdit[] = [];
    let length = 0;
    for (const { pending, problem } of this.#docs.get().values()) {
      if (!pending || problem) continue;
      // Quotes and signs beyond Latin take more than one byte.
      length += 2 * (pending.content?.length ?? 0) + 300;
      if (batch.length > 0 && (length > MAX_BODY_LENGTH || batch.length >= MAX_SAVED_AT_ONCE)) break;
      batch.push(pending);
    }
    return batch;
  }

  async #settle(
    workspaceId: WorkspaceId,
    batch: readonly KeptEdit[],
    items: Reply<typeof saveDocuments>["items"],
  ): Promise<void> {
    if (this.#current.get() !== workspaceId) return;
    const changed: string[] = [];
    const settled = items.flatMap((item, at): Doc[] => {
      const doc = this.#docs.get().get(item.name);
      const edit = batch[at];
      if (!doc || !edit) return [];
      const { revision } = item;
      const isNewest = doc.pending?.editId === edit.editId;
      if (!isNewest) {
        return [{ ...doc, revision, pending: doc.pending && { ...doc.pending, base: revision } }];
      }
      if (!item.isBranched) return [{ ...doc, revision, pending: undefined }];
      changed.push(item.name);
      return [{ ...doc, content: item.current?.content, revision, pending: undefined }];
    });
    this.#put(...settled);
    this.#channel?.postMessage({
      workspaceId,
      saved: batch.map(({ editId, name }, at) => ({ editId, name, revision: items[at]?.revision ?? 0 })),
    });
    const clean = settled.filter(({ pending }) => !pending);
    await this.#memory?.confirm(workspaceId, {
      documents: clean.flatMap(({ name, content, revision }) =>
        content === undefined ? [] : [{ name, content, revision }]
      ),
      removed: clean.filter(({ content }) => content === undefined).map(({ name }) => name),
      editIds: batch.map(({ editId }) => editId),
    }).catch(() => {});
    this.#show(changed);
    for (const name of changed) this.#options?.branched?.(name);
  }

  /** A document that will never be taken no longer holds up the others. */
  #refuse(batch: readonly KeptEdit[], error: unknown): void {
    const field = error instanceof ApiError ? error.fields[0]?.field : undefined;
    const at = Number(field?.match(/^\/body\/documents\/(\d+)\//)?.[1] ?? NaN);
    const doc = this.#docs.get().get(batch[at]?.name ?? "");
    if (error instanceof ApiError && doc && doc.pending?.editId === batch[at]?.editId) {
      this.#put({ ...doc, problem: error });
      this.#options?.refused?.(doc.name, error);
      return;
    }
    this.#missed(error);
  }

  #reached(): void {
    this.#failures = 0;
    this.#isReachable.set(true);
  }

  #missed(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.#failures++;
    this.#isReachable.set(false);
    this.#saveSoon(this.#waitMs());
  }

  #waitMs(): number {
    return Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.max(0, this.#failures - 1));
  }

  #listen(): void {
    const { userId, live } = this.#options ?? {};
    if (!userId || !live) return;
    this.#channel = new BroadcastChannel(`seedloop.workspace.${userId}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    const leave = () => document.visibilityState === "hidden" && this.#farewell();
    const back = () => void this.#meet().then(() => this.flush());
    document.addEventListener("visibilitychange", leave);
    addEventListener("pagehide", this.#farewell);
    addEventListener("online", back);
    this.#stops.push(
      () => document.removeEventListener("visibilitychange", leave),
      () => removeEventListener("pagehide", this.#farewell),
      () => removeEventListener("online", back),
      live.listen({
        topics: [`user:${userId}`],
        event: (event) => this.#hearEvent(event),
        resync: () => void this.#readQuietly(),
        heard: () => void this.#readQuietly(),
        changed: (state) => state === "live" && back(),
      }),
    );
  }

  #hearEvent({ code, data }: LiveEvent): void {
    if (code !== workspaceChanged.code) return;
    const read = workspaceChanged.data.safeParse(data);
    if (!read.success || read.data.by === this.#tabId) return;
    if (read.data.by === "") void this.#readList().catch(() => {});
    if (read.data.workspaceId === this.#current.get() && read.data.revision > this.#revision) {
      void this.#readQuietly();
    }
  }

  async #readQuietly(): Promise<void> {
    await this.#readChanges().catch((error) => this.#missed(error));
  }

  /** Another tab's edit of what is shared shows at once; that tab saves it. */
  #hear(message: TabMessage): void {
    if (message.workspaceId !== this.#current.get()) return;
    const { edit, saved = [] } = message;
    const known = edit && this.#docs.get().get(edit.name);
    if (edit && !(known?.pending && known.pending.editedAt > edit.editedAt)) {
      this.#put({
        name: edit.name,
        content: edit.content ?? undefined,
        revision: known?.revision ?? edit.base,
        pending: known?.pending,
        problem: undefined,
      });
      this.#show([edit.name]);
    }
    this.#put(...saved.flatMap(({ name, revision }) => {
      const doc = this.#docs.get().get(name);
      return doc ? [{ ...doc, revision, pending: doc.pending && { ...doc.pending, base: revision } }] : [];
    }));
  }

  /** The page may be gone in a moment: what is small enough goes in a request that outlives it. */
  readonly #farewell = () => {
    const workspaceId = this.#current.get();
    const documents = this.#batch().map(sent);
    const body = JSON.stringify({ by: this.#tabId, documents });
    if (!workspaceId || documents.length === 0 || body.length > MAX_FAREWELL_LENGTH) return;
    const headers = { "content-type": "application/json" };
    const path = `/api/workspaces/${workspaceId}/documents`;
    // The answer comes to nobody: the same edits are sent again, and the studio knows them by their ids.
    void fetch(path, { method: "PUT", headers, body, keepalive: true }).catch(() => {});
  };

  /** Numbers of the views there are, the one that was changed last first. */
  #slotsByUse(): number[] {
    const newest = new Map<number, number>();
    for (const { name, revision, pending } of this.#docs.get().values()) {
      const slot = Number(name.match(/^view\/(\d+)\//)?.[1] ?? NaN);
      if (!Number.isSafeInteger(slot)) continue;
      newest.set(slot, Math.max(newest.get(slot) ?? 0, pending?.editedAt ?? revision));
    }
    return [...newest].toSorted(([, one], [, other]) => other - one).map(([slot]) => slot);
  }

  /** A tab whose view has nothing yet starts as the one that was used last. */
  #copyView(): void {
    const [source] = this.#slotsByUse();
    if (source === undefined || this.#slotsByUse().includes(this.slot)) return;
    for (const { name, content } of [...this.#docs.get().values()]) {
      const prefix = `view/${source}/`;
      if (content !== undefined && name.startsWith(prefix)) {
        this.#edit(`view/${this.slot}/${name.slice(prefix.length)}`, content, false);
      }
    }
  }
}

interface TabMessage {
  readonly workspaceId?: string;
  readonly edit?: KeptEdit;
  readonly saved?: readonly { readonly name: string; readonly revision: number }[];
}

function sent({ name, editId, base, editedAt, content, keepsBefore }: KeptEdit) {
  const agoMs = Math.max(0, Date.now() - editedAt);
  return { name, editId, base, agoMs, content, ...(keepsBefore ? { keepsBefore } : {}) };
}

const DEVICE = "seedloop.device";

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
