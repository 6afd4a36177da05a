import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Name } from "#server/core/name.ts";
import { Instant } from "#server/core/time.ts";

/** One document's JSON text at most, in UTF-8 bytes. */
export const MAX_DOCUMENT_BYTES: number = 512 * 1024;
/** All of a user's workspaces with their branches; beyond it the oldest branches go first. */
export const MAX_USER_BYTES: number = 64 * 1024 * 1024;
export const MAX_DOCUMENTS = 2_000;
export const MAX_WORKSPACES = 20;
/** Of one document; beyond it the oldest goes. */
export const MAX_BRANCHES = 50;
/** Documents of one saving. */
export const MAX_SAVED_AT_ONCE = 100;

export const Workspace = z.object({
  id: id("workspace"),
  name: z.string(),
  /** Counts up with every saving. */
  revision: z.int(),
  createdAt: Instant,
  /** When something was last saved in it: the newest is the one to open. */
  usedAt: Instant,
  /** Set while it can still be brought back. */
  removedAt: z.nullable(Instant),
});
export type Workspace = z.infer<typeof Workspace>;

/** "view/1/layout", "drafts/clip:0197…": the client's own names. */
export const DocumentName = z.string().check(
  z.regex(
    /^[a-z0-9][a-zA-Z0-9_.:/-]{0,199}$/,
    "must start with a small letter or a digit and have letters, digits and _ . : / - only, 200 at most",
  ),
);

export const WorkspaceDocument = z.object({
  name: DocumentName,
  revision: z.int(),
  editId: z.string(),
  editedAt: Instant,
  /** JSON text in the client's own form, kept to the letter. */
  content: z.string(),
});
export type WorkspaceDocument = z.infer<typeof WorkspaceDocument>;

const SavedDocument = z.object({
  name: DocumentName,
  /** Of this edit: the same one twice is saved once. */
  editId: id("edit"),
  /** The revision on which the edit stands; 0 for a new document. */
  base: z.int().check(z.minimum(0)),
  /** How long ago the edit was made, in milliseconds: clients' clocks differ, their stop-watches don't. */
  agoMs: z.int().check(z.minimum(0), z.maximum(366 * 86_400_000)),
  /** JSON text; null removes the document. */
  content: z.nullable(z.string()),
  /** Keep the state before as a branch although nobody else has changed it: before going back to another. */
  keepsBefore: z.optional(z.boolean()),
});
export type SavedDocument = z.infer<typeof SavedDocument>;

export const WorkspaceBranch = z.object({
  id: id("workspace branch"),
  name: DocumentName,
  editedAt: Instant,
  keptAt: Instant,
  sizeBytes: z.int(),
});
export type WorkspaceBranch = z.infer<typeof WorkspaceBranch>;

const workspaceParams = z.object({ workspaceId: id("workspace") });

export const listWorkspaces = endpoint({
  method: "GET",
  path: "/workspaces",
  can: "signed_in",
  summary: "One's own workspaces, last used first; removed ones while they can be brought back",
  reply: z.object({ items: z.array(Workspace) }),
});

export const createWorkspace = endpoint({
  method: "POST",
  path: "/workspaces",
  can: "signed_in",
  summary: "Make a workspace, empty or as a copy of another. The same id twice is the same workspace",
  body: z.object({
    id: z.optional(id("workspace")),
    name: Name,
    copyOfId: z.optional(id("workspace")),
  }),
  reply: Workspace,
  status: 201,
});

export const changeWorkspace = endpoint({
  method: "PATCH",
  path: "/workspaces/:workspaceId",
  can: "signed_in",
  summary: "Rename a workspace, remove it, or bring a removed one back within 30 days",
  params: workspaceParams,
  body: z.object({ name: z.optional(Name), isRemoved: z.optional(z.boolean()) }),
  reply: Workspace,
});

export const readDocuments = endpoint({
  method: "GET",
  path: "/workspaces/:workspaceId/documents",
  can: "signed_in",
  summary: "Documents of a workspace that were saved after a revision, and the names of all there are",
  params: workspaceParams,
  query: z.object({ after: z._default(z.coerce.number().check(z.int(), z.minimum(0)), 0) }),
  reply: z.object({
    revision: z.int(),
    names: z.array(z.string()),
    items: z.array(WorkspaceDocument),
  }),
});

export const saveDocuments = endpoint({
  method: "PUT",
  path: "/workspaces/:workspaceId/documents",
  can: "signed_in",
  summary:
    "Save documents: of two edits on the same base the newer one wins, and the other is kept as a branch",
  params: workspaceParams,
  body: z.object({
    /** Names the sender in the event, so that it need not read its own changes. */
    by: z.string().check(z.maxLength(64)),
    documents: z.array(SavedDocument).check(z.minLength(1), z.maxLength(MAX_SAVED_AT_ONCE)),
  }),
  reply: z.object({
    /** As the documents were given. */
    items: z.array(z.object({
      name: DocumentName,
      /** It lost to a newer edit and was kept as a branch; else it is what counts now. */
      isBranched: z.boolean(),
      /** What counts now, where the edit lost; null where that one has removed it. */
      current: z.optional(z.nullable(WorkspaceDocument)),
      /** Revision of the document now; 0 when it is removed. */
      revision: z.int(),
    })),
  }),
});

export const listBranches = endpoint({
  method: "GET",
  path: "/workspaces/:workspaceId/branches",
  can: "signed_in",
  summary: "States of a document that lost to a newer edit or were kept on purpose, newest first",
  params: workspaceParams,
  query: z.object({ name: z.optional(DocumentName) }),
  reply: z.object({ items: z.array(WorkspaceBranch) }),
});

export const readBranch = endpoint({
  method: "GET",
  path: "/workspaces/:workspaceId/branches/:branchId",
  can: "signed_in",
  summary: "One kept state of a document",
  params: z.object({ workspaceId: id("workspace"), branchId: id("workspace branch") }),
  reply: z.extend(WorkspaceBranch, { content: z.string() }),
});

/** To "user:<id>": read what was saved after the revision that you know. */
export const workspaceChanged = eventKind(
  "workspace.changed",
  z.object({ workspaceId: z.string(), revision: z.int(), by: z.string() }),
);
