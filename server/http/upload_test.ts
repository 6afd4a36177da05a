import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert/mod.js";
import { dirname, fromFileUrl, join } from "@std/path/mod.js";
import { newId } from "#server/core/id.ts";
import { until } from "#server/testing/until.ts";
import { openUploadFolder } from "./upload_folder.ts";
import { serveForTest } from "./upload_child.ts";

const CHILD = join(dirname(fromFileUrl(import.meta.url)), "upload_child.ts");

interface Sender {
  readonly folder: string;
  readonly origin: string;
  send(method: string, path: string, headers?: Record<string, string>, body?: BodyInit): Promise<Response>;
  begin(
    bytes: Uint8Array,
    metadata?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<string>;
  patch(path: string, offset: number, body: BodyInit, headers?: Record<string, string>): Promise<Response>;
  offset(path: string): Promise<number>;
}

function senderTo(folder: string, origin: string): Sender {
  const send = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body: BodyInit | null = null,
  ) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      body,
      headers: { "tus-resumable": "1.0.0", ...headers },
    });
    const text = await response.arrayBuffer();
    return new Response(text.byteLength > 0 ? text : null, response);
  };
  const patch = (path: string, offset: number, body: BodyInit, headers: Record<string, string> = {}) =>
    send("PATCH", path, {
      "upload-offset": String(offset),
      "content-type": "application/offset+octet-stream",
      ...headers,
    }, body);
  return {
    folder,
    origin,
    send,
    patch,
    async begin(bytes, metadata = { filename: "a.bin" }, headers = {}) {
      const pairs = Object.entries(metadata).map(([key, value]) =>
        `${key} ${new TextEncoder().encode(value).toBase64()}`
      );
      const response = await send("POST", "/api/uploads", {
        "upload-length": String(bytes.length),
        "upload-metadata": pairs.join(","),
        ...headers,
      });
      assertEquals(response.status, 201, await response.text());
      return response.headers.get("location") ?? "";
    },
    async offset(path) {
      return Number((await send("HEAD", path)).headers.get("upload-offset"));
    },
  };
}

