import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import sharp from "sharp";
import type * as z from "zod/mini";
import { inspectMedia, makeProxy } from "#server/assets/job_kinds.ts";
import { ingestTake, stitchCut } from "#server/clips/job_kinds.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import type { JobKind } from "#server/core/job_kind.ts";
import { silentLog } from "#server/core/log.ts";
import { type LocalStore, openLocalStore } from "#server/files/local_store.ts";
import { assembleMaster } from "#server/scenes/job_kinds.ts";
import { GiveUp, type JobContext } from "#workers/kit/handle.ts";
import { rawInput } from "./args.ts";
import { mediaHandlers } from "./handlers.ts";
import { decodeFrames, INTERMEDIATE_MEDIA_TYPE, readIntermediate, writeIntermediate } from "./lossless.ts";
import { readVideoFacts } from "./probe.ts";
import type { MediaTools } from "./run.ts";
import { assertSameFrame, readFrameNumber, type TestClip, testFrame, testFrames } from "./testing/clips.ts";
import { onBackends } from "./testing/on_backends.ts";

const RATE = { num: 24, den: 1 };
const clip: TestClip = { widthPx: 96, heightPx: 64, rate: RATE, frameCount: 21, seed: 4 };

interface Desk {
  readonly tools: MediaTools;
  readonly store: LocalStore;
  readonly folder: string;
  run<I extends z.core.$ZodType, O extends z.core.$ZodType>(
    kind: JobKind<I, O>,
    input: z.input<I>,
    signal?: AbortSignal,
  ): Promise<z.output<O>>;
  /** Puts a file made by `make` into the store. */
  keep(mediaType: string, make: (path: string) => Promise<unknown>): Promise<FileRef>;
}

async function openDesk(tools: MediaTools, folder: string): Promise<Desk> {
  const store = await openLocalStore(`${folder}/store`);
  const handlers = mediaHandlers(tools);
  return {
    tools,
    store,
    folder,
    async run(kind, input, signal = new AbortController().signal) {
      const workDir = await Deno.makeTempDir({ dir: folder });
      const ratios: number[] = [];
      const job: JobContext = {
        jobId: "job",
        attempt: 1,
        signal,
        log: silentLog,
        store,
        workDir,
        progress: (ratio) => ratios.push(ratio),
        preview() {},
        confirm: () => Promise.resolve(),
      };
      const handler = handlers.find((each) => each.jobKind.code === kind.code);
      assert(handler, `${kind.code} has a handler`);
      const parsed = kind.input as unknown as { parse(value: unknown): unknown };
      const output = await handler?.run(parsed.parse(input), job);
      assert(ratios.every((ratio) => ratio >= 0 && ratio <= 1));
      return (kind.output as unknown as { parse(value: unknown): z.output<typeof kind.output> }).parse(
        output,
      );
    },
    async keep(mediaType, make) {
      const path = await Deno.makeTempFile({ dir: folder });
      await make(path);
      return await store.put({ path, take: true }, mediaType);
    },
  };
}

function intermediate(desk: Desk, of: TestClip): Promise<FileRef> {
  return desk.keep(
    INTERMEDIATE_MEDIA_TYPE,
    (path) => writeIntermediate(desk.tools, testFrames(of), of, path),
  );
}

async function numbersIn(
  desk: Desk,
  file: FileRef,
  size: { widthPx: number; heightPx: number } = clip,
): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of decodeFrames(desk.tools, desk.store.path(file.hash), { pixelFormat: "gray" })) {
    numbers.push(readFrameNumber(frame, size, 1));
  }
  return numbers;
}

/** The frame that each picture of a hover sprite shows, in the layout's order. */
async function numbersOnSprite(
  desk: Desk,
  { sprite, spriteLayout }: Pick<z.output<typeof makeProxy["output"]>, "sprite" | "spriteLayout">,
): Promise<number[]> {
  const { columns, tileWidthPx: widthPx, tileHeightPx: heightPx, frames } = spriteLayout;
  const sheet = sharp(desk.store.path(sprite.hash)).greyscale().raw();
  const { data, info } = await sheet.toBuffer({ resolveWithObject: true });
  return frames.map((_, tile) => {
    const [left, top] = [(tile % columns) * widthPx, Math.floor(tile / columns) * heightPx];
    const picture = new Uint8Array(widthPx * heightPx);
    for (const y of count(heightPx)) {
      const from = (top + y) * info.width + left;
      picture.set(data.subarray(from, from + widthPx), y * widthPx);
    }
    return readFrameNumber(picture, { widthPx, heightPx }, 1);
  });
}

