import { clear, createStore, promisifyRequest, type UseStore } from "idb-keyval";

/** A document as the studio has it. */
export interface KeptDocument {
  readonly name: string;
  readonly content: string;
  readonly revision: number;
}

/** An edit that the studio has not confirmed. */
export interface KeptEdit {
  readonly name: string;
  readonly editId: string;
  /** JSON text; null removes. */
  readonly content: string | null;
  readonly base: number;
  /** By this machine's clock. */
  readonly editedAt: number;
  readonly keepsBefore?: boolean;
}

export interface KeptWorkspace {
  readonly documents: readonly KeptDocument[];
  readonly edits: readonly KeptEdit[];
  /** Up to which saving the documents are known. */
  readonly revision: number;
}

/** What this browser remembers of a user's workspaces; every call is one transaction, so that a kill leaves no half. */
export class WorkspaceMemory {
  readonly #store: UseStore;

  constructor(userId: string) {
    this.#store = createStore(`seedloop-workspace-${userId}`, "rows");
  }

  async load(workspaceId: string): Promise<KeptWorkspace> {
    return await this.#store("readonly", async (rows) => {
      const all = <T>(kind: string) => promisifyRequest<T[]>(rows.getAll(rangeOf(`${kind}/${workspaceId}/`)));
      const [documents, edits, revision] = await Promise.all([
        all<KeptDocument>("document"),
        all<KeptEdit>("edit"),
        promisifyRequest<number | undefined>(rows.get(`revision/${workspaceId}`)),
      ]);
      return { documents, edits, revision: revision ?? 0 };
    });
  }

  /** The workspace that was open last in this browser. */
  async lastUsed(): Promise<string | undefined> {
    return await this.#store("readonly", (rows) => promisifyRequest<string | undefined>(rows.get("last")));
  }

  async use(workspaceId: string): Promise<void> {
    await this.#write((rows) => rows.put(workspaceId, "last"));
  }

  /** Keeps edits; the tab's edits of the same documents before them are replaced. */
  async keepEdits(workspaceId: string, tabId: string, edits: readonly KeptEdit[]): Promise<void> {
    await this.#write((rows) => {
      for (const edit of edits) rows.put(edit, `edit/${workspaceId}/${edit.name}/${tabId}`);
    });
  }

  /** What the studio says, and edits that are thereby done with, whoever made them. */
  async confirm(
    workspaceId: string,
    told: {
      readonly documents?: readonly KeptDocument[];
      readonly removed?: readonly string[];
      readonly editIds?: readonly string[];
      readonly revision?: number;
    },
  ): Promise<void> {
    const { documents = [], removed = [], editIds = [], revision } = told;
    await this.#store("readwrite", async (rows) => {
      for (const document of documents) rows.put(document, `document/${workspaceId}/${document.name}`);
      for (const name of removed) rows.delete(`document/${workspaceId}/${name}`);
      if (revision !== undefined) rows.put(revision, `revision/${workspaceId}`);
      if (editIds.length > 0) await deleteEdits(rows, `edit/${workspaceId}/`, new Set(editIds));
      await promisifyRequest(rows.transaction);
    });
  }

  async #write(act: (rows: IDBObjectStore) => void): Promise<void> {
    await this.#store("readwrite", (rows) => {
      act(rows);
      return promisifyRequest(rows.transaction);
    });
  }
}

async function deleteEdits(
  rows: IDBObjectStore,
  prefix: string,
  editIds: ReadonlySet<string>,
): Promise<void> {
  const range = rangeOf(prefix);
  const [keys, edits] = await Promise.all([
    promisifyRequest(rows.getAllKeys(range)),
    promisifyRequest<KeptEdit[]>(rows.getAll(range)),
  ]);
  edits.forEach((edit, at) => {
    const key = keys[at];
    if (key !== undefined && editIds.has(edit.editId)) rows.delete(key);
  });
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}

/**
 * Forgets everything that this browser remembers of a user's workspaces: at sign-out, when all of it is saved. The
 * empty database stays: one that a page still holds open can't be deleted.
 */
export async function forgetWorkspaces(userId: string): Promise<void> {
  await clear(createStore(`seedloop-workspace-${userId}`, "rows")).catch(() => {});
}
