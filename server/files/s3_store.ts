import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { FileCache } from "./file_cache.ts";
import { explainRefusal, S3Client, S3Refusal, type S3Request, type S3Timings, tag } from "./s3_client.ts";
import type { S3Place } from "./store_place.ts";
import {
  type FileSource,
  isHash,
  type KeptStore,
  placeOfHash,
  type PutOptions,
  type StoredFile,
} from "./store.ts";

const MB = 1024 * 1024;
/** What is larger goes in parts; so much of a file is in memory at a time. S3 takes 10,000 parts of 5 MB and more. */
const PART_BYTES = 8 * MB;
const MAX_PARTS = 9_000;
/** An object that is older is written anew when its bytes are put again: the orphan sweep must not take it meanwhile. */
const FRESH_MS = 12 * 3_600_000;

export interface S3StoreOptions {
  readonly timings?: S3Timings;
  readonly partBytes?: number;
}

/**
 * A store in a bucket: `<prefix>ab/cd/<hash>`. What is put lies in the local cache first, where its hash is made and
 * checked; an object comes to be whole or not at all, and is never changed after.
 */
export class S3Store implements KeptStore {
  readonly #client: S3Client;
  readonly #place: S3Place;
  readonly #cache: FileCache;
  readonly #partBytes: number;

  constructor(place: S3Place, options: S3StoreOptions = {}) {
    this.#place = place;
    this.#client = new S3Client(place, options.timings);
    this.#cache = new FileCache(place.cacheFolder, place.cacheBytes);
    this.#partBytes = options.partBytes ?? PART_BYTES;
  }

