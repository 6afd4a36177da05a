/** A file to be sent: its stream is read once. */
export interface UploadFile {
  readonly name: string;
  readonly stream: ReadableStream<Uint8Array>;
}

/** The whole body, or undefined when it is longer than `maxBytes`; then the rest is not read. */
export async function readCapped(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) return undefined; // leaving the loop cancels the stream
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Calls `onStall` once when it is not touched for `ms`. */
export class StallTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  constructor(readonly ms: number, readonly onStall: () => void) {}

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.onStall, this.ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** The same stream; `onChunk` is told whenever the reader asks for more. */
export function tapBody(body: ReadableStream<Uint8Array>, onChunk: () => void): ReadableStream<Uint8Array> {
  const tap = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      onChunk();
      controller.enqueue(chunk);
    },
  });
  return body.pipeThrough(tap);
}

/**
 * The same stream, which trips `stall` when no chunk comes, and fails when it ends at another length than
 * `length`. Failures are those that `broken` makes of them.
 */
export function watchBody(
  body: ReadableStream<Uint8Array>,
  stall: StallTimer,
  broken: (problem: unknown) => unknown,
  length?: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let seen = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      stall.touch();
      const { done, value } = await reader.read().catch((problem) => {
        throw broken(problem);
      }).finally(() => stall.stop());
      if (!done) {
        seen += value.length;
        return controller.enqueue(value);
      }
      if (length !== undefined && seen !== length) {
        throw broken(new Error(`Cannot read on: the file broke off after ${seen} of ${length} bytes`));
      }
      controller.close();
    },
    cancel: (reason) => {
      stall.stop();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** A multipart body of text fields and one file, streamed: no file is held in memory. */
export function multipart(
  fields: Readonly<Record<string, string>>,
  part: string,
  file: UploadFile,
): { readonly body: ReadableStream<Uint8Array>; readonly contentType: string } {
  const boundary = `seedloop-${crypto.randomUUID()}`;
  const text = new TextEncoder();
  const disposition = (name: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`;
  const head =
    Object.entries(fields).map(([name, value]) => `${disposition(name)}\r\n\r\n${value}\r\n`).join("") +
    `${disposition(part)}; filename="${file.name.replaceAll('"', "_")}"\r\n` +
    "Content-Type: application/octet-stream\r\n\r\n";
  const body = ReadableStream.from(async function* () {
    yield text.encode(head);
    yield* file.stream;
    yield text.encode(`\r\n--${boundary}--\r\n`);
  }());
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}
