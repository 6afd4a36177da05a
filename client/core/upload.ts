import { signal } from "@lit-labs/signals";
import { newId } from "#server/core/id.ts";
import { ApiError } from "./call.ts";
import { hashFile } from "./file_hash.ts";
import { sendUpload, type Sent } from "./tus.ts";
import { noteUploadProgress } from "./upload_progress.ts";
import { forgetUpload, keepUpload, type KeptUpload, listKeptUploads } from "./upload_memory.ts";

/**
 * `waiting` for its turn, `hashing`, `sending`, `lost` (the studio is out of reach; it goes on by itself), `paused`,
 * `done`, `failed` (`problem` says why), or `left`: begun before a reload, and goes on when the same file is given
 * again.
 */
export type UploadStage =
  | "waiting"
  | "hashing"
  | "sending"
  | "lost"
  | "paused"
  | "done"
  | "failed"
  | "left";

/** A file on its way into a project. */
export interface Upload {
  /** Also the id of the asset that it becomes. */
  readonly id: string;
  readonly projectId: string;
  /** The path inside a dropped folder, "Jane/Bio/01.png", else the file's name. */
  readonly path: string;
  readonly sizeBytes: number;
  /** By which, with path and size, the same file is known again. */
  readonly lastModified: number;
  readonly sentBytes: number;
  readonly stage: UploadStage;
  /** SHA-256 in lower-case hex, once it is known. */
  readonly hash?: string | undefined;
  readonly problem?: ApiError | undefined;
  /** Measured over the last seconds; undefined until there is something to measure. */
  readonly bytesPerSecond?: number | undefined;
}

export interface UploadTarget {
  readonly projectId: string;
  /**
   * What follows once the asset is there; the upload is done when this is. Where the page dies before, the next visit
   * calls what the purpose says; where it throws an ApiError that passes (isPassing) it is called again: so it must do
   * the same thing once only.
   */
  readonly done?: ((upload: Upload) => void | Promise<void>) | undefined;
  /** What it is for, a JSON value: kept with it. */
  readonly purpose?: unknown;
}

const PARALLEL = 3;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 20_000;

interface Work {
  readonly file: File;
  readonly target: UploadTarget;
  abort: AbortController | undefined;
  /** Tries that failed in a row. */
  failures: number;
  speed: { at: number; bytes: number };
}

/**
 * Files on their way to the studio, three at a time, resumed after a lost connection, a restart of the studio and,
 * with the same file or a small one by itself, after a reload of the page.
 */
export class Uploads {
  readonly #list = signal<readonly Upload[]>([]);
  readonly #work = new Map<string, Work>();
  readonly #retries = new Map<string, ReturnType<typeof setTimeout>>();
  #userId: string | undefined;

  /** All of this visit, oldest first; those that are done too, until clear(). */
  get all(): readonly Upload[] {
    return this.#list.get();
  }

  /** 0–1 over all that are under way, or undefined when none is. */
  get ratio(): number | undefined {
    const open = this.all.filter(isUnderWay);
    const total = open.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return total === 0 ? undefined : open.reduce((sum, { sentBytes }) => sum + sentBytes, 0) / total;
  }

