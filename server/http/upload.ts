import * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { endpoint } from "#server/core/endpoint.ts";
import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import type { FileStore } from "#server/files/store.ts";
import type { App, HttpContext } from "./http_env.ts";
import { problemOf } from "./on_error.ts";
import { serve } from "./serve.ts";
import {
  checkContent,
  DEFAULT_UPLOAD_LIMITS,
  HEAD_BYTES,
  largestOf,
  tooLarge,
  type UploadLimits,
} from "./sniff_stream.ts";
import { readChecksum, readCount, readMetadata } from "./tus_headers.ts";
import { ChecksumMismatch, type UploadFolder, type UploadRecord } from "./upload_folder.ts";

const VERSION = "1.0.0";
const EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration";
const OFFSET_TYPE = "application/offset+octet-stream";
const PATH = "/api/uploads";
const DAY_MS = 86_400_000;

const otherStatuses = { 412: "Tus-Resumable is missing or names another version than 1.0.0" };
const params = z.object({ uploadId: id("upload") });
const createUpload = endpoint({
  method: "POST",
  path: "/uploads",
  can: "asset.upload",
  summary:
    "Begin a resumable upload (tus 1.0): Upload-Length, Upload-Metadata; the body may bring the first bytes",
  raw: { body: OFFSET_TYPE },
  status: 201,
  otherStatuses: { ...otherStatuses, 460: "The bytes are not those of Upload-Checksum" },
});
const askUpload = endpoint({
  method: "HEAD",
  path: "/uploads/:uploadId",
  can: "asset.upload",
  summary: "Where a resumable upload stands: Upload-Offset",
  params,
  otherStatuses,
});
const continueUpload = endpoint({
  method: "PATCH",
  path: "/uploads/:uploadId",
  can: "asset.upload",
  summary: "Send more bytes of a resumable upload, from Upload-Offset on",
  params,
  raw: { body: OFFSET_TYPE },
  otherStatuses: { ...otherStatuses, 460: "The bytes are not those of Upload-Checksum" },
});
const cancelUpload = endpoint({
  method: "DELETE",
  path: "/uploads/:uploadId",
  can: "asset.upload",
  summary: "Give up a resumable upload and free what it holds",
  params,
  otherStatuses,
});

export interface StartedUpload {
  readonly actor: Actor;
  readonly name: string;
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface FinishedUpload extends StartedUpload {
  /** The upload's id, chosen by the sender when metadata held one: good as the asset's id. */
  readonly uploadId: string;
  readonly file: FileRef;
}

export interface UploadOptions {
  readonly uploads: UploadFolder;
  readonly store: FileStore;
  readonly limits?: UploadLimits;
  readonly maxOpenPerUser?: number;
  readonly keepMs?: number;
  readonly now?: () => Date;
  /** May refuse an upload before a byte is sent: no such project, no right to it. */
  readonly onStarted?: (upload: StartedUpload) => Promise<void>;
  /**
   * Takes the stored file over. May be called again for the same uploadId after a crash: it must then do
   * nothing new. When it throws, the sender is told, and asking again calls it again.
   */
  readonly onFinished: (upload: FinishedUpload) => Promise<void>;
}

/**
 * Resumable upload at `/api/uploads` by the tus protocol 1.0, so that any tus client works. Bytes go straight
 * to disk; the offset told is what is flushed. A sender goes on after lost connections, restarts and kills.
 * Written here rather than taken from @tus/server: that one answers in its own error shape and through Node's
 * streams, and what it would save is less than this file.
 */
export function serveUploads(app: App, options: UploadOptions): void {
  const protocol = new TusProtocol(options);
  app.use(`${PATH}/*`, tusHeaders);
  app.options(`${PATH}/*`, () => protocol.describe());
  serve(app, createUpload, ({ actor, context }) => protocol.create(actor, context));
  serve(app, askUpload, ({ actor, params, context }) => protocol.ask(actor, params.uploadId, context));
  serve(
    app,
    continueUpload,
    ({ actor, params, context }) => protocol.resume(actor, params.uploadId, context),
  );
  serve(app, cancelUpload, ({ actor, params, context }) => protocol.cancel(actor, params.uploadId, context));
}

async function tusHeaders(context: HttpContext, next: () => Promise<void>): Promise<void> {
  await next();
  context.res.headers.set("tus-resumable", VERSION);
}

class TusProtocol {
  readonly #options: UploadOptions;
  readonly #limits: UploadLimits;

  constructor(options: UploadOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_UPLOAD_LIMITS;
  }

