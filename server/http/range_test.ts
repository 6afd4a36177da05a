import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as fc from "fast-check";
import { AppError } from "#server/core/errors.ts";
import { type LocalStore, openLocalStore } from "#server/files/local_store.ts";
import { createApp } from "./create_app.ts";
import { contentDisposition, parseRange, serveFile } from "./range.ts";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251);

async function withStored(run: (store: LocalStore, hash: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "range" });
  try {
    const store = await openLocalStore(folder);
    await run(store, (await store.put(BYTES, "video/mp4")).hash);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("serveFile() answers whole, in part, by HEAD, and from the browser's own copy, over a real socket", async () => {
  await withStored(async (store, hash) => {
    const app = createApp();
    app.get("/api/file", (context) => serveFile(context.req.raw, store, { hash, mediaType: "video/mp4" }));
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
    const url = `http://127.0.0.1:${server.addr.port}/api/file`;
    const get = async (headers: Record<string, string> = {}, method = "GET") => {
      const response = await fetch(url, { method, headers });
      return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
    };
    const whole = await get();
    assertEquals([whole.response.status, whole.bytes.length], [200, BYTES.length]);
    assertEquals(whole.bytes, BYTES);
    assertEquals(whole.response.headers.get("cache-control"), "private, max-age=31536000, immutable");
    assertEquals(whole.response.headers.get("content-security-policy"), "sandbox; default-src 'none'");
    const etag = whole.response.headers.get("etag") ?? "";
    assertEquals(etag, `"${hash}"`);

    const part = await get({ range: "bytes=1000-200999" });
    assertEquals([part.response.status, part.response.headers.get("content-range")], [
      206,
      "bytes 1000-200999/300000",
    ]);
    assertEquals(part.bytes, BYTES.slice(1000, 201_000));
    assertEquals((await get({ range: "bytes=-10" })).bytes, BYTES.slice(-10));
    assertEquals((await get({ range: "bytes=0-0", "if-range": '"other"' })).response.status, 200);
    assertEquals((await get({ range: "bytes=0-0", "if-range": etag })).response.status, 206);
    assertEquals((await get({ range: "bytes=0-0,5-9" })).response.status, 200);

    const past = await get({ range: "bytes=300000-" });
    assertEquals([past.response.status, past.response.headers.get("content-range")], [416, "bytes */300000"]);
    const head = await get({}, "HEAD");
    assertEquals([head.response.status, head.response.headers.get("content-length"), head.bytes.length], [
      200,
      "300000",
      0,
    ]);
    assertEquals((await get({ "if-none-match": `W/"x", ${etag}` })).response.status, 304);
  });
});

Deno.test("serveFile() shows only what can't run, and refuses what is not stored", async () => {
  await withStored(async (store, hash) => {
    const disposition = async (mediaType: string, asDownload = false) =>
      (await serveFile(new Request("http://x/", { method: "HEAD" }), store, { hash, mediaType, asDownload }))
        .headers.get("content-disposition")?.split(";")[0];
    assertEquals(await disposition("video/mp4"), "inline");
    assertEquals(await disposition("image/png", true), "attachment");
    for (const type of ["image/svg+xml", "text/html", "application/pdf", "text/xml"]) {
      assertEquals(await disposition(type), "attachment");
    }
    const missing = { hash: "0".repeat(64), mediaType: "video/mp4" };
    const error = await assertRejects(() => serveFile(new Request("http://x/"), store, missing), AppError);
    assertEquals(error.code, "not_found");
  });
});

Deno.test("parseRange never leaves the file", () => {
  const text = fc.oneof(
    fc.string(),
    fc.tuple(fc.option(fc.nat(400)), fc.option(fc.nat(400))).map(([a, b]) => `bytes=${a ?? ""}-${b ?? ""}`),
  );
  fc.assert(fc.property(text, fc.nat(300), (header, size) => {
    const range = parseRange(header, size);
    if (typeof range !== "object") return true;
    return range.start >= 0 && range.start < range.end && range.end <= size;
  }));
  assertEquals(parseRange("bytes=0-", 10), { start: 0, end: 10 });
  assertEquals(parseRange("bytes=5-2", 10), undefined);
  assertEquals(parseRange("bytes=-0", 10), "unsatisfiable");
  assertEquals(parseRange("bytes=0-5", 0), "unsatisfiable");
});

Deno.test("contentDisposition is one header line for any name, and keeps the true one", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => {
    const value = contentDisposition("attachment", name);
    new Headers({ "content-disposition": value });
    return /^attachment; filename="[^"\\]*"(?:; filename\*=UTF-8''[\w.!~%-]*)?$/.test(value);
  }));
  assertEquals(contentDisposition("attachment", "a.mp4"), 'attachment; filename="a.mp4"');
  assertEquals(
    contentDisposition("inline", 'Zoë "x".png'),
    `inline; filename="Zo_ _x_.png"; filename*=UTF-8''Zo%C3%AB%20%22x%22.png`,
  );
  assertEquals(contentDisposition("inline", "a\r\nset-cookie: x"), 'inline; filename="aset-cookie: x"');
  assert(!contentDisposition("inline", "../../etc/passwd").includes("/etc"));
});
