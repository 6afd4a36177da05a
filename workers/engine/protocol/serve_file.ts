import { empty } from "./http.ts";

/** A file with ETag, Last-Modified and byte ranges: 206 for a part, 304 when the client has it, 416 beyond its end. */
export async function serveFile(
  request: Request,
  path: string,
  stat: Deno.FileInfo,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const modified = stat.mtime ?? new Date(0);
  const etag = `"${modified.getTime().toString(16)}-${stat.size.toString(16)}"`;
  const common = { ...headers, etag, "last-modified": modified.toUTCString(), "accept-ranges": "bytes" };
  if (isFresh(request.headers, etag, modified)) return new Response(null, { status: 304, headers: common });
  const range = readRange(request.headers, stat.size, etag);
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${stat.size}` } });
  }
  const { start, end } = range ?? { start: 0, end: stat.size };
  const status = range ? 206 : 200;
  const sized: Record<string, string> = { ...common, "content-length": String(end - start) };
  if (range) sized["content-range"] = `bytes ${start}-${end - 1}/${stat.size}`;
  if (request.method === "HEAD") return new Response(null, { status, headers: sized });
  const body = await openRange(path, start, end);
  return body ? new Response(body, { status, headers: sized }) : empty(404);
}

function isFresh(headers: Headers, etag: string, modified: Date): boolean {
  const match = headers.get("if-none-match");
  if (match !== null) return match === "*" || match.split(",").some((tag) => tag.trim() === etag);
  const since = headers.get("if-modified-since");
  return since !== null && Math.floor(modified.getTime() / 1000) * 1000 <= Date.parse(since);
}

function readRange(
  headers: Headers,
  size: number,
  etag: string,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.get("range")?.trim() ?? "");
  const condition = headers.get("if-range");
  if (!match || (match[1] === "" && match[2] === "") || (condition !== null && condition !== etag)) {
    return undefined;
  }
  const [, first = "", last = ""] = match;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return start >= end ? "unsatisfiable" : { start, end };
}

async function openRange(
  path: string,
  start: number,
  end: number,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const file = await Deno.open(path).catch(() => undefined);
  if (!file) return undefined;
  await file.seek(start, Deno.SeekMode.Start);
  let left = end - start;
  return file.readable.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.length > left ? chunk.subarray(0, left) : chunk);
        left -= Math.min(left, chunk.length);
        if (left === 0) controller.terminate();
      },
    }),
  );
}
