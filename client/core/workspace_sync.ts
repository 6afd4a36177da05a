import { signal } from "@lit-labs/signals";
import type { LiveEvent } from "#server/core/event.ts";
import type { Reply } from "#server/core/endpoint.ts";
import { newId } from "#server/core/id.ts";
import {
  createWorkspace,
  listWorkspaces,
  MAX_SAVED_AT_ONCE,
  readDocuments,
  saveDocuments,
  type Workspace,
  workspaceChanged,
} from "#server/workspace/contract.ts";
import { ApiError, call } from "./call.ts";
import type { Live } from "./live.ts";
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
/** Names a workspace. */
export type WorkspaceId = Id<Workspace>;

/** A document as it shows here. */
export interface Doc {
  readonly name: string;
  /** JSON text that shows; undefined where there is none. */
  readonly content: string | undefined;
  /** What the studio has; 0 for nothing. */
  readonly revision: number;
  readonly pending: KeptEdit | undefined;
  /** The studio won't take what is pending: too large. It stays in this browser. */
  readonly problem: ApiError | undefined;
}

interface GivenEdit {
  readonly name: string;
  /** JSON text; null removes. */
  readonly content: string | null;
  /** The state before becomes a branch. */
  readonly keepsBefore?: boolean;
}

export interface WorkspaceOptions {
  readonly userId: string;
  readonly live: Pick<Live, "listen" | "state">;
  /** A newer edit of another device shows now; this one's was kept as a branch. */
  readonly branched?: (name: string) => void;
  /** The studio will never take this document as it is. */
  readonly refused?: (name: string, problem: ApiError) => void;
}

/** The documents of the open workspace between this tab, the other tabs of this browser, and the studio. */
export class WorkspaceSync {
  readonly #tabId = newId<"tab">();
  readonly #docs = signal<ReadonlyMap<string, Doc>>(new Map());
  readonly #list = signal<readonly Workspace[]>([]);
  readonly #current = signal<WorkspaceId | undefined>(undefined);
  readonly #isReachable = signal(true);
  readonly #show: (names?: readonly string[]) => void;
  #options: WorkspaceOptions | undefined;
  #memory: WorkspaceMemory | undefined;
  #channel: BroadcastChannel | undefined;
  #revision = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> | undefined;
  #failures = 0;
  #reading: Promise<void> | undefined;
  #meeting: Promise<void> = Promise.resolve();
  /** Counts what replies told of single workspaces, so that an older list does not take it back. */
  #putCount = 0;
  #stops: (() => void)[] = [];

  /** `show` hears which documents are others now; without names, all of them. */
  constructor(show: (names?: readonly string[]) => void) {
    this.#show = show;
  }

  get docs(): ReadonlyMap<string, Doc> {
    return this.#docs.get();
  }

  /** All workspaces, removed ones too. */
  get list(): readonly Workspace[] {
    return this.#list.get();
  }

  get currentId(): WorkspaceId | undefined {
    return this.#current.get();
  }

  get isReachable(): boolean {
    return this.#isReachable.get();
  }

  /** What this browser has of the workspace that was open last. */
  async begin(options: WorkspaceOptions): Promise<void> {
    this.#options = options;
    this.#memory = new WorkspaceMemory(options.userId);
    const last = await this.#memory.lastUsed().catch(() => undefined);
    // The browser's own words; what the studio does not know it will not be asked for.
    if (last !== undefined) await this.recall(last as WorkspaceId);
  }

  /** Saves what is left and stops; what can't be saved stays in this browser. */
  async end(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#channel?.close();
    this.#docs.set(new Map());
    this.#current.set(undefined);
  }