  describe(): Response {
    return new Response(null, {
      status: 204,
      headers: {
        "tus-version": VERSION,
        "tus-extension": EXTENSIONS,
        "tus-max-size": String(largestOf(this.#limits)),
        "tus-checksum-algorithm": "sha1,sha256",
      },
    });
  }

  async create(actor: Actor, context: HttpContext): Promise<Response> {
    const wrongVersion = refuseVersion(context);
    if (wrongVersion) return wrongVersion;
    const { uploads, onStarted, now = () => new Date(), keepMs = 7 * DAY_MS, maxOpenPerUser = 200 } =
      this.#options;
    const sizeBytes = readCount(context, "upload-length");
    if (sizeBytes > largestOf(this.#limits)) throw tooLarge("a file", largestOf(this.#limits));
    if (sizeBytes === 0) checkContent(new Uint8Array(), 0, this.#limits);
    const { uploadId, name, metadata } = readMetadata(context.req.header("upload-metadata") ?? "");

    const known = uploads.find(uploadId);
    if (known && (known.ownerId !== actor.userId || known.sizeBytes !== sizeBytes)) {
      throw new AppError("conflict", "Cannot begin this upload: its id is in use; make a new id");
    }
    if (!known) {
      await uploads.sweep(now());
      if (uploads.countOpen(actor.userId) >= maxOpenPerUser) {
        throw new AppError(
          "limited",
          `Cannot begin more than ${maxOpenPerUser} uploads at once: finish or cancel some`,
        );
      }
      await onStarted?.({ actor, name, sizeBytes, metadata });
      const expiresAt = new Date(now().getTime() + keepMs).toISOString();
      const fresh = { id: uploadId, ownerId: actor.userId, name, sizeBytes, metadata, expiresAt, offset: 0 };
      await uploads.create({ ...fresh, isDone: false });
    }
    const headers = { location: `${PATH}/${uploadId}` };
    const hasBody = context.req.header("content-type")?.startsWith(OFFSET_TYPE) ?? false;
    if (!hasBody || known) return this.#answer(201, this.#open(actor, uploadId), headers);
    return await uploads.exclusively(
      uploadId,
      (signal) => this.#take(actor, uploadId, context, signal, 201, headers),
    );
  }

  async ask(actor: Actor, uploadId: string, context: HttpContext): Promise<Response> {
    const wrongVersion = refuseVersion(context);
    if (wrongVersion) return wrongVersion;
    this.#open(actor, uploadId);
    return await this.#options.uploads.exclusively(uploadId, async () => {
      // The sender may have missed the answer to its last bytes, and will send no more.
      const record = await this.#finish(actor, this.#open(actor, uploadId));
      return this.#answer(200, record, {
        "upload-length": String(record.sizeBytes),
        "cache-control": "no-store",
      });
    });
  }

  async resume(actor: Actor, uploadId: string, context: HttpContext): Promise<Response> {
    const wrongVersion = refuseVersion(context);
    if (wrongVersion) return wrongVersion;
    this.#open(actor, uploadId);
    if (!context.req.header("content-type")?.startsWith(OFFSET_TYPE)) {
      throw new AppError("unsupported", `Cannot read these bytes: send them as ${OFFSET_TYPE}`);
    }
    const offset = readCount(context, "upload-offset");
    return await this.#options.uploads.exclusively(uploadId, async (signal) => {
      const record = this.#open(actor, uploadId);
      if (offset !== record.offset) {
        throw new AppError("conflict", `Cannot go on from byte ${offset}: ask by HEAD and go on from there`, {
          details: { offset: record.offset },
        });
      }
      return await this.#take(actor, uploadId, context, signal, 204);
    });
  }

  async cancel(actor: Actor, uploadId: string, context: HttpContext): Promise<Response> {
    const wrongVersion = refuseVersion(context);
    if (wrongVersion) return wrongVersion;
    this.#open(actor, uploadId);
    const { uploads } = this.#options;
    await uploads.exclusively(uploadId, () => uploads.remove(uploadId));
    return new Response(null, { status: 204 });
  }

