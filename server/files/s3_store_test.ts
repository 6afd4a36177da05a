import { createHash } from "node:crypto";
import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { join } from "@std/path/mod.js";
import { AppError } from "#server/core/errors.ts";
import { silentLog } from "#server/core/log.ts";
import { sweepOrphans } from "#server/storage/service.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { until } from "#server/testing/until.ts";
import { LocalStore, openLocalStore } from "./local_store.ts";
import { S3_TIMINGS, S3Client } from "./s3_client.ts";
import { S3Store } from "./s3_store.ts";
import { readStorePlace, type S3Place } from "./store_place.ts";
import { S3StandIn, STAND_IN_KEYS } from "./testing/s3_stand_in.ts";

/** A real S3 server to run the same tests against, e.g. s3://bucket?endpoint=http://127.0.0.1:7070, keys beside it. */
const REAL = Deno.env.get("SEEDLOOP_S3_URL");
const QUICK = { answerMs: 5_000, pieceMs: 2_000, againMs: [1, 1, 1] };
const KILL_CHILD = import.meta.resolve("./s3_kill_child.ts");
const PART = 5 * 1024 * 1024;

interface Bench {
  readonly server: S3StandIn;
  readonly place: S3Place;
  readonly store: S3Store;
  readonly folder: string;
  /** The same bucket from another machine: nothing is cached there. */
  elsewhere(): Promise<S3Store>;
}

