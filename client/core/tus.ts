import { ApiError, refusalOf } from "./call.ts";
import { defineWords } from "./words.ts";

const w = defineWords({
  en: {
    refused: "The studio refused the file ({status}): try again, or ask an admin for its log",
    silent: "The studio does not answer: the upload goes on by itself once it does",
  },
  de: {
    refused:
      "Das Studio hat die Datei abgewiesen ({status}): versuche es noch einmal, oder frage einen Admin",
    silent: "Das Studio antwortet nicht: das Hochladen geht von selbst weiter, sobald es das tut",
  },
});

const VERSION = "1.0.0";
const PATH = "/api/uploads";
/** One request at most: what a proxy may hold, and what is counted anew after a loss. */
const PART_BYTES = 64 * 1024 * 1024;

export interface Sent {
  /** Bytes that the browser has handed to the network; after a loss it starts again from what the studio has. */
  readonly sentBytes: number;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly progress?: (sent: Sent) => void;
}

/**
 * Sends a file by tus 1.0, from where the studio has it. `metadata.id` names the upload: asking again with the same
 * one goes on. Throws ApiError, with status 0 where the connection was lost, and the signal's reason when aborted.
 */
export async function sendUpload(
  file: Blob,
  metadata: Readonly<Record<string, string>> & { readonly id: string },
  { signal, progress }: SendOptions,
): Promise<void> {
  // For an upload that it knows the studio answers with how much it has.
  let offset = await begin(file, metadata, signal);
  progress?.({ sentBytes: offset });
  // The answer to the last bytes was missed: asking makes the studio finish, should it not have.
  if (offset === file.size) await ask(metadata.id, signal);
  while (offset < file.size) {
    const part = file.slice(offset, offset + PART_BYTES);
    const start = offset;
    offset = await sendPart(
      metadata.id,
      part,
      start,
      signal,
      (sent) => progress?.({ sentBytes: start + sent }),
    );
    progress?.({ sentBytes: offset });
  }
}

async function ask(id: string, signal: AbortSignal): Promise<void> {
  const answer = await request(`${PATH}/${id}`, { method: "HEAD", signal });
  if (!answer.ok) throw await refusal(answer);
}

async function begin(
  file: Blob,
  metadata: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number> {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key} ${toBase64(value)}`);
  const headers = { "upload-length": String(file.size), "upload-metadata": pairs.join(",") };
  const answer = await request(PATH, { method: "POST", headers, signal });
  if (!answer.ok) throw await refusal(answer);
  return readOffset(answer.headers.get("upload-offset"));
}

async function request(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, headers: { ...init.headers, "tus-resumable": VERSION } });
  } catch (error) {
    init.signal?.throwIfAborted();
    throw unreachable(error);
  }
}

/** By XMLHttpRequest: fetch tells nothing of how far it has sent. */
function sendPart(
  id: string,
  part: Blob,
  offset: number,
  signal: AbortSignal,
  progress: (sentBytes: number) => void,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const xhr = new XMLHttpRequest();
  xhr.open("PATCH", `${PATH}/${id}`);
  xhr.setRequestHeader("tus-resumable", VERSION);
  xhr.setRequestHeader("content-type", "application/offset+octet-stream");
  xhr.setRequestHeader("upload-offset", String(offset));
  xhr.upload.onprogress = ({ loaded }) => progress(Math.min(loaded, part.size));
  xhr.onerror = () => reject(unreachable());
  xhr.onload = () => {
    if (xhr.status < 300) resolve(readOffset(xhr.getResponseHeader("upload-offset")));
    else {
      refusal(new Response(xhr.responseText, { status: xhr.status, headers: requestIdOf(xhr) })).then(reject);
    }
  };
  const stop = () => xhr.abort();
  xhr.onabort = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) reject(signal.reason);
  else xhr.send(part);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

function requestIdOf(xhr: XMLHttpRequest): HeadersInit {
  return { "x-request-id": xhr.getResponseHeader("x-request-id") ?? "" };
}

async function refusal(answer: Response): Promise<ApiError> {
  const problem = await answer.json().catch(() => undefined);
  return await refusalOf(answer, problem, w("refused", { status: String(answer.status) }));
}

function unreachable(cause?: unknown): ApiError {
  const error = new ApiError(
    0,
    "unreachable",
    w("silent"),
  );
  error.cause = cause;
  return error;
}

function readOffset(text: string | null): number {
  const offset = Number(text ?? NaN);
  if (Number.isSafeInteger(offset)) return offset;
  throw new ApiError(0, "unreachable", "The studio's answer does not say how much of the file it has");
}

function toBase64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