async function assertFrames(desk: Desk, file: FileRef, wanted: readonly Uint8Array[]): Promise<void> {
  let n = 0;
  for await (const frame of decodeFrames(desk.tools, desk.store.path(file.hash), { pixelFormat: "rgb24" })) {
    assertSameFrame(frame, wanted[n], `frame ${n}`);
    n++;
  }
  assertEquals(n, wanted.length);
}

const count = (frames: number, from = 0) => Array.from({ length: frames }, (_, n) => n + from);

onBackends("clips.ingest_take takes every form that a generator hands over", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const raw = rawInput({ ...clip, pixelFormat: "rgb24" });
  const encode = (args: string[]) => (path: string) =>
    tools.ffmpeg([...raw, ...args, path], { stdin: testFrames(clip) });
  const still = (n: number) =>
    sharp(testFrame(clip, n), { raw: { width: 96, height: 64, channels: 3 } }).png();
  const pngs = await Promise.all(
    count(21).map((n) => desk.keep("image/png", (path) => still(n).toFile(path))),
  );
  const join = async (path: string) => {
    const frames = await Promise.all(count(21).map((n) => still(n).toBuffer()));
    await sharp(frames, { join: { animated: true } }).webp({ lossless: true }).toFile(path);
  };
  const h264 = ["-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p", "-f", "mp4"];
  const forms = [
    { name: "mp4", isExact: false, files: [await desk.keep("video/mp4", encode(h264))] },
    {
      name: "webm",
      isExact: false,
      files: [await desk.keep("video/webm", encode(["-c:v", "libvpx", "-b:v", "2M", "-f", "webm"]))],
    },
    { name: "apng", isExact: true, files: [await desk.keep("image/apng", encode(["-f", "apng"]))] },
    { name: "webp", isExact: true, files: [await desk.keep("image/webp", join)] },
    { name: "pngs", isExact: true, files: pngs },
    { name: "intermediate", isExact: true, files: [await intermediate(desk, clip)] },
  ];
  const rate = { num: 16, den: 1 };
  for (const { name, isExact, files } of forms) {
    const taken = await desk.run(ingestTake, { files, rate, expectedFrames: 21, dropHead: 1 });
    assertEquals([name, taken.frameCount, taken.widthPx, taken.heightPx], [name, 20, 96, 64]);
    assertEquals([name, readIntermediate(desk.store.path(taken.intermediate.hash))?.rate], [name, rate]);
    assertEquals((await readVideoFacts(tools, desk.store.path(taken.proxy.hash))).rate, rate);
    assertEquals([name, ...await numbersIn(desk, taken.proxy)], [name, ...count(20, 1)]);
    assertEquals([name, ...await numbersOnSprite(desk, taken)], [name, ...count(20, 1)]);
    if (isExact) await assertFrames(desk, taken.intermediate, count(20, 1).map((n) => testFrame(clip, n)));
    else assertEquals(await numbersIn(desk, taken.intermediate), count(20, 1));
  }
  const [same] = forms.at(-1)?.files ?? [];
  const kept = await desk.run(ingestTake, {
    files: same ? [same] : [],
    rate: RATE,
    expectedFrames: 21,
    dropHead: 0,
  });
  assertEquals(kept.intermediate, same);
});

onBackends("clips.ingest_take gives up on what can never work, with the reason", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const ingest = (file: FileRef) =>
    desk.run(ingestTake, { files: [file], rate: RATE, expectedFrames: 21, dropHead: 0 });
  const bytes = (content: Uint8Array) => desk.keep("video/mp4", (path) => Deno.writeFile(path, content));
  await assertRejects(async () => await ingest(await bytes(new Uint8Array())), GiveUp, "is empty");
  await assertRejects(
    async () => await ingest(await bytes(new TextEncoder().encode("words"))),
    GiveUp,
    "a text file",
  );
  const path = `${folder}/a.mp4`;
  const raw = rawInput({ ...clip, pixelFormat: "rgb24" });
  for (const flags of ["+faststart", "0"]) {
    await tools.ffmpeg([...raw, "-c:v", "libx264", "-movflags", flags, path], { stdin: testFrames(clip) });
    const whole = await Deno.readFile(path);
    const cut = await bytes(whole.subarray(0, Math.floor(whole.byteLength * 0.6)));
    await assertRejects(() => ingest(cut), GiveUp, "truncated");
  }
  const take = await intermediate(desk, clip);
  const late = { files: [take], rate: RATE, expectedFrames: 21, dropHead: 21 };
  await assertRejects(() => desk.run(ingestTake, late), GiveUp, "none remain");
});

