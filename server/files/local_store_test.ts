import { createHash } from "node:crypto";
import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { dirname, fromFileUrl, join } from "@std/path/mod.js";
import { AppError } from "#server/core/errors.ts";
import { FAIL_POINTS } from "./durable.ts";
import { type LocalStore, openLocalStore } from "./local_store.ts";

const KILL_CHILD = join(dirname(fromFileUrl(import.meta.url)), "store_kill_child.ts");

async function withStore(run: (store: LocalStore, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "store" });
  try {
    await run(await openLocalStore(join(folder, "store")), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function noise(bytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes);
  let state = seed;
  for (let i = 0; i < bytes; i++) {
    state = (state * 1664525 + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function incoming(store: LocalStore): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(join(store.root, "incoming")))).map((entry) => entry.name);
}

Deno.test("put() stores bytes, streams and files under the hash of their content", async () => {
  await withStore(async (store, folder) => {
    const bytes = noise(700_000);
    const path = join(folder, "source.bin");
    await Deno.writeFile(path, bytes);
    const expected = { hash: sha256(bytes), sizeBytes: bytes.length, mediaType: "application/octet-stream" };
    for (const source of [bytes, new Blob([bytes]).stream(), { path }]) {
      assertEquals(await store.put(source, "application/octet-stream"), expected);
    }
    assertEquals(await bytesOf(await store.read(expected.hash)), bytes);
    assertEquals(
      store.path(expected.hash).slice(store.root.length + 1, store.root.length + 7),
      `${expected.hash.slice(0, 2)}/${expected.hash.slice(2, 4)}/`,
    );
    assertEquals((await Array.fromAsync(store.list())).map((file) => file.hash), [expected.hash]);
    assertEquals(await incoming(store), []);
    assert(await Deno.stat(path), "a copied source stays");
  });
});

Deno.test("put() with take moves the file in", async () => {
  await withStore(async (store, folder) => {
    const path = join(folder, "given.bin");
    await Deno.writeFile(path, noise(10_000));
    const { ino } = await Deno.stat(path);
    const ref = await store.put({ path, take: true }, "image/png");
    assertEquals((await Deno.stat(store.path(ref.hash))).ino, ino);
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("put() of the same bytes many times at once ends with one whole file", async () => {
  await withStore(async (store) => {
    const bytes = noise(300_000);
    const refs = await Promise.all(
      Array.from(
        { length: 24 },
        (_, i) => store.put(i % 2 ? bytes : new Blob([bytes]).stream(), "image/png"),
      ),
    );
    assertEquals(new Set(refs.map((ref) => ref.hash)).size, 1);
    assertEquals((await Array.fromAsync(store.list())).length, 1);
    assertEquals(await bytesOf(await store.read(sha256(bytes))), bytes);
    assertEquals(await incoming(store), []);
  });
});

Deno.test("put() replaces a stored file that was cut short", async () => {
  await withStore(async (store) => {
    const bytes = noise(5_000);
    const { hash } = await store.put(bytes, "image/png");
    await Deno.chmod(store.path(hash), 0o644);
    await Deno.truncate(store.path(hash), 100);
    await store.put(bytes, "image/png");
    assertEquals(await store.size(hash), bytes.length);
  });
});

Deno.test("put() leaves nothing behind when the source breaks, is too large, or is not what was announced", async () => {
  await withStore(async (store) => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(noise(1000));
      },
      pull(controller) {
        controller.error(new Error("the sender went away"));
      },
    });
    await assertRejects(() => store.put(broken, "image/png"), Error, "the sender went away");
    const tooLarge = await assertRejects(
      () => store.put(noise(1001), "image/png", { maxBytes: 1000 }),
      AppError,
    );
    assertEquals(tooLarge.code, "too_large");
    const wrongHash = await assertRejects(
      () => store.put(noise(10), "image/png", { expect: { hash: "0".repeat(64) } }),
      AppError,
    );
    assertEquals(wrongHash.code, "conflict");
    const wrongSize = await assertRejects(
      () => store.put(noise(10), "image/png", { expect: { sizeBytes: 11 } }),
      AppError,
    );
    assertEquals(wrongSize.code, "conflict");
    assertEquals(await Array.fromAsync(store.list()), []);
    assertEquals(await incoming(store), []);
  });
});

Deno.test("put() stops at once on abort, even while the sender is silent", async () => {
  await withStore(async (store) => {
    const abort = new AbortController();
    const silent = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(noise(10)) });
    const putting = store.put(silent, "image/png", { signal: abort.signal });
    abort.abort(new Error("cancelled by the test"));
    await assertRejects(() => putting, Error, "cancelled by the test");
    assertEquals(await incoming(store), []);
  });
});

