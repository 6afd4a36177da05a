import { AppError } from "#server/core/errors.ts";
import type { FileStore } from "#server/files/store.ts";

export interface StoredFileAnswer {
  readonly hash: string;
  readonly mediaType: string;
  /** Name to save under; the hash when there is none. */
  readonly fileName?: string;
  /** Ask for a download even of what a browser could show. */
  readonly asDownload?: boolean;
}

/** What a browser may show from the studio's own origin. Not SVG, HTML or PDF: they can hold script. */
const SHOWN = /^(?:image\/(?:png|jpeg|webp|gif|avif)|(?:video|audio)\/[\w.+-]+)$/;
const IMMUTABLE = "private, max-age=31536000, immutable";

/**
 * A stored file as an answer to GET or HEAD: ETag is its hash, it is cached for good, one range is honoured, and
 * it can't run as a page whatever it holds. Several ranges at once get the whole file, as RFC 9110 allows.
 */
export async function serveFile(
  request: Request,
  store: FileStore,
  file: StoredFileAnswer,
): Promise<Response> {
  const sizeBytes = await store.size(file.hash);
  if (sizeBytes === undefined) {
    throw new AppError("not_found", "Cannot read the file: it is not in the store", {
      details: { hash: file.hash },
    });
  }
  const etag = `"${file.hash}"`;
  const headers = fileHeaders(file, etag);
  if (matches(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }

  const ifRange = request.headers.get("if-range");
  const wantsRange = ifRange === null || ifRange === etag;
  const range = wantsRange ? parseRange(request.headers.get("range"), sizeBytes) : undefined;
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${sizeBytes}`);
    headers.delete("content-disposition");
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  headers.set("content-length", String(end - start));
  if (range) headers.set("content-range", `bytes ${start}-${end - 1}/${sizeBytes}`);
  const body = request.method === "HEAD" ? null : await store.read(file.hash, range);
  return new Response(body, { status: range ? 206 : 200, headers });
}

function fileHeaders(file: StoredFileAnswer, etag: string): Headers {
  const isShown = SHOWN.test(file.mediaType) && !file.asDownload;
  return new Headers({
    "content-type": file.mediaType,
    "content-disposition": contentDisposition(isShown ? "inline" : "attachment", file.fileName ?? file.hash),
    "cache-control": IMMUTABLE,
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    etag,
  });
}

/** Bytes [start, end) that a Range header asks for; undefined when it asks for the whole, or in words unknown. */
export function parseRange(
  header: string | null,
  sizeBytes: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const suffix = Math.min(Number(match[2]), sizeBytes);
    return suffix === 0 ? "unsatisfiable" : { start: sizeBytes - suffix, end: sizeBytes };
  }
  const start = Number(match[1]);
  const last = match[2] === "" ? sizeBytes - 1 : Number(match[2]);
  if (last < start && match[2] !== "") return start >= sizeBytes ? "unsatisfiable" : undefined;
  if (start >= sizeBytes) return "unsatisfiable";
  return { start, end: Math.min(last + 1, sizeBytes) };
}

/** A Content-Disposition by RFC 6266: an ASCII name for old readers, the true one in UTF-8. */
export function contentDisposition(kind: "inline" | "attachment", fileName: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must not get into a header
  const name = fileName.replaceAll(/[\u0000-\u001f\u007f]/g, "").replaceAll(/[/\\]/g, "_").toWellFormed();
  const ascii = name.replaceAll(/[^\x20-\x7e]/g, "_").replaceAll(/["%]/g, "_");
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"${ascii === name ? "" : `; filename*=UTF-8''${encoded}`}`;
}

function matches(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.trim() === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