onBackends("clips.stitch without conform alters no frame and marks the parts", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const [a, b] = [await intermediate(desk, clip), await intermediate(desk, { ...clip, seed: 9 })];
  const cut = await desk.run(stitchCut, {
    parts: [{ file: a, firstFrame: 0, frameCount: 14 }, { file: b, firstFrame: 5, frameCount: 12 }],
    sourceRate: RATE,
    rate: RATE,
    conform: "none",
    frames: 26,
    widthPx: 96,
    heightPx: 64,
  });
  assertEquals([cut.frameCount, cut.boundaries], [26, [0, 14]]);
  const wanted = [
    ...count(14).map((n) => testFrame(clip, n)),
    ...count(12, 5).map((n) => testFrame({ ...clip, seed: 9 }, n)),
  ];
  await assertFrames(desk, cut.intermediate, wanted);
  for (const file of [cut.cut, cut.proxy]) {
    assertEquals(await numbersIn(desk, file), [...count(14), ...count(12, 5)]);
  }
  assertEquals((await sharp(desk.store.path(cut.poster.hash)).metadata()).width, 96);
  assertEquals(await numbersOnSprite(desk, cut), [...count(14), ...count(12, 5)]);
  const whole = { file: a, firstFrame: 0, frameCount: 21 };
  const sizes = { widthPx: 96, heightPx: 64, sourceRate: RATE, rate: RATE };
  const stitch = { ...sizes, parts: [whole], conform: "none" as const, frames: 21 };
  assertEquals((await desk.run(stitchCut, stitch)).intermediate, a);
  await assertRejects(() => desk.run(stitchCut, { ...stitch, frames: 20 }), GiveUp, "must agree");
  const beyond = { ...stitch, parts: [{ ...whole, firstFrame: 3 }] };
  await assertRejects(() => desk.run(stitchCut, beyond), GiveUp, "has 21");
});

onBackends("clips.stitch retimes a part and leaves the others' frames alone", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const [a, b] = [await intermediate(desk, clip), await intermediate(desk, { ...clip, seed: 9 })];
  const cut = await desk.run(stitchCut, {
    parts: [
      { file: a, firstFrame: 0, frameCount: 21, retimedFrames: 18 },
      { file: b, firstFrame: 5, frameCount: 12 },
    ],
    sourceRate: RATE,
    rate: RATE,
    conform: "none",
    frames: 30,
    widthPx: 96,
    heightPx: 64,
  });
  assertEquals([cut.frameCount, cut.boundaries], [30, [0, 18]]);
  const numbers = await numbersIn(desk, cut.intermediate);
  assertEquals([numbers[0], numbers[17], ...numbers.slice(18)], [0, 20, ...count(12, 5)]);
});

onBackends("clips.stitch conforms to the exact count and to another size", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const slow = { num: 16, den: 1 };
  const [a, b] = [
    await intermediate(desk, { ...clip, rate: slow }),
    await intermediate(desk, { ...clip, rate: slow, seed: 9 }),
  ];
  const cut = await desk.run(stitchCut, {
    parts: [{ file: a, firstFrame: 0, frameCount: 10 }, { file: b, firstFrame: 0, frameCount: 10 }],
    sourceRate: slow,
    rate: { num: 24000, den: 1001 },
    conform: "interpolate",
    frames: 30,
    widthPx: 96,
    heightPx: 64,
  });
  assertEquals([cut.frameCount, cut.boundaries], [30, [0, 15]]);
  for (const file of [cut.cut, cut.proxy, cut.intermediate]) {
    const numbers = await numbersIn(desk, file);
    assertEquals([numbers.length, numbers[0]], [30, 0]);
  }
  const larger = await desk.run(stitchCut, {
    parts: [{ file: a, firstFrame: 0, frameCount: 21 }],
    sourceRate: slow,
    rate: slow,
    conform: "none",
    frames: 21,
    widthPx: 120,
    heightPx: 80,
  });
  assertEquals(await numbersIn(desk, larger.cut, { widthPx: 120, heightPx: 80 }), count(21));
});

onBackends("an aborted stitch stops within 2 s", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const large = { ...clip, widthPx: 320, heightPx: 192, frameCount: 24, rate: { num: 8, den: 1 } };
  const file = await intermediate(desk, large);
  const stop = new AbortController();
  const part = { file, firstFrame: 0, frameCount: 24 };
  const run = desk.run(stitchCut, {
    parts: Array.from({ length: 20 }, () => part),
    sourceRate: large.rate,
    rate: RATE,
    conform: "interpolate",
    frames: 1440,
    widthPx: 320,
    heightPx: 192,
  }, stop.signal);
  run.catch(() => {});
  setTimeout(() => stop.abort(), 500);
  await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  const at = performance.now();
  await assertRejects(() => run, DOMException, "aborted");
  assert(performance.now() - at < 2000);
});

