import { createHash } from "node:crypto";
import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { AppError } from "#server/core/errors.ts";
import { type LocalStore, openLocalStore } from "#server/files/local_store.ts";
import { storeBody } from "./sniff_stream.ts";

const LIMITS = { image: 200_000, video: 0, audio: 10, other: 1_000_000 };
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

async function withStore(run: (store: LocalStore) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "body" });
  try {
    await run(await openLocalStore(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const post = (body: BodyInit, headers: Record<string, string> = {}) =>
  new Request("http://x/", { method: "POST", body, headers });

const left = async (store: LocalStore) =>
  (await Array.fromAsync(Deno.readDir(store.root))).length - 1 +
  (await Array.fromAsync(Deno.readDir(`${store.root}/incoming`))).length;

Deno.test("storeBody() stores the whole body under the type that its content shows", async () => {
  await withStore(async (store) => {
    const bytes = new Uint8Array([...PNG, ...new Uint8Array(150_000).fill(7)]);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const request = post(new Blob([bytes]).stream(), { "content-type": "text/plain" });
    assertEquals(await storeBody(request, store, { sha256, limits: LIMITS }), {
      hash: sha256,
      sizeBytes: bytes.length,
      mediaType: "image/png",
    });
    assertEquals(await new Response(await store.read(sha256)).bytes(), bytes);
  });
});

Deno.test("storeBody() keeps nothing of what it refuses", async () => {
  await withStore(async (store) => {
    const image = new Uint8Array([...PNG, ...new Uint8Array(200_000)]);
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(99_999)),
    });
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(100_000)),
      pull: (controller) => controller.error(new TypeError("cut short")),
    });
    const cases: readonly (readonly [Request, string, string?])[] = [
      [post(image), "too_large"],
      [post(endless), "too_large"],
      [post(new Uint8Array()), "invalid"],
      [post("hello", { "content-length": "9999999" }), "too_large"],
      [post("hello", { "content-length": "4" }), "conflict"],
      [post("hello"), "conflict", "0".repeat(64)],
      [post(new TextEncoder().encode("\0\0\0\x18ftypmp42....")), "unsupported"],
    ];
    for (const [request, code, sha256] of cases) {
      const error = await assertRejects(
        () => storeBody(request, store, { sha256, limits: LIMITS }),
        AppError,
      );
      assertEquals(error.code, code, error.message);
    }
    await assertRejects(() => storeBody(post(broken), store, { limits: LIMITS }), TypeError);
    assertEquals(await left(store), 0);
  });
});