  /** Sends everything that waits, now; what can't be sent stays in this browser. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#saving;
    await this.save();
  }

  /** Takes a workspace that a reply brought. */
  putWorkspace(workspace: Workspace): void {
    this.#putCount++;
    const list = this.#list.get();
    const isKnown = list.some(({ id }) => id === workspace.id);
    this.#list.set(
      isKnown ? list.map((one) => one.id === workspace.id ? workspace : one) : [workspace, ...list],
    );
  }

  /** Keeps an edit: here at once, then in this browser, then in the studio. Null removes. */
  edit(name: string, content: string | null, keepsBefore: boolean): void {
    this.editTogether([{ name, content, keepsBefore }]);
  }

  /** edit() for several documents: a browser that is killed meanwhile has kept all of them or none. */
  editTogether(given: readonly GivenEdit[]): void {
    const docs = this.#docs.get();
    const edits = given.flatMap(({ name, content, keepsBefore = false }): KeptEdit[] => {
      const before = docs.get(name);
      if ((before?.content ?? null) === content) return [];
      const isKept = keepsBefore || before?.pending?.keepsBefore;
      const editId = newId<"edit">();
      const base = before?.revision ?? 0;
      return [{
        name,
        content,
        editId,
        base,
        editedAt: Date.now(),
        ...(isKept ? { keepsBefore: true } : {}),
      }];
    });
    if (edits.length === 0) return;
    this.put(...edits.map((edit) => ({
      name: edit.name,
      content: edit.content ?? undefined,
      revision: edit.base,
      pending: edit,
      problem: undefined,
    })));
    const workspaceId = this.#current.get();
    if (workspaceId) void this.#memory?.keepEdits(workspaceId, this.#tabId, edits).catch(() => {});
    for (const edit of edits) this.#channel?.postMessage({ workspaceId, edit });
    this.saveSoon(SAVE_MS);
  }

  put(...docs: readonly Doc[]): void {
    const next = new Map(this.#docs.get());
    for (const doc of docs) next.set(doc.name, doc);
    this.#docs.set(next);
  }

  /**
   * What this browser remembers of a workspace; edits that no tab has sent are this tab's to send, and so are those made
   * here before any workspace was open.
   */
  async recall(workspaceId: WorkspaceId): Promise<void> {
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
    const homeless = this.#homeless();
    for (const [name, doc] of homeless) docs.set(name, { ...doc, revision: docs.get(name)?.revision ?? 0 });
    this.#current.set(workspaceId);
    this.#docs.set(docs);
    const unkept = [...homeless.values()].flatMap(({ pending }) => pending ?? []);
    if (unkept.length > 0) void this.#memory?.keepEdits(workspaceId, this.#tabId, unkept).catch(() => {});
    await this.#memory?.use(workspaceId).catch(() => {});
    // Of several tabs that died with an edit of the same document each one's is sent, the newest last.
    const superseded = edits.filter((edit) => docs.get(edit.name)?.pending !== edit);
    if (superseded.length > 0) void this.#sendOrphans(workspaceId, superseded);
    if (edits.length > 0 || homeless.size > 0) this.saveSoon(0);
  }

  /** Made before anybody could say which workspaces there are: newer than all that is kept, which stays as a branch. */
  #homeless(): Map<string, Doc> {
    const docs = this.#current.get() === undefined ? [...this.#docs.get()] : [];
    return new Map(
      docs.flatMap(([name, doc]) =>
        doc.pending
          ? [[name, { ...doc, pending: { ...doc.pending, editedAt: Date.now(), keepsBefore: true } }]]
          : []
      ),
    );
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

  /**
   * Asks the studio which workspaces there are and what has changed in the open one; never throws. One at a time: of two
   * that open the first workspace, the later would know nothing of what the earlier took along.
   */
  async meet(): Promise<void> {
    this.#meeting = this.#meeting.then(() => this.#meetOnce());
    await this.#meeting;
  }

  async #meetOnce(): Promise<void> {
    try {
      const items = await this.#readList();
      const open = this.#current.get();
      const isThere = items.some(({ id, removedAt }) => id === open && removedAt === null);
      if (!isThere) {
        await this.recall((items.find(({ removedAt }) => removedAt === null) ?? await this.#first()).id);
      }
      await this.readChanges();
      if (!isThere) this.#show();
      this.#reached();
    } catch (error) {
      this.#missed(error);
    }
  }

  /** A list that was asked for before a workspace was made would close it again: it is asked for once more. */
  async #readList(): Promise<readonly Workspace[]> {
    let before: number;
    let items: readonly Workspace[];
    do {
      before = this.#putCount;
      ({ items } = await call(listWorkspaces));
    } while (before !== this.#putCount);
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
  async readChanges(): Promise<void> {
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
    // What was saved while this was under way is newer than what is told here, and not gone.
    const gone = [...this.#docs.get().values()].filter(({ name, pending, revision, content }) =>
      !names.has(name) && !pending && revision > 0 && revision <= told.revision && content !== undefined
    );
    this.put(
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

  saveSoon(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.save();
    }, ms);
  }

  /** One saving at a time; what was edited meanwhile follows. */
  async save(): Promise<void> {
    if (this.#saving) return;
    const batch = this.#batch();
    if (batch.length === 0) return;
    this.#saving = this.#send(batch).finally(() => this.#saving = undefined);
    await this.#saving;
    if (this.#batch().length > 0) this.saveSoon(this.#failures === 0 ? 0 : this.#waitMs());
  }

  async #send(batch: readonly KeptEdit[]): Promise<void> {
    const workspaceId = this.#current.get();
    // Made while nobody could say which workspaces there are.
    if (!workspaceId) return await this.meet();
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
    this.put(...settled);
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
      this.put({ ...doc, problem: error });
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
    this.saveSoon(this.#waitMs());
  }

  #waitMs(): number {
    return Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.max(0, this.#failures - 1));
  }

  listen(): void {
    const { userId, live } = this.#options ?? {};
    if (!userId || !live) return;
    this.#channel = new BroadcastChannel(`seedloop.workspace.${userId}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    const leave = () => document.visibilityState === "hidden" && this.#farewell();
    const back = () => void this.meet().then(() => this.flush());
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
    await this.readChanges().catch((error) => this.#missed(error));
  }

  /** Another tab's edit of what is shared shows at once; that tab saves it. */
  #hear(message: TabMessage): void {
    if (message.workspaceId !== this.#current.get()) return;
    const { edit, saved = [] } = message;
    const known = edit && this.#docs.get().get(edit.name);
    if (edit && !(known?.pending && known.pending.editedAt > edit.editedAt)) {
      this.put({
        name: edit.name,
        content: edit.content ?? undefined,
        revision: known?.revision ?? edit.base,
        pending: known?.pending,
        problem: undefined,
      });
      this.#show([edit.name]);
    }
    this.put(...saved.flatMap(({ name, revision }) => {
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
