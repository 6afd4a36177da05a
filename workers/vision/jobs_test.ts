import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { join } from "@std/path/join.js";
import sharp from "sharp";
import type * as z from "zod/mini";
import { measureCut, measureTake } from "#server/clips/job_kinds.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import type { AnyJobKind, JobKind } from "#server/core/job_kind.ts";
import { silentLog } from "#server/core/log.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { measureSeed } from "#server/seeds/job_kinds.ts";
import { GiveUp, type JobContext, Retry } from "#workers/kit/handle.ts";
import { INTERMEDIATE_MEDIA_TYPE, writeIntermediate } from "#workers/media/lossless.ts";
import { openMediaTools } from "#workers/media/run.ts";
import { openVisionPool, type VisionPool } from "./child_pool.ts";
import { FaceReader } from "./face_reader.ts";
import { measureCutHandler } from "./jobs/measure_cut.ts";
import { measureSeedHandler } from "./jobs/measure_seed.ts";
import { measureTakeHandler } from "./jobs/measure_take.ts";
import { measureStill } from "./measure_still.ts";
import { readStill } from "./read_still.ts";
import { groupPhoto, person } from "./testing/pictures.ts";

const RATE = { num: 24, den: 1 };
const SIZE = 320;
const folder = await Deno.makeTempDir({ prefix: "seedloop-vision-" });
const store = await openLocalStore(join(folder, "store"));

/** A person in front of a camera that pans and comes to rest at `restAt`: a crop that moves over a photo. */
async function* panFrames(photo: number, left: number, top: number, frames: number, restAt: number) {
  const scene = await readStillOf(await person(photo, left, top, 560).png().toBuffer());
  for (let t = 0; t < frames; t++) {
    const away = Math.abs(t - restAt);
    const x = Math.round(100 + Math.sign(t - restAt) * Math.min(80, (away * away) / 8));
    const frame = new Uint8Array(SIZE * SIZE * 3);
    for (let y = 0; y < SIZE; y++) {
      const from = ((y + 60) * 560 + x) * 3;
      frame.set(scene.data.subarray(from, from + SIZE * 3), y * SIZE * 3);
    }
    for (let i = t % 7; i < frame.length; i += 5) {
      frame[i] = Math.min(255, frame[i]! + ((i * 31 + t * 17) % 4));
    }
    yield frame;
  }
}

async function readStillOf(bytes: Uint8Array) {
  const path = await Deno.makeTempFile({ dir: folder });
  await Deno.writeFile(path, bytes);
  return await readStill(path);
}

async function keepClip(frames: AsyncIterable<Uint8Array>): Promise<FileRef> {
  const path = await Deno.makeTempFile({ dir: folder, suffix: ".avi" });
  const tools = await openMediaTools();
  try {
    await writeIntermediate(tools, frames, { widthPx: SIZE, heightPx: SIZE, rate: RATE }, path);
  } finally {
    await tools.close();
  }
  return await store.put({ path }, INTERMEDIATE_MEDIA_TYPE);
}

const keepStill = async (picture: { png(): { toBuffer(): Promise<Uint8Array> } }) =>
  await store.put(new Uint8Array(await picture.png().toBuffer()), "image/png");

async function context(signal = new AbortController().signal): Promise<JobContext> {
  const workDir = await Deno.makeTempDir({ dir: folder });
  const quiet = { log: silentLog, progress: () => {}, preview: () => {}, confirm: () => Promise.resolve() };
  return { jobId: "job", attempt: 1, signal, store, workDir, ...quiet };
}

/** Runs a job as the kit does: input and output go through their schemas. */
async function run<K extends AnyJobKind>(
  kind: K,
  handler: (pool: VisionPool) => { run(input: unknown, job: JobContext): Promise<unknown> },
  pool: VisionPool,
  input: K extends JobKind<infer I> ? z.input<I> : never,
  signal?: AbortSignal,
): Promise<z.output<K["output"]>> {
  return kind.output.parse(await handler(pool).run(kind.input.parse(input), await context(signal)));
}

const she = await keepClip(panFrames(6, 520, 180, 40, 28));
const portrait = await keepStill(person(6, 600, 300, 340));
const stranger = await keepStill(person(5, 280, 820, 420));
const nobody = await keepStill(
  sharp({ create: { width: 256, height: 256, channels: 3, background: "#678" } }),
);