  /** The upload, if it is the actor's and not yet expired. */
  #open(actor: Actor, uploadId: string): UploadRecord {
    const { uploads, now = () => new Date() } = this.#options;
    const record = uploads.find(uploadId);
    if (!record || record.ownerId !== actor.userId) {
      throw new AppError(
        "not_found",
        "Cannot find the upload: it was cancelled or never begun; begin a new one",
      );
    }
    if (new Date(record.expiresAt) < now()) {
      throw new AppError("gone", "Cannot go on with the upload: it was left too long; begin a new one");
    }
    return record;
  }

  /** Takes the request's bytes, and finishes when they were the last. */
  async #take(
    actor: Actor,
    uploadId: string,
    context: HttpContext,
    signal: AbortSignal,
    status: number,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const { uploads } = this.#options;
    const record = this.#open(actor, uploadId);
    const left = record.sizeBytes - record.offset;
    if (Number(context.req.header("content-length") ?? 0) > left) {
      throw new AppError(
        "too_large",
        `Cannot take these bytes: only ${left} of the announced length are left`,
      );
    }
    const body = context.req.raw.body;
    const checksum = readChecksum(context.req.header("upload-checksum"));
    try {
      const taken = body && left > 0 ? await uploads.append(record, body, signal, checksum) : record;
      if (record.offset < HEAD_BYTES) await this.#checkHead(taken);
      return this.#answer(status, await this.#finish(actor, taken), headers);
    } catch (error) {
      if (!(error instanceof ChecksumMismatch)) throw error;
      return refuse(
        context,
        460,
        "Cannot keep these bytes: they are not those of Upload-Checksum; send them again",
      );
    }
  }

  /** Refuses a file as soon as its first bytes show that it won't be taken, and forgets it. */
  async #checkHead(record: UploadRecord): Promise<string | undefined> {
    if (record.file || (record.offset < HEAD_BYTES && record.offset < record.sizeBytes)) return undefined;
    const { uploads } = this.#options;
    const head = await readHead(uploads.bytesPath(record.id));
    try {
      return checkContent(head, record.sizeBytes, this.#limits);
    } catch (error) {
      await uploads.remove(record.id);
      throw error;
    }
  }

  /** Stores and hands over a complete upload; does nothing to one that is incomplete or done. */
  async #finish(actor: Actor, record: UploadRecord): Promise<UploadRecord> {
    if (record.isDone || record.offset < record.sizeBytes) return record;
    const stored = record.file ? record : await this.#store(record);
    const { uploads, onFinished } = this.#options;
    const { id: uploadId, name, sizeBytes, metadata, file } = stored;
    if (file) await onFinished({ actor, uploadId, name, sizeBytes, metadata, file });
    const done = { ...stored, isDone: true };
    await uploads.save(done);
    return done;
  }

  async #store(record: UploadRecord): Promise<UploadRecord> {
    const { uploads, store } = this.#options;
    const mediaType = await this.#checkHead(record) ?? "application/octet-stream";
    const { sha256 } = record.metadata;
    const expect = { sizeBytes: record.sizeBytes, ...(sha256 ? { hash: sha256 } : {}) };
    try {
      const file = await store.put({ path: uploads.bytesPath(record.id), take: true }, mediaType, { expect });
      const stored = { ...record, file };
      await uploads.save(stored);
      return stored;
    } catch (error) {
      // The bytes are not those announced: no continuation can mend that.
      if (error instanceof AppError && error.code === "conflict") await uploads.remove(record.id);
      throw error;
    }
  }

  #answer(status: number, record: UploadRecord, headers: Record<string, string> = {}): Response {
    const expires = new Date(record.expiresAt).toUTCString();
    return new Response(null, {
      status,
      headers: {
        "upload-offset": String(record.offset),
        "upload-expires": expires,
        ...(record.file ? { "upload-sha256": record.file.hash } : {}),
        ...headers,
      },
    });
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path, { read: true });
  const head = new Uint8Array(HEAD_BYTES);
  let size = 0;
  while (size < HEAD_BYTES) {
    const read = await file.read(head.subarray(size));
    if (read === null) break;
    size += read;
  }
  return head.subarray(0, size);
}

function refuseVersion(context: HttpContext): Response | undefined {
  if (context.req.header("tus-resumable") === VERSION) return undefined;
  const answer = refuse(context, 412, `Cannot speak this version of tus: send Tus-Resumable: ${VERSION}`);
  answer.headers.set("tus-version", VERSION);
  return answer;
}

/** Problem details with a status that only the tus protocol knows. */
function refuse(context: HttpContext, status: 412 | 460, message: string): Response {
  const problem = problemOf(
    new AppError(status === 460 ? "conflict" : "invalid", message),
    context.var.requestId,
  );
  return new Response(JSON.stringify({ ...problem, status }), {
    status,
    headers: { "content-type": "application/problem+json; charset=utf-8" },
  });
}
