import type { Actor } from "#server/core/actor.ts";
import type { Body, Reply } from "#server/core/endpoint.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { type Db, type Queryable, transact, type Tx } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import * as contract from "./contract.ts";
import type { SavedDocument, Workspace, WorkspaceDocument } from "./contract.ts";
import * as queries from "./queries.ts";

type Saved = Reply<typeof contract.saveDocuments>["items"][number];

export async function listWorkspaces(db: Db, actor: Actor): Promise<{ items: Workspace[] }> {
  return { items: await queries.listWorkspaces(db, actor.userId) };
}

/** The workspace, if it is the actor's own: nobody sees another's, admins neither. */
async function requireOwn(db: Queryable, actor: Actor, workspaceId: string): Promise<Workspace> {
  const workspace = await queries.findWorkspace(db, actor.userId, workspaceId);
  if (!workspace) throw notFound("workspace");
  return workspace;
}

export async function createWorkspace(
  db: Db,
  actor: Actor,
  input: Body<typeof contract.createWorkspace>,
): Promise<Workspace> {
  const workspaceId = input.id ?? newId<"workspace">();
  return await transact(db, async (tx) => {
    const known = await queries.findWorkspace(tx, actor.userId, workspaceId);
    if (known) return known;
    if (input.copyOfId) await requireOwn(tx, actor, input.copyOfId);
    await queries.purgeRemoved(tx, actor.userId);
    if (await queries.countWorkspaces(tx, actor.userId) >= contract.MAX_WORKSPACES) {
      throw new AppError(
        "limited",
        `Cannot make the workspace: you have ${contract.MAX_WORKSPACES} already; remove one first`,
      );
    }
    const row = { id: workspaceId, userId: actor.userId, name: input.name };
    if (!await queries.insertWorkspace(tx, row)) {
      if (await queries.isTaken(tx, workspaceId)) {
        throw new AppError(
          "conflict",
          "Cannot make the workspace: its id belongs to another one. Use a new id",
        );
      }
      throw nameTaken(input.name);
    }
    if (input.copyOfId) await queries.copyDocuments(tx, input.copyOfId, workspaceId);
    const made = await requireOwn(tx, actor, workspaceId);
    await tell(tx, actor, made, "");
    return made;
  });
}

export async function changeWorkspace(
  db: Db,
  actor: Actor,
  workspaceId: string,
  change: Body<typeof contract.changeWorkspace>,
): Promise<Workspace> {
  return await transact(db, async (tx) => {
    const before = await requireOwn(tx, actor, workspaceId);
    if (!await queries.updateWorkspace(tx, workspaceId, change)) throw nameTaken(change.name ?? before.name);
    const after = await requireOwn(tx, actor, workspaceId);
    await tell(tx, actor, after, "");
    return after;
  });
}

function nameTaken(name: string): AppError {
  return new AppError("conflict", `Cannot call the workspace "${name}": you have one of that name`, {
    fields: [{ field: "/body/name", message: "Must be another name" }],
  });
}

export async function readDocuments(
  db: Db,
  actor: Actor,
  workspaceId: string,
  after: number,
): Promise<Reply<typeof contract.readDocuments>> {
  const { revision } = await requireOwn(db, actor, workspaceId);
  const [items, names] = await Promise.all([
    queries.listDocuments(db, workspaceId, after),
    queries.listDocumentNames(db, workspaceId),
  ]);
  // Saved between the questions: newer than the revision told, so the next reading brings them once more.
  return { revision, names, items };
}

/**
 * Saves each document on its own: on an old base the newer edit wins and the other becomes a branch, so that neither
 * is lost. The same edit twice is saved once.
 */
export async function saveDocuments(
  db: Db,
  actor: Actor,
  workspaceId: string,
  { by, documents }: Body<typeof contract.saveDocuments>,
  now: Date = new Date(),
): Promise<Reply<typeof contract.saveDocuments>> {
  await requireOwn(db, actor, workspaceId);
  documents.forEach(checkDocument);
  return await transact(db, async (tx) => {
    const workspace = await requireOwn(tx, actor, workspaceId);
    if (workspace.removedAt) {
      throw new AppError("gone", "Cannot save: the workspace was removed; bring it back or choose another");
    }
    const revision = await queries.nextRevision(tx, workspaceId);
    const names = documents.map(({ name }) => name);
    const current = new Map(
      (await queries.findDocuments(tx, workspaceId, names)).map((one) => [one.name, one]),
    );
    const branched = await queries.findBranchIds(tx, workspaceId, documents.map(({ editId }) => editId));
    const items: Saved[] = [];
    for (const document of documents) {
      const place = { tx, workspaceId, revision, now, current, branched };
      items.push(await saveOne(place, document));
    }
    await queries.trimBranches(tx, workspaceId, names, contract.MAX_BRANCHES);
    await keepWithinLimits(tx, actor, workspaceId);
    await tell(tx, actor, { ...workspace, revision }, by);
    return { items };
  });
}

