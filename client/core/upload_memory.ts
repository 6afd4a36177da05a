import { createStore, del, entries, set, type UseStore } from "idb-keyval";
import { inOrder } from "./order.ts";

/** Files up to this size are kept until the studio has them, so that a reload of the page goes on by itself. */
const KEPT_FILE_BYTES = 64 * 1024 * 1024;
const KEPT_MS = 7 * 86_400_000;

/** What is known of an upload that is not done. */
export interface KeptUpload {
  readonly id: string;
  readonly projectId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly lastModified: number;
  /** What it is for, as whoever began it wants to be told after a reload; JSON. */
  readonly purpose?: unknown;
  /** The bytes themselves, where they are few. */
  readonly file?: File;
}

interface Row extends KeptUpload {
  readonly userId: string;
  readonly keptAt: number;
}

let opened: UseStore | undefined;
const store = () => opened ??= createStore("seedloop-uploads", "uploads");

/** Remembers an upload that begins. Where the browser has no room left, what is remembered is less. */
export async function keepUpload(
  userId: string,
  upload: Omit<KeptUpload, "file">,
  file: File,
): Promise<void> {
  const { id, projectId, path, sizeBytes, lastModified, purpose } = upload;
  const row: Row = { id, projectId, path, sizeBytes, lastModified, purpose, userId, keptAt: Date.now() };
  const whole = file.size <= KEPT_FILE_BYTES ? { ...row, file } : row;
  await set(id, whole, store()).catch(() => set(id, row, store())).catch(() => {});
}

export async function forgetUpload(id: string): Promise<void> {
  await del(id, store()).catch(() => {});
}

/** The user's unfinished uploads in this browser; those that the studio has given up are forgotten. */
export async function listKeptUploads(userId: string): Promise<readonly KeptUpload[]> {
  const rows = await entries<string, Row>(store()).catch(() => []);
  const found: Row[] = [];
  for (const [id, row] of rows) {
    if (Date.now() - row.keptAt > KEPT_MS) await forgetUpload(id);
    else if (row.userId === userId) found.push(row);
  }
  return found.sort((one, other) => inOrder(one.id, other.id));
}

/** Forgets a user's unfinished uploads with their files: at sign-out. */
export async function forgetUploads(userId: string): Promise<void> {
  const rows = await entries<string, Row>(store()).catch(() => []);
  await Promise.all(rows.filter(([, row]) => row.userId === userId).map(([id]) => forgetUpload(id)));
}