  /** Takes up what a former visit of this user left unfinished in this browser; `revive` says what it was for. */
  async restore(userId: string, revive?: (kept: KeptUpload) => UploadTarget["done"]): Promise<void> {
    this.#userId = userId;
    globalThis.addEventListener("online", this.#hurry);
    for (const kept of await listKeptUploads(userId)) {
      const { file, purpose, ...upload } = kept;
      if (this.all.some(({ id }) => id === kept.id)) continue;
      this.#put({ ...upload, sentBytes: 0, stage: file ? "waiting" : "left" });
      if (!file) continue;
      const done = revive?.(kept);
      this.#take(kept.id, file, { projectId: kept.projectId, purpose, ...(done ? { done } : {}) });
    }
    this.#next();
  }

  /** Begins with these files. One that was left unfinished goes on where it was. */
  async add(files: readonly GivenFile[], target: UploadTarget): Promise<readonly Upload[]> {
    const added: string[] = [];
    for (const { file, path } of files) {
      const left = this.all.find((upload) => upload.stage === "left" && isSame(upload, file, path, target));
      const id = left?.id ?? newId<"asset">();
      const fresh = {
        id,
        projectId: target.projectId,
        path,
        sizeBytes: file.size,
        lastModified: file.lastModified,
      };
      this.#put({ ...fresh, sentBytes: 0, stage: "waiting" });
      this.#take(id, file, target);
      if (this.#userId !== undefined) {
        await keepUpload(this.#userId, { ...fresh, purpose: target.purpose }, file);
      }
      added.push(id);
    }
    this.#next();
    return this.all.filter(({ id }) => added.includes(id));
  }

  /** Stops sending until resume(). */
  pause(id: string): void {
    const upload = this.#find(id);
    if (!upload || !this.#work.has(id) || upload.stage === "done") return;
    this.#change(id, { stage: "paused" });
    this.#work.get(id)?.abort?.abort();
    clearTimeout(this.#retries.get(id));
    this.#next();
  }

  /** Goes on with one that is paused, lost or failed. */
  resume(id: string): void {
    const work = this.#work.get(id);
    if (!work || work.abort) return;
    clearTimeout(this.#retries.get(id));
    work.failures = 0;
    this.#change(id, { stage: "waiting", problem: undefined });
    this.#next();
  }

  /** Gives one up and frees what the studio holds of it. */
  async cancel(id: string): Promise<void> {
    this.#work.get(id)?.abort?.abort();
    this.#work.delete(id);
    clearTimeout(this.#retries.get(id));
    const upload = this.#find(id);
    this.#set(this.all.filter((one) => one.id !== id));
    await forgetUpload(id);
    this.#next();
    if (upload && upload.stage !== "done") {
      // What stays on the studio when this fails expires there by itself.
      await fetch(`/api/uploads/${id}`, { method: "DELETE", headers: { "tus-resumable": "1.0.0" } })
        .catch(() => {});
    }
  }

  /** Takes those that are done off the list. */
  clear(): void {
    this.#set(this.all.filter(({ stage }) => stage !== "done"));
  }

  #take(id: string, file: File, target: UploadTarget): void {
    const speed = { at: Date.now(), bytes: 0 };
    this.#work.set(id, { file, target, abort: undefined, failures: 0, speed });
  }

  #next(): void {
    let free = PARALLEL - [...this.#work.values()].filter(({ abort }) => abort).length;
    for (const { id, stage } of this.all) {
      if (free <= 0) return;
      if (stage !== "waiting" || this.#work.get(id)?.abort) continue;
      free--;
      void this.#run(id);
    }
  }

  async #run(id: string): Promise<void> {
    const work = this.#work.get(id);
    if (!work) return;
    const abort = new AbortController();
    work.abort = abort;
    try {
      const hash = this.#find(id)?.hash ?? await this.#hash(id, work.file, abort.signal);
      this.#change(id, { stage: "sending", hash });
      const upload = this.#find(id);
      if (!upload) return;
      const metadata = {
        id,
        filename: nameOf(upload.path),
        path: upload.path,
        sha256: hash,
        projectId: upload.projectId,
      };
      await sendUpload(work.file, metadata, {
        signal: abort.signal,
        progress: (sent) => this.#progress(id, work, sent),
      });
      await this.#finish(id, work);
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(id, work, error);
    } finally {
      work.abort = undefined;
      this.#next();
    }
  }

  async #hash(id: string, file: File, abort: AbortSignal): Promise<string> {
    this.#change(id, { stage: "hashing" });
    return await hashFile(file, abort);
  }

  #progress(id: string, work: Work, { sentBytes }: Sent): void {
    const now = Date.now();
    const passedMs = now - work.speed.at;
    work.failures = 0;
    if (passedMs < 1_000) return this.#change(id, { sentBytes });
    const bytesPerSecond = Math.max(0, (sentBytes - work.speed.bytes) * 1000 / passedMs);
    work.speed = { at: now, bytes: sentBytes };
    this.#change(id, { sentBytes, bytesPerSecond });
  }

  async #finish(id: string, work: Work): Promise<void> {
    const upload = this.#find(id);
    if (upload) await work.target.done?.(upload);
    this.#work.delete(id);
    await forgetUpload(id);
    this.#change(id, { stage: "done", sentBytes: work.file.size, problem: undefined });
  }

  #fail(id: string, work: Work, error: unknown): void {
    const problem = error instanceof ApiError ? error : new ApiError(
      0,
      "unreadable",
      `Cannot read the file: ${error instanceof Error ? error.message : error}`,
    );
    // 409: somebody else sent some of it; how much is there is asked for at the next try.
    const mayPass = isPassing(problem) || problem.status === 409;
    if (!mayPass || work.failures > 100) {
      this.#change(id, { stage: "failed", problem });
      return void forgetUpload(id);
    }
    this.#change(id, { stage: "lost", problem });
    const waitMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** work.failures++);
    this.#retries.set(id, setTimeout(() => this.#again(id), waitMs));
  }

