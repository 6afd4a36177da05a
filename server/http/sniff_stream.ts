import { AppError } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { formatBytes } from "#server/core/units.ts";
import type { FileStore } from "#server/files/store.ts";
import { describeType, sniffBytes, type SniffedType } from "#workers/media/sniff.ts";

/** The largest file taken of each kind, in bytes; 0 refuses the kind. */
export interface UploadLimits {
  readonly image: number;
  readonly video: number;
  readonly audio: number;
  /** Documents, archives, models: all that is none of the above. */
  readonly other: number;
}

export const DEFAULT_UPLOAD_LIMITS: UploadLimits = {
  image: 512e6,
  video: 64e9,
  audio: 8e9,
  other: 64e9,
};

/** As many first bytes as the type is told from. */
export const HEAD_BYTES = 64 * 1024;

/** The media type of a file that starts with `head`. Throws AppError invalid, unsupported, too_large. */
export function checkContent(
  head: Uint8Array,
  sizeBytes: number | undefined,
  limits: UploadLimits,
): SniffedType {
  const { mediaType } = sniffBytes(head);
  if (mediaType === "application/x-empty") {
    throw new AppError("invalid", "Cannot take the file: it is empty; choose one with content", {
      fields: [{ field: "/body", message: "Must not be empty" }],
    });
  }
  const kind = mediaType.split("/")[0];
  const maxBytes = kind === "image" || kind === "video" || kind === "audio" ? limits[kind] : limits.other;
  if (maxBytes === 0) {
    throw new AppError(
      "unsupported",
      `Cannot take the file: it is ${describeType(mediaType)}, which is not taken here`,
    );
  }
  if (sizeBytes !== undefined && sizeBytes > maxBytes) throw tooLarge(describeType(mediaType), maxBytes);
  return mediaType;
}

/** The largest file of any kind. */
export function largestOf(limits: UploadLimits): number {
  return Math.max(limits.image, limits.video, limits.audio, limits.other);
}

export function tooLarge(what: string, maxBytes: number): AppError {
  return new AppError(
    "too_large",
    `Cannot take the file: ${what} may have at most ${formatBytes(maxBytes)}`,
    {
      details: { maxBytes },
    },
  );
}

/**
 * Stores a request's whole body, streamed, with the type its content shows. Cut short, too large or not of the
 * announced hash: an AppError, and nothing is kept.
 */
export async function storeBody(
  request: Request,
  store: FileStore,
  options: { readonly sha256?: string | undefined; readonly limits?: UploadLimits } = {},
): Promise<FileRef> {
  const limits = options.limits ?? DEFAULT_UPLOAD_LIMITS;
  const announced = request.headers.get("content-length");
  const sizeBytes = announced === null ? undefined : Number(announced);
  if (sizeBytes !== undefined && sizeBytes > largestOf(limits)) throw tooLarge("a file", largestOf(limits));
  const { head, stream } = await peek(
    request.body ?? new ReadableStream({ start: (c) => c.close() }),
    HEAD_BYTES,
  );
  try {
    const mediaType = checkContent(head, sizeBytes, limits);
    const kind = mediaType.split("/")[0];
    const maxBytes = kind === "image" || kind === "video" || kind === "audio" ? limits[kind] : limits.other;
    const expect = {
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(options.sha256 === undefined ? {} : { hash: options.sha256 }),
    };
    return await store.put(stream, mediaType, { expect, maxBytes });
  } catch (error) {
    await stream.cancel().catch(() => {});
    throw error;
  }
}

/** The first bytes of a stream (fewer only where it ends), and the same stream from its start. */
async function peek(
  source: ReadableStream<Uint8Array>,
  bytes: number,
): Promise<{ head: Uint8Array; stream: ReadableStream<Uint8Array> }> {
  const reader = source.getReader();
  const head = new Uint8Array(bytes);
  const seen: Uint8Array[] = [];
  let size = 0;
  while (size < bytes) {
    const { value, done } = await reader.read();
    if (done) break;
    head.set(value.subarray(0, bytes - size), Math.min(size, bytes));
    size += value.length;
    seen.push(value);
  }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const first = seen.shift();
      if (first) return controller.enqueue(first);
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return { head: head.subarray(0, Math.min(size, bytes)), stream };
}
