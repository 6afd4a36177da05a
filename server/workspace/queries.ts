import type { Queryable } from "#server/db/db.ts";
import type { Workspace, WorkspaceBranch, WorkspaceDocument } from "./contract.ts";

const columns = (db: Queryable) => db`w.id, w.name, w.revision, w.created_at, w.used_at, w.removed_at`;

/** The newest 100: more are never open at once, and those removed are gone after a month. */
export async function listWorkspaces(db: Queryable, userId: string): Promise<Workspace[]> {
  return await db<Workspace[]>`
    select ${
    columns(db)
  } from workspaces w where w.user_id = ${userId} order by w.used_at desc, w.id desc limit 100`;
}

export async function findWorkspace(
  db: Queryable,
  userId: string,
  workspaceId: string,
): Promise<Workspace | undefined> {
  const [row] = await db<Workspace[]>`
    select ${columns(db)} from workspaces w where w.id = ${workspaceId} and w.user_id = ${userId}`;
  return row;
}

export async function isTaken(db: Queryable, workspaceId: string): Promise<boolean> {
  return (await db`select 1 from workspaces where id = ${workspaceId}`).length > 0;
}

/** False where the user has one of that name. */
export async function insertWorkspace(
  db: Queryable,
  row: { readonly id: string; readonly userId: string; readonly name: string },
): Promise<boolean> {
  const rows = await db`
    insert into workspaces (id, user_id, name) values (${row.id}, ${row.userId}, ${row.name})
    on conflict do nothing returning 1`;
  return rows.length > 0;
}

export async function copyDocuments(db: Queryable, fromId: string, toId: string): Promise<void> {
  await db`
    insert into workspace_documents (workspace_id, name, revision, edit_id, edited_at, content)
    select ${toId}, name, 1, edit_id, edited_at, content from workspace_documents where workspace_id = ${fromId}`;
  await db`update workspaces set revision = 1 where id = ${toId}`;
}

/** False where the user has another of that name. */
export async function updateWorkspace(
  db: Queryable,
  workspaceId: string,
  change: { readonly name?: string | undefined; readonly isRemoved?: boolean | undefined },
): Promise<boolean> {
  const rows = await db`
    update workspaces w
       set name = coalesce(${change.name ?? null}, w.name),
           removed_at = case ${change.isRemoved ?? null}::boolean
             when true then coalesce(w.removed_at, now()) when false then null else w.removed_at end
     where w.id = ${workspaceId}
       and not exists (
         select 1 from workspaces o
          where o.user_id = w.user_id and o.id <> w.id and o.removed_at is null
            and lower(o.name) = lower(coalesce(${change.name ?? null}, w.name))
            and ${change.isRemoved ?? null}::boolean is distinct from true)
    returning 1`;
  return rows.length > 0;
}

/** Removes for good what was removed more than 30 days ago. */
export async function purgeRemoved(db: Queryable, userId: string): Promise<void> {
  await db`delete from workspaces where user_id = ${userId} and removed_at < now() - interval '30 days'`;
}

export async function countWorkspaces(db: Queryable, userId: string): Promise<number> {
  const [row] = await db<{ count: number }[]>`
    select count(*)::int as count from workspaces where user_id = ${userId} and removed_at is null`;
  return row?.count ?? 0;
}

export async function listDocuments(
  db: Queryable,
  workspaceId: string,
  after: number,
): Promise<WorkspaceDocument[]> {
  return await db<WorkspaceDocument[]>`
    select name, revision, edit_id, edited_at, content from workspace_documents
     where workspace_id = ${workspaceId} and revision > ${after} order by name`;
}

export async function listDocumentNames(db: Queryable, workspaceId: string): Promise<string[]> {
  const rows = await db<{ name: string }[]>`
    select name from workspace_documents where workspace_id = ${workspaceId} order by name`;
  return rows.map(({ name }) => name);
}

/** The next revision; until the transaction ends nobody else saves in this workspace. */
export async function nextRevision(db: Queryable, workspaceId: string): Promise<number> {
  const [row] = await db<{ revision: number }[]>`
    update workspaces set revision = revision + 1, used_at = now() where id = ${workspaceId} returning revision`;
  return row?.revision ?? 0;
}