  async put(source: FileSource, mediaType: string, options: PutOptions = {}): Promise<FileRef> {
    const ref = await this.#cache.files.put(source, mediaType, options);
    await this.#explained("store the file", async () => {
      const known = await this.#head(ref.hash, options.signal);
      const isFresh = known !== undefined && Date.now() - known.storedAt.getTime() < FRESH_MS;
      if (!isFresh || known.sizeBytes !== ref.sizeBytes) await this.#upload(ref, options.signal);
    });
    await this.#cache.added(ref.sizeBytes);
    return ref;
  }

  async openLocal(hash: string, folder: string, signal?: AbortSignal): Promise<string> {
    for (;;) {
      const path = await this.#cache.link(hash, folder);
      if (path !== undefined) return path;
      const stream = await this.#fetch(hash, undefined, signal);
      const { sizeBytes } = await this.#cache.files.put(stream, "", {
        expect: { hash },
        ...(signal ? { signal } : {}),
      });
      await this.#cache.added(sizeBytes);
    }
  }

  async size(hash: string): Promise<number | undefined> {
    return (await this.#explained("look for the file", () => this.#head(hash)))?.sizeBytes;
  }

  async read(
    hash: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    // What is in the cache was checked when it came.
    if (await this.#cache.files.size(hash) !== undefined) return await this.#cache.files.read(hash, range);
    return await this.#fetch(hash, range);
  }

  async *list(): AsyncIterableIterator<StoredFile> {
    const { prefix } = this.#place;
    let token: string | undefined;
    do {
      const query = {
        "list-type": "2",
        prefix,
        ...(token === undefined ? {} : { "continuation-token": token }),
      };
      const xml: string = await this.#explained(
        "list the files",
        () => this.#client.sendForText({ method: "GET", query }),
      );
      for (const [, item = ""] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const hash = tag(item, "Key")?.slice(-64) ?? "";
        if (!isHash(hash) || tag(item, "Key") !== this.#key(hash)) continue;
        const storedAt = new Date(tag(item, "LastModified") ?? 0);
        yield { hash, sizeBytes: Number(tag(item, "Size")), storedAt };
      }
      token = tag(xml, "IsTruncated") === "true" ? tag(xml, "NextContinuationToken") : undefined;
    } while (token !== undefined);
  }

  async remove(hash: string, unlessSince?: Date): Promise<boolean> {
    return await this.#explained("remove the file", async () => {
      const known = await this.#head(hash);
      if (!known || (unlessSince && known.storedAt >= unlessSince)) return false;
      await this.#client.sendForText({ method: "DELETE", key: this.#key(hash) });
      await this.#cache.files.remove(hash);
      return true;
    });
  }

  /** Gives up uploads in parts that were begun longer ago and never ended: they are no files, but take up room. */
  async sweepUploads(olderThanMs: number, now: Date = new Date()): Promise<number> {
    return await this.#explained("sweep unfinished uploads", async () => {
      const query = { uploads: "", prefix: this.#place.prefix };
      const xml = await this.#client.sendForText({ method: "GET", query });
      let swept = 0;
      for (const [, item = ""] of xml.matchAll(/<Upload>(.*?)<\/Upload>/gs)) {
        const [key, uploadId, at] = [tag(item, "Key"), tag(item, "UploadId"), tag(item, "Initiated")];
        if (!key?.startsWith(this.#place.prefix) || !uploadId || !at) continue;
        if (now.getTime() - new Date(at).getTime() < olderThanMs) continue;
        await this.#client.sendForText({ method: "DELETE", key, query: { uploadId } });
        swept++;
      }
      return swept;
    });
  }

  /** Writes, reads and removes a probe. Throws AppError with the mend when the store can't be used. */
  async check(signal?: AbortSignal): Promise<void> {
    await this.#explained("use the media store", async () => {
      const key = `${this.#place.prefix}.seedloop-${crypto.randomUUID()}`;
      const text = "Seedloop was here";
      const one: Pick<S3Request, "key" | "signal"> = { key, signal };
      await this.#client.sendForText({ method: "PUT", body: new TextEncoder().encode(text), ...one });
      const back = await this.#client.sendForText({ method: "GET", ...one });
      await this.#client.sendForText({ method: "DELETE", ...one });
      if (back !== text) {
        throw new AppError(
          "invalid",
          "Cannot use the media store: it gave back other bytes than it was sent",
        );
      }
      await this.#client.sendForText({ method: "GET", query: { "list-type": "2", "max-keys": "1" }, signal });
    });
  }

  #key(hash: string): string {
    return this.#place.prefix + placeOfHash(hash);
  }

  async #head(hash: string, signal?: AbortSignal): Promise<StoredFile | undefined> {
    try {
      const { headers } = await this.#client.send({ method: "HEAD", key: this.#key(hash), signal });
      const storedAt = new Date(headers.get("last-modified") ?? 0);
      return { hash, sizeBytes: Number(headers.get("content-length")), storedAt };
    } catch (error) {
      if (error instanceof S3Refusal && error.status === 404) return undefined;
      throw error;
    }
  }

  async #upload(ref: FileRef, signal: AbortSignal | undefined): Promise<void> {
    using file = await Deno.open(this.#cache.files.path(ref.hash), { read: true });
    const key = this.#key(ref.hash);
    if (ref.sizeBytes <= this.#partBytes) {
      const body = await readFull(file, ref.sizeBytes);
      const headers = { "content-type": ref.mediaType };
      await this.#client.sendForText({ method: "PUT", key, headers, body, signal });
    } else await this.#uploadParts(file, key, ref, signal);
  }

  /** Nothing is at the key until the last request, which is the one that makes the object. */
  async #uploadParts(
    file: Deno.FsFile,
    key: string,
    ref: FileRef,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const begun = await this.#client.sendForText({
      method: "POST",
      key,
      query: { uploads: "" },
      headers: { "content-type": ref.mediaType },
      signal,
    });
    const uploadId = tag(begun, "UploadId") ?? "";
    try {
      const partBytes = Math.max(this.#partBytes, Math.ceil(ref.sizeBytes / MAX_PARTS));
      const parts: string[] = [];
      for (let at = 0; at < ref.sizeBytes; at += partBytes) {
        const body = await readFull(file, Math.min(partBytes, ref.sizeBytes - at));
        const query = { partNumber: String(parts.length + 1), uploadId };
        const answer = await this.#client.send({ method: "PUT", key, query, body, signal });
        await answer.body?.cancel();
        const etag = answer.headers.get("etag") ?? "";
        parts.push(`<Part><PartNumber>${parts.length + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
      }
      const body = new TextEncoder().encode(
        `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
      );
      const headers = { "content-type": "application/xml" };
      const answer = await this.#client.sendForText({
        method: "POST",
        key,
        query: { uploadId },
        headers,
        body,
        signal,
      });
      // This one request can be refused with a status of 200.
      const code = tag(answer, "Code");
      if (code !== undefined) throw new S3Refusal(500, code, tag(answer, "Message") ?? "");
    } catch (error) {
      await this.#client.sendForText({ method: "DELETE", key, query: { uploadId } }).catch(() => {});
      // Completed, but the answer was lost: then the upload is gone and the object there.
      if (
        (await this.#head(ref.hash).catch(() => undefined))?.sizeBytes !== ref.sizeBytes || signal?.aborted
      ) throw error;
    }
  }

  /** The bytes as they come; when the line is cut in the middle it goes on from there. */
  async #fetch(
    hash: string,
    range: { readonly start: number; readonly end: number } | undefined,
    signal?: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const known = await this.#explained("read the file", () => this.#head(hash, signal));
    if (!known) {
      throw new AppError("not_found", "Cannot read the file: it is not in the store", { details: { hash } });
    }
    const end = Math.min(range?.end ?? known.sizeBytes, known.sizeBytes);
    const pieces = this.#pieces(hash, range?.start ?? 0, end, signal);
    return ReadableStream.from(pieces) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  async *#pieces(
    hash: string,
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { againMs } = this.#client.timings;
    for (let at = start, cuts = 0; at < end;) {
      const headers = { range: `bytes=${at}-${end - 1}` };
      const before = at;
      try {
        const answer = await this.#explained(
          "read the file",
          () => this.#client.send({ method: "GET", key: this.#key(hash), headers, signal }),
        );
        for await (const piece of timely(answer.body, this.#client.timings.pieceMs, signal)) {
          at += piece.length;
          yield piece;
        }
        if (at < end) throw new Error(`the connection was cut after ${at - before} bytes`);
      } catch (error) {
        signal?.throwIfAborted();
        cuts = at > before ? 1 : cuts + 1;
        if (error instanceof AppError) throw error;
        if (cuts > againMs.length) throw this.#client.silent(error);
      }
    }
  }

  async #explained<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainRefusal(error, this.#place, what);
    }
  }
}

async function readFull(file: Deno.FsFile, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(bytes);
  for (let at = 0; at < bytes;) {
    const read = await file.read(buffer.subarray(at));
    if (read === null) throw new Error(`The file ended after ${at} of ${bytes} bytes`);
    at += read;
  }
  return buffer;
}

/** The pieces of a body; throws when none comes for `ms`. */
async function* timely(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  ms: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader();
  if (!reader) return;
  const stop = (reason: unknown) => void reader.cancel(reason).catch(() => {});
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        stop("late");
      }, ms);
      const { value, done } = await reader.read().finally(() => clearTimeout(timer));
      signal?.throwIfAborted();
      if (isLate) throw new Error(`nothing came for ${ms} ms`);
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await reader.cancel().catch(() => {});
  }
}