onBackends("media.proxy makes proxy, poster and hover sprite of a cut", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const file = await intermediate(desk, clip);
  const made = await desk.run(makeProxy, { file, rate: RATE, frameCount: 21, heightPx: 48 });
  assertEquals(await numbersIn(desk, made.proxy, { widthPx: 72, heightPx: 48 }), count(21));
  assertEquals(made.spriteLayout.frames, count(21));
  assertEquals(await numbersOnSprite(desk, made), count(21));
  const again = await desk.run(makeProxy, { file: made.proxy, rate: RATE, frameCount: 21 });
  assertEquals(await numbersIn(desk, again.proxy, { widthPx: 72, heightPx: 48 }), count(21));
  await assertRejects(
    () => desk.run(makeProxy, { file, rate: RATE, frameCount: 22 }),
    GiveUp,
    "has 21 frames",
  );
});

onBackends("scenes.assemble copies cuts that agree and conforms those that don't", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const stitch = async (seed: number, size: { widthPx: number; heightPx: number }) => {
    const file = await intermediate(desk, { ...clip, ...size, seed });
    const parts = [{ file, firstFrame: 0, frameCount: 21 }];
    return (await desk.run(stitchCut, {
      parts,
      sourceRate: RATE,
      rate: RATE,
      conform: "none",
      frames: 21,
      ...size,
    })).cut;
  };
  const size = { widthPx: 96, heightPx: 64 };
  const [a, b] = [await stitch(1, size), await stitch(2, size)];
  const assemble = (files: readonly FileRef[]) =>
    desk.run(assembleMaster, {
      items: files.map((file) => ({ file, frameCount: 21 })),
      rate: RATE,
      ...size,
      startTimecode: "01:00:00:00",
      title: "Scene 10: dawn",
    });
  const copied = await assemble([a, b]);
  assertEquals([copied.method, copied.frameCount, copied.boundaries], ["copied", 42, [0, 21]]);
  assertEquals([copied.facts.rate, copied.facts.isConstantRate, copied.facts.colorMatrix], [
    RATE,
    true,
    "bt709",
  ]);
  assertEquals(await numbersIn(desk, copied.master), [...count(21), ...count(21)]);
  const probe = await tools.probe(desk.store.path(copied.master.hash));
  assertEquals(probe.format.tags?.title, "Scene 10: dawn");
  assert(probe.streams.some((stream) => stream.tags?.timecode === "01:00:00:00"));
  const conformed = await assemble([a, await stitch(3, { widthPx: 120, heightPx: 64 })]);
  assertEquals([conformed.method, conformed.frameCount, conformed.boundaries], ["conformed", 42, [0, 21]]);
  assertEquals((await numbersIn(desk, conformed.master)).slice(0, 21), count(21));
  const wrong = {
    items: [{ file: a, frameCount: 20 }],
    rate: RATE,
    ...size,
    startTimecode: "01:00:00:00",
    title: "x",
  };
  await assertRejects(() => desk.run(assembleMaster, wrong), GiveUp, "stitch it again");
});

onBackends("media.inspect gives facts, and stills their working image", async (tools, folder) => {
  const desk = await openDesk(tools, folder);
  const photo = {
    create: { width: 50, height: 30, channels: 3 as const, background: { r: 9, g: 99, b: 199 } },
  };
  const file = await desk.keep(
    "image/jpeg",
    (path) => sharp(photo).jpeg().withMetadata({ orientation: 8 }).toFile(path),
  );
  const still = await desk.run(inspectMedia, { file });
  const { kind, mediaType, widthPx, heightPx } = still.facts;
  assertEquals([kind, mediaType, widthPx, heightPx], ["image", "image/jpeg", 30, 50]);
  const working = await sharp(desk.store.path(still.working?.hash ?? "")).metadata();
  assertEquals([working.format, working.width, working.height], ["png", 30, 50]);
  assert(still.thumbnail);
  const video = await desk.run(inspectMedia, { file: await intermediate(desk, clip) });
  assertEquals([video.facts.kind, video.facts.frameCount, video.facts.rate], ["video", 21, RATE]);
  const text = await desk.keep("image/png", (path) => Deno.writeTextFile(path, "words"));
  await assertRejects(() => desk.run(inspectMedia, { file: text }), GiveUp, "a text file");
});