Deno.test("clips.measure_take measures, ends on the rest and keeps that frame exactly", async () => {
  const pool = openVisionPool();
  try {
    const take = await run(measureTake, measureTakeHandler, pool, {
      intermediate: she,
      rate: RATE,
      frameCount: 40,
      portrait,
      end: { target: 27, window: 8, exact: false },
      requireFace: true,
    });
    assertEquals(take.curves.motion.length, 40);
    assertEquals(take.curves.motion[0], 0);
    assert(take.likeness && take.likeness.median !== null && take.likeness.median > 0.9);
    assertEquals(take.likeness?.coverage, 1);
    assert(take.likeness!.points.length >= 40 / 6);
    assert(take.end && Math.abs(take.end.frame - 28) <= 1, `ended on ${take.end?.frame}`);
    assert(take.endImage);
    let at = 0;
    for await (const frame of panFrames(6, 520, 180, 40, 28)) {
      if (at++ !== take.end!.frame) continue;
      assertEquals((await readStill(store.path(take.endImage!.hash))).data, frame);
    }

    const other = await run(measureTake, measureTakeHandler, pool, {
      intermediate: she,
      rate: RATE,
      frameCount: 40,
      portrait: stranger,
      requireFace: false,
    });
    assert(other.likeness?.median !== null && other.likeness!.median! < 0.5);
    assertEquals([other.end, other.endImage], [null, null]);
    assertEquals(pool.processIds().length, 1);
  } finally {
    await pool.close();
  }
});

Deno.test("clips.measure_cut judges seams with the built-in ffmpeg, and a face it can't compare is null", async () => {
  async function* twoParts() {
    let t = 0;
    for await (const frame of panFrames(6, 520, 180, 40, 20)) {
      if (t++ >= 20) { for (let i = 0; i < frame.length; i += 3) frame[i] = Math.min(255, frame[i]! + 14); }
      yield frame;
    }
  }
  const pool = openVisionPool({ backend: "wasm" });
  try {
    const cut = await run(measureCut, measureCutHandler, pool, {
      intermediate: await keepClip(twoParts()),
      rate: RATE,
      frameCount: 40,
      boundaries: [20],
      portrait: nobody,
    });
    assertEquals(cut.seams.map(({ frame, verdict }) => [frame, verdict]), [[20, "fail"]]);
    assert(cut.seams[0]!.reasons.some((reason) => reason.startsWith("colour: ")));
    assertEquals([cut.likeness?.median, cut.likeness?.min, cut.likeness?.coverage], [null, null, 0]);
    assert(cut.likeness?.points.every((point) => point.score === null && point.reason?.includes("portrait")));
  } finally {
    await pool.close();
  }
});

Deno.test("clips.measure_cut takes over what is known of the same pixels, and looks only where nothing is", async () => {
  const pool = openVisionPool();
  const base = { intermediate: she, rate: RATE, frameCount: 40, boundaries: [20], portrait };
  try {
    const whole = await run(measureCut, measureCutHandler, pool, base);
    const frames = [0, 6, 12, 18, 20, 26, 32, 38];
    const points = frames.map((frame) => ({ frame, score: 0.111 }));
    const { model } = whole.likeness!;
    const known = await run(measureCut, measureCutHandler, pool, { ...base, known: { model, points } });
    const looked = known.likeness!.points.filter((point) => point.score !== 0.111);
    assertEquals(
      looked.map((point) => point.frame),
      [19],
      "only the frame that meets the seam was not known",
    );
    assertEquals(looked, whole.likeness!.points.filter((point) => point.frame === 19));
    assertEquals(
      known.likeness!.points.map((point) => point.frame),
      [...frames, 19].toSorted((a, b) => a - b),
    );
    assertEquals([known.curves, known.seams], [whole.curves, whole.seams]);
    // Scores of another model are no scores of this one.
    const foreign = { model: { ...model, hash: "1".repeat(64) }, points };
    const anew = await run(measureCut, measureCutHandler, pool, { ...base, known: foreign });
    assertEquals(anew.likeness, whole.likeness);
  } finally {
    await pool.close();
  }
});