interface SavePlace {
  readonly tx: Tx;
  readonly workspaceId: string;
  readonly revision: number;
  readonly now: Date;
  /** What counts, by name; kept true while the documents of one saving are gone through. */
  readonly current: Map<string, WorkspaceDocument>;
  readonly branched: ReadonlySet<string>;
}

async function saveOne(place: SavePlace, document: SavedDocument): Promise<Saved> {
  const { tx, workspaceId, revision, current } = place;
  const { name, editId, content } = document;
  const before = current.get(name);
  if (before?.editId === editId) return { name, isBranched: false, revision: before.revision };
  if (place.branched.has(editId)) return lost(name, before);
  const editedAt = new Date(place.now.getTime() - document.agoMs).toISOString();
  const mine = { name, revision, editId, editedAt, content: content ?? "" };
  const isConflict = before !== undefined && before.revision !== document.base;
  if (isConflict && before.editedAt > editedAt) {
    if (content !== null) await queries.insertBranch(tx, workspaceId, mine);
    return lost(name, before);
  }
  if (before && (isConflict || document.keepsBefore) && before.content !== content) {
    await queries.insertBranch(tx, workspaceId, before);
  }
  if (content === null) {
    await queries.deleteDocument(tx, workspaceId, name);
    current.delete(name);
    return { name, isBranched: false, revision: 0 };
  }
  await queries.upsertDocument(tx, workspaceId, mine);
  current.set(name, mine);
  return { name, isBranched: false, revision };
}

function lost(name: string, current: WorkspaceDocument | undefined): Saved {
  return { name, isBranched: true, current: current ?? null, revision: current?.revision ?? 0 };
}

function checkDocument({ name, content }: SavedDocument, at: number): void {
  if (content === null) return;
  const field = `/body/documents/${at}/content`;
  const bytes = new TextEncoder().encode(content).length;
  if (bytes > contract.MAX_DOCUMENT_BYTES) {
    throw new AppError(
      "too_large",
      `Cannot save the document "${name}": it has ${bytes} bytes and may have ${contract.MAX_DOCUMENT_BYTES}`,
      { fields: [{ field, message: `Must have at most ${contract.MAX_DOCUMENT_BYTES} bytes` }] },
    );
  }
  try {
    JSON.parse(content);
  } catch {
    throw new AppError("invalid", `Cannot save the document "${name}": its content is no JSON`, {
      fields: [{ field, message: "Must be JSON text" }],
    });
  }
}

async function keepWithinLimits(tx: Tx, actor: Actor, workspaceId: string): Promise<void> {
  const sizes = await queries.measure(tx, actor.userId, workspaceId);
  if (sizes.documents > contract.MAX_DOCUMENTS) {
    throw new AppError(
      "limited",
      `Cannot save: the workspace would have ${sizes.documents} documents and may have ${contract.MAX_DOCUMENTS}; close some panels`,
    );
  }
  if (sizes.documentBytes > contract.MAX_USER_BYTES) {
    throw new AppError(
      "too_large",
      `Cannot save: your workspaces would have ${sizes.documentBytes} bytes and may have ${contract.MAX_USER_BYTES}; remove one`,
    );
  }
  if (sizes.documentBytes + sizes.branchBytes > contract.MAX_USER_BYTES) {
    await queries.shedBranches(tx, actor.userId, contract.MAX_USER_BYTES - sizes.documentBytes);
  }
}

export async function listBranches(
  db: Db,
  actor: Actor,
  workspaceId: string,
  name: string | undefined,
): Promise<Reply<typeof contract.listBranches>> {
  await requireOwn(db, actor, workspaceId);
  return { items: await queries.listBranches(db, workspaceId, name) };
}

export async function readBranch(
  db: Db,
  actor: Actor,
  workspaceId: string,
  branchId: string,
): Promise<Reply<typeof contract.readBranch>> {
  await requireOwn(db, actor, workspaceId);
  const branch = await queries.findBranch(db, workspaceId, branchId);
  if (!branch) throw notFound("kept state");
  return branch;
}

async function tell(tx: Tx, actor: Actor, { id, revision }: Workspace, by: string): Promise<void> {
  await announce(tx, contract.workspaceChanged, `user:${actor.userId}`, { workspaceId: id, revision, by });
}