async function withUploads(run: (sender: Sender) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "upload" });
  try {
    await using server = await serveForTest(folder);
    await run(senderTo(folder, `http://127.0.0.1:${server.addr.port}`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function noise(bytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(out.subarray(at, at + 65_536));
  // Not text, not a known header.
  out[0] = 0;
  return out;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);

async function finished(
  folder: string,
): Promise<{ uploadId: string; name: string; file: { hash: string; mediaType: string } }[]> {
  const text = await Deno.readTextFile(join(folder, "finished")).catch(() => "");
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

Deno.test("serveUploads() takes a file in parts and hands it over once, by content, under its plain name", async () => {
  await withUploads(async (sender) => {
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...noise(100_000)]);
    const id = newId<"asset">();
    const path = await sender.begin(png, {
      filename: "C:\\photos\\Zoë.txt",
      id,
      sha256: sha256(png),
      projectId: "p",
    });
    assertEquals(path, `/api/uploads/${id}`);
    const first = await sender.patch(path, 0, png.slice(0, 40_000));
    assertEquals([first.status, first.headers.get("upload-offset")], [204, "40000"]);
    assert(new Date(first.headers.get("upload-expires") ?? 0) > new Date());
    assertEquals((await sender.patch(path, 30_000, png.slice(30_000))).status, 409);
    assertEquals(await sender.offset(path), 40_000);
    const last = await sender.patch(path, 40_000, png.slice(40_000));
    assertEquals([last.status, last.headers.get("upload-sha256")], [204, sha256(png)]);
    const file = { hash: sha256(png), sizeBytes: png.length, mediaType: "image/png" };
    assertEquals(
      await finished(sender.folder),
      [{ uploadId: id, name: "Zoë.txt", file, projectId: "p" }] as never,
    );
    const again = await sender.send("HEAD", path);
    assertEquals([again.headers.get("upload-offset"), again.headers.get("upload-length")], [
      "100008",
      "100008",
    ]);
    assertEquals((await finished(sender.folder)).length, 1);
    assertEquals(await sender.begin(png, { id }), path);
  });
});

Deno.test("serveUploads() takes the first bytes with the creation", async () => {
  await withUploads(async (sender) => {
    const bytes = noise(5000);
    const headers = { "upload-length": "5000", "content-type": "application/offset+octet-stream" };
    const whole = await sender.send("POST", "/api/uploads", headers, bytes);
    assertEquals([whole.status, whole.headers.get("upload-offset")], [201, "5000"]);
    const part = await sender.send("POST", "/api/uploads", headers, bytes.slice(0, 10));
    assertEquals([part.status, part.headers.get("upload-offset")], [201, "10"]);
    assertEquals((await finished(sender.folder)).map(({ file }) => file.hash), [sha256(bytes)]);
  });
});

Deno.test("serveUploads() stores nothing of a wrong hash, a refused kind, too large or empty a file", async () => {
  await withUploads(async (sender) => {
    const bytes = noise(1000);
    const wrong = await sender.begin(bytes, { sha256: "0".repeat(64) });
    assertEquals((await sender.patch(wrong, 0, bytes)).status, 409);
    assertEquals((await sender.send("HEAD", wrong)).status, 404);
    const video = new Uint8Array([0, 0, 0, 24, ...new TextEncoder().encode("ftypmp42"), ...noise(500)]);
    assertEquals((await sender.patch(await sender.begin(video), 0, video)).status, 415);
    const image = new Uint8Array(1_000_001);
    image.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const large = await sender.begin(image);
    assertEquals((await sender.patch(large, 0, image.slice(0, 70_000))).status, 413);
    assertEquals((await sender.send("HEAD", large)).status, 404);
    assertEquals((await sender.send("POST", "/api/uploads", { "upload-length": "0" })).status, 400);
    assertEquals((await sender.send("POST", "/api/uploads", { "upload-length": "64000001" })).status, 413);
    const more = await sender.begin(bytes);
    assertEquals((await sender.patch(more, 0, noise(1001))).status, 413);
    assertEquals(await sender.offset(more), 0);
    assertEquals(await finished(sender.folder), []);
    assertEquals(await names(join(sender.folder, "store")), ["incoming"]);
    assertEquals((await names(join(sender.folder, "uploads"))).length, 2);
  });
});

Deno.test("serveUploads() drops a part whose checksum is wrong and keeps one whose checksum is right", async () => {
  await withUploads(async (sender) => {
    const bytes = noise(1000);
    const path = await sender.begin(bytes);
    const digest = (algorithm: string) => createHash(algorithm).update(bytes.slice(0, 600)).digest("base64");
    const wrong = await sender.patch(path, 0, bytes.slice(0, 500), {
      "upload-checksum": `sha256 ${digest("sha256")}`,
    });
    assertEquals([wrong.status, (await wrong.json()).status], [460, 460]);
    assertEquals(await sender.offset(path), 0);
    const right = await sender.patch(path, 0, bytes.slice(0, 600), {
      "upload-checksum": `sha1 ${digest("sha1")}`,
    });
    assertEquals([right.status, await sender.offset(path)], [204, 600]);
    assertEquals(
      (await sender.patch(path, 600, bytes.slice(600), { "upload-checksum": "md5 x" })).status,
      400,
    );
  });
});

Deno.test("serveUploads() shows an upload to its owner only, counts, cancels, and speaks tus", async () => {
  await withUploads(async (sender) => {
    const bytes = noise(1000);
    const path = await sender.begin(bytes);
    const stranger = {
      "x-user": "u2",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    };
    for (const method of ["HEAD", "PATCH", "DELETE"]) {
      assertEquals((await sender.send(method, path, stranger)).status, 404);
    }
    await sender.begin(bytes);
    await sender.begin(bytes);
    assertEquals((await sender.send("POST", "/api/uploads", { "upload-length": "5" })).status, 429);
    assertEquals((await sender.send("DELETE", path)).status, 204);
    assertEquals((await sender.send("HEAD", path)).status, 404);
    assertEquals((await sender.send("POST", "/api/uploads", { "upload-length": "5" })).status, 201);
    const options = await sender.send("OPTIONS", "/api/uploads");
    assertEquals([options.status, options.headers.get("tus-version"), options.headers.get("tus-resumable")], [
      204,
      "1.0.0",
      "1.0.0",
    ]);
    const old = await sender.send("POST", "/api/uploads", { "upload-length": "5", "tus-resumable": "0.2.2" });
    assertEquals([old.status, old.headers.get("tus-version")], [412, "1.0.0"]);
    for (const header of ["id bm9uc2Vuc2U=", "sha256 bm9uc2Vuc2U=", "a b c!", "ключ eA=="]) {
      const refused = await fetch(`${sender.origin}/api/uploads`, {
        method: "POST",
        headers: {
          "tus-resumable": "1.0.0",
          "upload-length": "5",
          "upload-metadata": encodeURI(header).replaceAll("%20", " "),
        },
      });
      await refused.body?.cancel();
      assertEquals(refused.status, 400, header);
    }
  });
});

Deno.test("serveUploads() hands over again when the first handing over failed, without new bytes", async () => {
  await withUploads(async (sender) => {
    const bytes = noise(1000);
    const path = await sender.begin(bytes, { fail: "once" });
    assertEquals((await sender.patch(path, 0, bytes)).status, 500);
    assertEquals(await finished(sender.folder), []);
    assertEquals(await sender.offset(path), 1000);
    assertEquals((await finished(sender.folder)).map(({ file }) => file.hash), [sha256(bytes)]);
  });
});

Deno.test("a newer request takes an upload over from a connection that hangs", async () => {
  await withUploads(async (sender) => {
    const bytes = noise(50_000);
    const path = await sender.begin(bytes);
    const hung = Promise.withResolvers<void>();
    const hanging = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes.slice(0, 20_000)),
      pull: () => hung.promise,
    }, { highWaterMark: 0 });
    const stuck = sender.patch(path, 0, hanging).catch((error) => error);
    const onDisk = join(sender.folder, "uploads", `${path.slice(path.lastIndexOf("/") + 1)}.bytes`);
    await until("what was sent is on disk", async () => (await Deno.stat(onDisk)).size >= 20_000);
    const offset = await sender.offset(path);
    assertEquals(offset, 20_000);
    const result = await stuck;
    hung.reject(new Error("the cable was pulled"));
    assert(result instanceof Error || result.status === 409);
    assertEquals((await sender.patch(path, 20_000, bytes.slice(20_000))).status, 204);
    assertEquals((await finished(sender.folder)).map(({ file }) => file.hash), [sha256(bytes)]);
  });
});

