import { extname, join } from "@std/path/mod.js";
import type { App, HttpContext } from "./http_env.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/** A name with its content's hash in it, as the bundler makes them: "main-4F2K9QXA.js". */
const HASHED = /[.-][0-9A-Za-z]{8,}\.\w+$/;

/**
 * Serves the built client from `folder`: hashed names for good, the rest re-checked each time, and index.html
 * for every address that is a page of the client. Bind it last. Files are read from disk at each request, so a
 * new build shows without a restart.
 */
export function serveClient(app: App, folder: string): void {
  app.get("/*", async (context) => {
    const { path } = context.req;
    if (path.startsWith("/api/")) return context.notFound();
    const name = safeName(path);
    const isPage = name === "" || (name !== undefined && extname(name) === "");
    const found = name === undefined ? undefined : await openFile(folder, isPage ? "index.html" : name);
    return found ? fileResponse(context, found) : context.notFound();
  });
}

interface OpenedFile {
  readonly name: string;
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
}

function fileResponse(context: HttpContext, { name, file, info }: OpenedFile): Response {
  const etag = `W/"${info.size.toString(36)}-${(info.mtime?.getTime() ?? 0).toString(36)}"`;
  const headers = new Headers({
    "content-type": TYPES[extname(name)] ?? "application/octet-stream",
    "cache-control": HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
  });
  if (context.req.header("if-none-match") === etag) {
    file.close();
    return new Response(null, { status: 304, headers });
  }
  headers.set("content-length", String(info.size));
  if (context.req.method !== "HEAD") return new Response(file.readable, { headers });
  file.close();
  return new Response(null, { headers });
}

/** The path inside the folder, or undefined for anything that could lead out of it or to a hidden file. */
function safeName(path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const parts = decoded.split("/").filter((part) => part !== "");
  const isSafe = parts.every((part) => /^[\w@+~ -][\w@+~. -]*$/.test(part));
  return isSafe ? parts.join("/") : undefined;
}

async function openFile(folder: string, name: string): Promise<OpenedFile | undefined> {
  try {
    const file = await Deno.open(join(folder, name), { read: true });
    const info = await file.stat();
    if (info.isFile) return { name, file, info };
    file.close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return undefined;
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