Deno.test("read() gives exactly the asked range and refuses what is not there", async () => {
  await withStore(async (store) => {
    const bytes = noise(600_000);
    const { hash } = await store.put(bytes, "image/png");
    for (const [start, end] of [[0, 1], [0, 600_000], [599_999, 600_000], [1000, 400_000], [7, 7]] as const) {
      assertEquals(await bytesOf(await store.read(hash, { start, end })), bytes.slice(start, end));
    }
    await (await store.read(hash, { start: 0, end: 10 })).cancel();
    const missing = await assertRejects(() => store.read("f".repeat(64)), AppError);
    assertEquals(missing.code, "not_found");
  });
});

Deno.test("path() refuses anything but a hash", async () => {
  await withStore(async (store) => {
    for (const name of ["", "../../etc/passwd", "A".repeat(64), "a".repeat(63) + "/"]) {
      await assertRejects(() => store.size(name), TypeError);
    }
  });
});

Deno.test("remove() removes once and says whether it was there", async () => {
  await withStore(async (store) => {
    const { hash } = await store.put(noise(10), "image/png");
    assertEquals([await store.remove(hash), await store.remove(hash)], [true, false]);
    assertEquals(await store.size(hash), undefined);
  });
});

Deno.test("put() answers a full disk with storage_full and its mend", async () => {
  // /dev/full is the one full disk that needs no rights to mount.
  if (Deno.build.os !== "linux") return;
  const { writeDurably, translateDiskError } = await import("./durable.ts");
  using full = await Deno.open("/dev/full", { write: true });
  const error = await assertRejects(() => full.write(noise(10)));
  const translated = translateDiskError(error);
  assert(
    translated instanceof AppError && translated.code === "storage_full" &&
      translated.message.includes("free some space"),
  );
  await withStore(async (store) => {
    const failing = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(error) });
    const thrown = await assertRejects(
      () => writeDurably(failing, { place: join(store.root, "x") }),
      AppError,
    );
    assertEquals(thrown.code, "storage_full");
  });
});

Deno.test("put() flushes the file before it is seen and the folder after", async () => {
  await withStore(async (store, folder) => {
    const source = join(folder, "source.bin");
    await Deno.writeFile(source, noise(1000));
    // The folders of this hash exist from here on, so that only the write itself is watched.
    await store.put({ path: source }, "image/png");
    for (const take of [false, true]) {
      const steps: string[] = [];
      const { sync } = Deno.FsFile.prototype;
      const { rename } = Deno;
      try {
        Deno.FsFile.prototype.sync = async function () {
          steps.push(`sync ${(await this.stat()).isDirectory ? "folder" : "file"}`);
          await sync.call(this);
        };
        Deno.rename = async (from, to) => {
          steps.push("rename");
          await rename(from, to);
        };
        await store.put({ path: source, take }, "image/png");
      } finally {
        Deno.FsFile.prototype.sync = sync;
        Deno.rename = rename;
      }
      assertEquals(steps, ["sync file", "rename", "sync folder"]);
    }
  });
});

Deno.test("put() flushes each folder whose names it changed when it makes the folders of a hash", async () => {
  await withStore(async (store) => {
    const flushed = new Set<number | null>();
    const { sync } = Deno.FsFile.prototype;
    let hash: string;
    try {
      Deno.FsFile.prototype.sync = async function () {
        flushed.add((await this.stat()).ino);
        await sync.call(this);
      };
      ({ hash } = await store.put(noise(1000), "image/png"));
    } finally {
      Deno.FsFile.prototype.sync = sync;
    }
    for (let path = dirname(store.path(hash)); path.length >= store.root.length; path = dirname(path)) {
      assertEquals([path, flushed.has((await Deno.stat(path)).ino)], [path, true]);
    }
  });
});

for (const how of ["copy", "take"] as const) {
  for (const point of FAIL_POINTS) {
    if (how === "take" && (point === "temp_opened" || point === "half_written")) continue;
    Deno.test(`put() by ${how}, killed at ${point}, shows no half file, and a second put completes`, async () => {
      await withStore(async (store, folder) => {
        const bytes = noise(900_000);
        const source = join(folder, "source.bin");
        await Deno.writeFile(source, bytes);
        const child = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", KILL_CHILD, store.root, source, how, point],
          stdout: "null",
          stderr: "piped",
        }).output();
        assertEquals(child.signal, "SIGKILL", new TextDecoder().decode(child.stderr));
        const isVisible = point === "renamed" || point === "folder_synced";
        const files = await Array.fromAsync(store.list());
        assertEquals(files.map((file) => file.sizeBytes), isVisible ? [bytes.length] : []);
        const again = await openLocalStore(store.root, { sweepOlderThanMs: 0 });
        assertEquals(await incoming(again), []);
        if (!(how === "take" && isVisible)) await again.put({ path: source }, "image/png");
        assertEquals(await bytesOf(await again.read(sha256(bytes))), bytes);
      });
    });
  }
}