async function withStore(run: (bench: Bench) => Promise<void>, url = ""): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "s3_store" });
  await using server = new S3StandIn();
  const address = url || `s3://${server.bucket}/a/b?endpoint=${encodeURIComponent(server.endpoint)}`;
  const keys = url
    ? {
      accessKeyId: Deno.env.get("AWS_ACCESS_KEY_ID"),
      secretAccessKey: Deno.env.get("AWS_SECRET_ACCESS_KEY"),
      region: undefined,
    }
    : STAND_IN_KEYS;
  const read = readStorePlace(address, { ...keys, sessionToken: undefined }, folder);
  if (!("place" in read) || typeof read.place === "string") throw new Error(JSON.stringify(read));
  const own = { ...read.place, prefix: `${read.place.prefix}${crypto.randomUUID()}/` };
  const timings = url ? S3_TIMINGS : QUICK;
  const open = async (cacheFolder: string) => {
    await openLocalStore(cacheFolder);
    return new S3Store({ ...own, cacheFolder }, { timings, partBytes: PART });
  };
  const place = { ...own, cacheFolder: join(folder, "cache") };
  let machines = 0;
  try {
    await run({
      server,
      place,
      store: await open(place.cacheFolder),
      folder,
      elsewhere: () => open(join(folder, `cache_${++machines}`)),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function noise(length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  let state = length;
  for (let i = 0; i < length; i++) {
    state = (state * 1664525 + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bytesOf = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  new Uint8Array(await new Response(stream).arrayBuffer());

async function failureOf(work: Promise<unknown>): Promise<AppError> {
  return await assertRejects(() => work, AppError) as AppError;
}

for (const url of REAL ? ["", REAL] : [""]) {
  const where = url ? "a real server" : "the stand-in";

  Deno.test(`S3Store on ${where} gives back what was put: small, empty, in parts, and any range of it`, () =>
    withStore(async ({ store, elsewhere, folder }) => {
      await store.check();
      for (const bytes of [noise(0), noise(1), noise(70_000), noise(2 * PART + 12_345)]) {
        const path = join(folder, "given.bin");
        await Deno.writeFile(path, bytes);
        const ref = await store.put({ path, take: true }, "video/mp4");
        assertEquals(ref, { hash: hashOf(bytes), sizeBytes: bytes.length, mediaType: "video/mp4" });
        const other = await elsewhere();
        assertEquals(await other.size(ref.hash), bytes.length);
        assertEquals(await bytesOf(await other.read(ref.hash)), bytes);
        const [start, end] = [Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)];
        assertEquals(await bytesOf(await other.read(ref.hash, { start, end })), bytes.slice(start, end));
        const local = await other.openLocal(ref.hash, folder);
        assertEquals(await Deno.readFile(local), bytes);
        await Deno.remove(local);
      }
      assertEquals((await Array.fromAsync(store.list())).length, 4);
    }, url));

  Deno.test(`S3Store on ${where} knows what is not there, removes, and lists page by page`, () =>
    withStore(async ({ store, elsewhere, folder }) => {
      const none = "0".repeat(64);
      assertEquals(await store.size(none), undefined);
      assertEquals((await failureOf(store.read(none))).code, "not_found");
      assertEquals((await failureOf(store.openLocal(none, folder))).code, "not_found");
      assertEquals(await store.remove(none), false);
      const refs = [];
      for (let n = 1; n <= 5; n++) refs.push(await store.put(noise(n), "image/png"));
      const hashes = refs.map(({ hash }) => hash).sort();
      assertEquals(
        (await Array.fromAsync((await elsewhere()).list())).map(({ hash }) => hash).sort(),
        hashes,
      );
      // What was stored since is not removed.
      assertEquals(await store.remove(hashes[0] ?? "", new Date(Date.now() - 3_600_000)), false);
      assertEquals(await store.remove(hashes[0] ?? ""), true);
      assertEquals(await store.size(hashes[0] ?? ""), undefined);
      assertEquals((await Array.fromAsync(store.list())).length, 4);
    }, url));

  Deno.test(`S3Store on ${where} stores nothing that is not what was announced, or whose sender gave up`, () =>
    withStore(async ({ store }) => {
      const bytes = noise(1_000);
      const expect = { hash: hashOf(noise(999)) };
      assertEquals((await failureOf(store.put(bytes, "image/png", { expect }))).code, "conflict");
      assertEquals((await failureOf(store.put(bytes, "image/png", { maxBytes: 10 }))).code, "too_large");
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes),
      });
      await assertRejects(() => store.put(stream, "image/png", { signal: AbortSignal.timeout(20) }));
      assertEquals(await Array.fromAsync(store.list()), []);
    }, url));

  Deno.test(`S3Store on ${where} leaves no object behind a process that was killed between two parts`, () =>
    withStore(async ({ store, place, folder }) => {
      const bytes = noise(12 * PART);
      const path = join(folder, "large.bin");
      await Deno.writeFile(path, bytes);
      const client = new S3Client(place);
      const hasBegun = async () =>
        (await client.sendForText({ method: "GET", query: { uploads: "", prefix: place.prefix } })).includes(
          "<Upload>",
        );
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", KILL_CHILD, JSON.stringify(place), path, String(PART)],
      }).spawn();
      await until("the upload has begun", hasBegun, { everyMs: 5 });
      child.kill("SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      assertEquals(await store.size(hashOf(bytes)), undefined);
      assertEquals(await Array.fromAsync(store.list()), []);
      // What is left takes up room only, and goes.
      assertEquals(await store.sweepUploads(0, new Date(Date.now() + 60_000)), 1);
      assertEquals(await hasBegun(), false);
      assertEquals((await store.put({ path }, "video/mp4")).hash, hashOf(bytes));
      assertEquals(await store.size(hashOf(bytes)), bytes.length);
    }, url));

  Deno.test(`S3Store on ${where} says what is wrong with a key and with a bucket`, () =>
    withStore(async ({ place }) => {
      const wrongKey = await failureOf(new S3Store({ ...place, secretAccessKey: "wrong" }).check());
      assert(wrongKey.message.includes("AWS_SECRET_ACCESS_KEY"), wrongKey.message);
      const wrongName = await failureOf(new S3Store({ ...place, accessKeyId: "nobody" }).check());
      assert(wrongName.message.includes("AWS_ACCESS_KEY_ID"), wrongName.message);
      const noBucket = await failureOf(new S3Store({ ...place, bucket: "not-there" }).check());
      assert(
        noBucket.message.includes('no bucket "not-there"') || noBucket.message.includes("AccessDenied"),
        noBucket.message,
      );
    }, url));
}

Deno.test("S3Store goes on where a download was cut, again and again, and tries again what failed for a moment", () =>
  withStore(async ({ store, server, elsewhere, folder }) => {
    const bytes = noise(400_000);
    const { hash } = await store.put(bytes, "video/mp4");
    let cuts = 0;
    server.misbehave = ({ method }) => method === "GET" && cuts++ < 6 ? { cutAfter: 50_000 } : undefined;
    assertEquals(await bytesOf(await (await elsewhere()).read(hash)), bytes);
    assert(cuts >= 6);
    let refusals = 0;
    server.misbehave = () => refusals++ % 2 === 0 ? { status: 503, code: "SlowDown" } : undefined;
    const second = noise(10_000);
    await store.put(second, "video/mp4");
    assertEquals(await Deno.readFile(await (await elsewhere()).openLocal(hashOf(second), folder)), second);
  }));

Deno.test("S3Store believes no object that was damaged in the store", () =>
  withStore(async ({ store, server, elsewhere, folder }) => {
    const { hash } = await store.put(noise(10_000), "video/mp4");
    for (const [key, object] of server.objects) server.objects.set(key, { ...object, bytes: noise(9_999) });
    assertEquals((await failureOf((await elsewhere()).openLocal(hash, folder))).code, "conflict");
  }));

Deno.test("S3Store gives up an upload whose part is refused, and knows one that was completed unheard", () =>
  withStore(async ({ store, server }) => {
    const bytes = noise(3 * PART);
    server.misbehave = ({ url }) =>
      url.includes("partNumber=2") ? { status: 403, code: "AccessDenied" } : undefined;
    assertEquals((await failureOf(store.put(bytes, "video/mp4"))).code, "busy");
    assertEquals([server.uploads.size, server.objects.size], [0, 0]);
    server.misbehave = ({ url, method }) =>
      method === "POST" && url.includes("uploadId") ? { loseAnswer: true } : undefined;
    await store.put(bytes, "video/mp4");
    assertEquals([server.uploads.size, server.objects.size], [0, 1]);
  }));

Deno.test("S3Store names a full store, a wrong clock and one that does not answer", () =>
  withStore(async ({ store, server, place }) => {
    server.misbehave = ({ method }) =>
      method === "PUT" ? { status: 507, code: "InsufficientStorage" } : undefined;
    assertEquals((await failureOf(store.put(noise(10), "image/png"))).code, "storage_full");
    server.misbehave = () => ({ status: 403, code: "RequestTimeTooSkewed" });
    assert((await failureOf(store.check())).message.includes("clock"));
    const nobody = new S3Store({ ...place, endpoint: "http://127.0.0.1:9" }, { timings: QUICK });
    assert(
      (await failureOf(nobody.check())).message.includes(
        "Cannot reach the media store at http://127.0.0.1:9",
      ),
    );
  }));

Deno.test("S3Store sends the same bytes once, and anew when the orphan sweep might take what is there", () =>
  withStore(async ({ store, server }) => {
    const bytes = noise(5_000);
    await store.put(bytes, "image/png");
    await store.put(bytes, "image/png");
    assertEquals(server.requests.filter((one) => one === "PUT").length, 1);
    for (const [key, object] of server.objects) {
      server.objects.set(key, { ...object, at: new Date(Date.now() - 13 * 3_600_000) });
    }
    await store.put(bytes, "image/png");
    assertEquals(server.requests.filter((one) => one === "PUT").length, 2);
  }));

Deno.test("S3Store.sweepUploads() gives up what was begun long ago", () =>
  withStore(async ({ store, server, place }) => {
    const at = new Date(Date.now() - 100_000_000);
    server.uploads.set("old", { key: `${place.prefix}ab`, parts: new Map(), at });
    server.uploads.set("foreign", { key: "other/ab", parts: new Map(), at });
    server.uploads.set("new", { key: `${place.prefix}cd`, parts: new Map(), at: new Date() });
    assertEquals(await store.sweepUploads(86_400_000), 1);
    assertEquals([...server.uploads.keys()], ["foreign", "new"]);
  }));

Deno.test("S3Store's cache stays within its bounds and takes no file from who uses it", () =>
  withStore(async ({ server, place, folder }) => {
    await openLocalStore(place.cacheFolder);
    const store = new S3Store({ ...place, cacheBytes: 50_000 }, { timings: QUICK });
    const cache = new LocalStore(place.cacheFolder);
    const first = noise(30_000);
    const { hash } = await store.put(first, "video/mp4");
    const used = await store.openLocal(hash, folder);
    const long = new Date(Date.now() - 3_600_000);
    await Deno.utime(cache.path(hash), long, long);
    await store.put(noise(30_001), "video/mp4");
    assertEquals((await Array.fromAsync(cache.list())).map(({ sizeBytes }) => sizeBytes), [30_001]);
    assertEquals(await Deno.readFile(used), first);
    assertEquals(server.objects.size, 2);
  }));

Deno.test("sweepOrphans() removes from a bucket what no row knows, once it is old", async () => {
  await using database = await openTestDatabase();
  await withStore(async ({ store, server }) => {
    await store.put(noise(1), "image/png");
    const { hash } = await store.put(noise(2), "image/png");
    const later = new Date(Date.now() + 25 * 3_600_000);
    assertEquals((await sweepOrphans(database.db, store, silentLog)).orphans, 0);
    await database
      .db`insert into files (hash, size_bytes, media_type_id) select ${hash}, 2, id from media_type limit 1`;
    assertEquals((await sweepOrphans(database.db, store, silentLog, later)).orphans, 1);
    assertEquals([...server.objects.keys()].map((key) => key.slice(-64)), [hash]);
  });
});

Deno.test("readStorePlace() takes folders and buckets, and names what is wrong", () => {
  const keys = { accessKeyId: "a", secretAccessKey: "b", sessionToken: undefined, region: undefined };
  const read = (text: string, given = keys) => readStorePlace(text, given, "/data");
  assertEquals(read("/srv/media"), { place: "/srv/media" });
  assertEquals(read("s3://media"), {
    place: {
      endpoint: "https://s3.us-east-1.amazonaws.com",
      bucket: "media",
      prefix: "",
      region: "us-east-1",
      accessKeyId: "a",
      secretAccessKey: "b",
      cacheFolder: "/data/cache",
      cacheBytes: 20_000_000_000,
    },
  });
  for (
    const wrong of [
      "ftp://host/x",
      "s3://",
      "s3://A",
      "s3://me:pw@media",
      "s3://media/a b",
      "s3://media?endpoint=none",
      "s3://media?cacheGb=0",
      "s3://media?nonsense=1",
    ]
  ) assert("fault" in read(wrong), wrong);
  const fault = read("s3://media", { ...keys, secretAccessKey: undefined as never });
  assert("fault" in fault && fault.fault.includes("AWS_SECRET_ACCESS_KEY"));
});