/** The documents of these names, and when on this clock each edit of them was made. */
export async function findDocuments(
  db: Queryable,
  workspaceId: string,
  names: readonly string[],
): Promise<WorkspaceDocument[]> {
  return await db<WorkspaceDocument[]>`
    select name, revision, edit_id, edited_at, content from workspace_documents
     where workspace_id = ${workspaceId} and name = any(${names as string[]})`;
}

export async function findBranchIds(
  db: Queryable,
  workspaceId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await db<{ id: string }[]>`
    select id from workspace_branches where workspace_id = ${workspaceId} and id = any(${ids as string[]})`;
  return new Set(rows.map(({ id }) => id));
}

export async function upsertDocument(
  db: Queryable,
  workspaceId: string,
  row: WorkspaceDocument,
): Promise<void> {
  await db`
    insert into workspace_documents (workspace_id, name, revision, edit_id, edited_at, content)
    values (${workspaceId}, ${row.name}, ${row.revision}, ${row.editId}, ${row.editedAt}, ${row.content})
    on conflict (workspace_id, name) do update
      set revision = excluded.revision, edit_id = excluded.edit_id, edited_at = excluded.edited_at,
          content = excluded.content, saved_at = now()`;
}

export async function deleteDocument(db: Queryable, workspaceId: string, name: string): Promise<void> {
  await db`delete from workspace_documents where workspace_id = ${workspaceId} and name = ${name}`;
}

export async function insertBranch(
  db: Queryable,
  workspaceId: string,
  row: Pick<WorkspaceDocument, "name" | "editId" | "editedAt" | "content">,
): Promise<void> {
  await db`
    insert into workspace_branches (id, workspace_id, document_name, edited_at, content)
    values (${row.editId}, ${workspaceId}, ${row.name}, ${row.editedAt}, ${row.content})
    on conflict (id) do nothing`;
}

/** Removes the oldest branches beyond `keep` of each of these documents. */
export async function trimBranches(
  db: Queryable,
  workspaceId: string,
  names: readonly string[],
  keep: number,
): Promise<void> {
  await db`
    delete from workspace_branches where id in (
      select id from (
        select id, row_number() over (partition by document_name order by edited_at desc, id desc) as place
          from workspace_branches
         where workspace_id = ${workspaceId} and document_name = any(${names as string[]})) ranked
       where place > ${keep})`;
}

export interface Sizes {
  readonly documents: number;
  readonly documentBytes: number;
  readonly branchBytes: number;
}

/** Documents of one workspace, and bytes of all that the user has. */
export async function measure(db: Queryable, userId: string, workspaceId: string): Promise<Sizes> {
  const [row] = await db<Sizes[]>`
    select (select count(*)::int from workspace_documents where workspace_id = ${workspaceId}) as documents,
           (select coalesce(sum(d.size_bytes), 0)::bigint from workspace_documents d
              join workspaces w on w.id = d.workspace_id where w.user_id = ${userId}) as document_bytes,
           (select coalesce(sum(b.size_bytes), 0)::bigint from workspace_branches b
              join workspaces w on w.id = b.workspace_id where w.user_id = ${userId}) as branch_bytes`;
  return row ?? { documents: 0, documentBytes: 0, branchBytes: 0 };
}

/** Removes the user's oldest branches until those that stay are within `bytes`. */
export async function shedBranches(db: Queryable, userId: string, bytes: number): Promise<void> {
  await db`
    delete from workspace_branches where id in (
      select id from (
        select b.id, sum(b.size_bytes) over (order by b.kept_at desc, b.id desc) as total
          from workspace_branches b join workspaces w on w.id = b.workspace_id
         where w.user_id = ${userId}) summed
       where total > ${bytes})`;
}

export async function listBranches(
  db: Queryable,
  workspaceId: string,
  name: string | undefined,
): Promise<WorkspaceBranch[]> {
  return await db<WorkspaceBranch[]>`
    select id, document_name as name, edited_at, kept_at, size_bytes from workspace_branches
     where workspace_id = ${workspaceId} ${name === undefined ? db`` : db`and document_name = ${name}`}
     order by edited_at desc, id desc limit 500`;
}

export async function findBranch(
  db: Queryable,
  workspaceId: string,
  branchId: string,
): Promise<(WorkspaceBranch & { content: string }) | undefined> {
  const [row] = await db<(WorkspaceBranch & { content: string })[]>`
    select id, document_name as name, edited_at, kept_at, size_bytes, content from workspace_branches
     where workspace_id = ${workspaceId} and id = ${branchId}`;
  return row;
}