Deno.test("seeds.measure scores a still against a portrait and gives up on what is no picture", async () => {
  const pool = openVisionPool();
  try {
    const image = await keepStill(person(6, 540, 220, 480).modulate({ brightness: 0.8 }));
    const same = await run(measureSeed, measureSeedHandler, pool, { image, portrait });
    assert(same.likeness !== null && same.likeness > 0.9);
    assertEquals(same.faces.length, 1);
    assertEquals(same.dhash.length, 16);
    const photo = await store.put({ path: decodeURIComponent(groupPhoto(6).pathname) }, "image/jpeg");
    const among = await run(measureSeed, measureSeedHandler, pool, { image: photo, portrait });
    assertEquals(among.faces.length, 4);
    assert(among.likeness !== null && among.likeness > 0.9, `the best match counts, not ${among.likeness}`);
    const none = await run(measureSeed, measureSeedHandler, pool, { image: nobody, portrait });
    assertEquals([none.likeness, none.likenessReason, none.faces], [null, "no face was found", []]);
    const alone = await run(measureSeed, measureSeedHandler, pool, { image });
    assertEquals([alone.likeness, alone.likenessReason], [null, undefined]);
    const broken = await store.put(new TextEncoder().encode("no picture"), "image/png");
    await assertRejects(
      () => run(measureSeed, measureSeedHandler, pool, { image: broken }),
      GiveUp,
      "decoded",
    );
    const [child] = pool.processIds();
    assertEquals((await run(measureSeed, measureSeedHandler, pool, { image: nobody })).faces, []);
    assertEquals(pool.processIds(), [child!]);
  } finally {
    await pool.close();
  }
});

const longTake = { intermediate: she, rate: RATE, frameCount: 40, portrait, requireFace: true };
const isAlive = (pid: number) => {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
};

Deno.test("an abort kills the child within 2 s, and the next request gets a new one", async () => {
  const pool = openVisionPool();
  try {
    const abort = new AbortController();
    const begun = Promise.withResolvers<void>();
    let reached = 0;
    // A face in every frame: some seconds of work.
    const boundaries = Array.from({ length: 40 }, (_, frame) => frame);
    const input = { intermediate: she, rate: RATE, frameCount: 40, portrait, boundaries };
    const progress = (ratio: number) => {
      reached = ratio;
      begun.resolve();
    };
    const cut = measureCutHandler(pool).run(input, { ...await context(abort.signal), progress });
    cut.catch(() => {});
    await begun.promise;
    const [child] = pool.processIds();
    const abortedAt = performance.now();
    abort.abort(new Error("cancelled"));
    await assertRejects(() => cut, Error, "cancelled");
    assert(performance.now() - abortedAt < 2000);
    assert(reached < 0.8, `went on to ${reached}`);
    assertEquals(isAlive(child!), false);
    assertEquals((await run(measureSeed, measureSeedHandler, pool, { image: nobody })).faces, []);
  } finally {
    await pool.close();
  }
});

Deno.test("one child serves one request at a time, and is replaced when it has served enough", async () => {
  const pool = openVisionPool({ maxChildren: 1, requestsPerChild: 2 });
  try {
    const ask = (signal?: AbortSignal) =>
      run(measureSeed, measureSeedHandler, pool, { image: nobody }, signal);
    const gone = new AbortController();
    const [first, second, third] = [ask(), ask(gone.signal), ask()];
    gone.abort(new Error("cancelled"));
    await assertRejects(() => second, Error, "cancelled");
    await first;
    const [child] = pool.processIds();
    await third;
    await ask();
    assertEquals(pool.processIds().length, 1);
    assertEquals(pool.processIds()[0] === child, false);
    assertEquals(isAlive(child!), false);
  } finally {
    await pool.close();
  }
});

Deno.test("a child that dies is a retry, and its successor answers", async () => {
  const pool = openVisionPool();
  try {
    const begun = Promise.withResolvers<void>();
    const job = { ...await context(), progress: () => begun.resolve() };
    const take = measureTakeHandler(pool).run(longTake, job);
    take.catch(() => {});
    await begun.promise;
    Deno.kill(pool.processIds()[0]!, "SIGKILL");
    await assertRejects(() => take, Retry, "ended unexpectedly");
    assertEquals((await run(measureSeed, measureSeedHandler, pool, { image: nobody })).faces, []);
  } finally {
    await pool.close();
  }
});

Deno.test("a child ends when its owner's end of stdin closes", async () => {
  const script = new URL(import.meta.resolve("./child.ts"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script.pathname],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await child.stdin.close();
  assertEquals((await child.status).code, 0);
});

Deno.test("without a face model likeness is null with the reason, and the rest is measured", async () => {
  const reader = new FaceReader(() => Promise.reject(new Error("no such file")));
  const image = { path: store.path(portrait.hash), hash: portrait.hash };
  const still = await measureStill(reader, { kind: "still", image, portrait: image });
  assertEquals([still.likeness, still.model.name, still.faces], [null, "none", []]);
  assertEquals(still.likenessReason, "no face model could be loaded: no such file");
  assert(still.sharpness > 0 && still.meanLab[0] > 0);
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
