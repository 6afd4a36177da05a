import { parseJson, toJson } from "#workers/engine/json_text.ts";

/** No request body may be larger: 100 MiB, as ComfyUI's default. */
export const MAX_BODY = 100 * 1024 * 1024;

/** Thrown while a request is handled: becomes the answer. */
export class Refusal extends Error {
  constructor(readonly status: number, message = "") {
    super(message);
  }
}

/** `value` as a JSON answer. */
export function json(value: unknown, status = 200): Response {
  return new Response(toJson(value), {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
  });
}

/** An answer without a body, as write routes give. */
export function empty(status = 200): Response {
  return new Response(null, { status });
}

/** What ComfyUI answers to anything it did not expect, e.g. malformed JSON. */
export function internalError(): Response {
  return new Response("500 Internal Server Error\n\nServer got itself in trouble", {
    status: 500,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}

/** The request's body, at most MAX_BODY bytes. Throws a Refusal 413 beyond that. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    // The rest is read and dropped: a client that is still sending would miss the answer.
    if (size <= MAX_BODY && announced <= MAX_BODY) chunks.push(chunk);
    else if (size > 4 * MAX_BODY) break;
  }
  if (size > MAX_BODY) {
    throw new Refusal(413, `Maximum request body size ${MAX_BODY} exceeded, actual body size ${size}`);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** The request's body as JSON, whatever its content type says. Throws a SyntaxError (answered with 500). */
export async function readJson(request: Request): Promise<unknown> {
  return parseJson(new TextDecoder().decode(await readBody(request)));
}