Deno.test("an upload goes on after kill -9 of the server, from what was flushed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "upload" });
  const bytes = noise(40_000_000);
  const start = async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", CHILD, folder],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const origin = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
    const kill = async () => {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      await child.stdin.close().catch(() => {});
    };
    return { sender: senderTo(folder, origin), kill };
  };
  try {
    let { sender, kill } = await start();
    const path = await sender.begin(bytes, { sha256: sha256(bytes) });
    await sender.patch(path, 0, bytes.slice(0, 1_000_000));
    let sent = 1_000_000;
    const dying = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(bytes.slice(sent, sent + 1_000_000));
        sent += 1_000_000;
        if (sent === 30_000_000) await kill();
      },
    });
    await sender.patch(path, 1_000_000, dying).catch(() => {});
    ({ sender, kill } = await start());
    const offset = await sender.offset(path);
    assert(offset >= 1_000_000 && offset < 30_000_000, String(offset));
    assertEquals((await sender.patch(path, offset, bytes.slice(offset))).status, 204);
    assertEquals((await finished(folder)).map(({ file }) => file.hash), [sha256(bytes)]);
    await kill();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openUploadFolder() removes what expired, is unreadable or belongs to nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "upload" });
  try {
    const uploads = await openUploadFolder(folder);
    const record = { ownerId: "u", name: "a", sizeBytes: 10, metadata: {}, offset: 0, isDone: false };
    await uploads.create({ ...record, id: "old", expiresAt: "2020-01-01T00:00:00.000Z" });
    await uploads.create({ ...record, id: "new", expiresAt: "2999-01-01T00:00:00.000Z" });
    await uploads.create({ ...record, id: "gone", offset: 10, expiresAt: "2999-01-01T00:00:00.000Z" });
    await Deno.writeTextFile(join(folder, "broken.json"), "{");
    await Deno.writeTextFile(join(folder, "stray.bytes"), "x");
    await Deno.writeTextFile(join(folder, "new.json.part"), "x");
    await Deno.remove(uploads.bytesPath("gone"));
    const again = await openUploadFolder(folder);
    assertEquals([again.find("old"), again.find("new")?.offset, again.find("gone")?.offset], [
      undefined,
      0,
      0,
    ]);
    assertEquals((await names(folder)).sort(), ["gone.json", "new.bytes", "new.json"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