  #again(id: string): void {
    clearTimeout(this.#retries.get(id));
    if (this.#find(id)?.stage !== "lost") return;
    this.#change(id, { stage: "waiting" });
    this.#next();
  }

  readonly #hurry = () => {
    for (const { id } of this.all) this.#again(id);
  };

  #find(id: string): Upload | undefined {
    return this.all.find((upload) => upload.id === id);
  }

  #put(upload: Upload): void {
    this.#set([...this.all.filter(({ id }) => id !== upload.id), upload]);
  }

  #change(id: string, change: Partial<Upload>): void {
    this.#set(this.all.map((upload) => upload.id === id ? { ...upload, ...change } : upload));
  }

  #set(all: readonly Upload[]): void {
    this.#list.set(all);
    const open = all.filter(isUnderWay);
    const isLost = open.some(({ stage }) => stage === "lost");
    noteUploadProgress(open.length > 0 ? { count: open.length, ratio: this.ratio ?? 0, isLost } : undefined);
  }
}

/** Whether the same may be granted later: the studio is out of reach, busy, or wants one to sign in again. */
export function isPassing({ code, status }: ApiError): boolean {
  return code === "unreachable" || status === 401 || status === 429 || (status >= 500 && status !== 507);
}

function isUnderWay({ stage }: Upload): boolean {
  return stage !== "done" && stage !== "failed" && stage !== "left";
}

function isSame(left: Upload, file: File, path: string, target: UploadTarget): boolean {
  return left.projectId === target.projectId && left.path === path && left.sizeBytes === file.size &&
    left.lastModified === file.lastModified;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export interface GivenFile {
  readonly file: File;
  /** With the folders it came in: "Jane/Bio/01.png". */
  readonly path: string;
}

/**
 * The files of a drop or a paste, folders walked, each with its path. A pasted picture without a name is called by
 * its kind. Read it at once in the event's handler: the transfer is empty afterwards.
 */
export async function readTransfer(transfer: DataTransfer): Promise<readonly GivenFile[]> {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = await Promise.all(entries.map((entry) => {
    if (entry === null) return [];
    return entry instanceof File ? [{ file: entry, path: entry.name || "picture" }] : walkEntry(entry, "");
  }));
  return found.flat();
}

/** The files of an `<input type=file>`, with their folders where it asked for one. */
export function readInput(input: HTMLInputElement): readonly GivenFile[] {
  return [...input.files ?? []].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

async function walkEntry(entry: FileSystemEntry, folder: string): Promise<readonly GivenFile[]> {
  const path = `${folder}${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject)
    );
    return [{ file, path }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  // It gives a hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (some.length === 0) break;
    children.push(...some);
  }
  // Files that systems leave behind are no one's work.
  const wanted = children.filter(({ name }) => !name.startsWith(".") && name !== "Thumbs.db");
  return (await Promise.all(wanted.map((child) => walkEntry(child, `${path}/`)))).flat();
}

export const uploads: Uploads = new Uploads();
