import { assertEquals } from "@std/assert/equals.js";
import { assertRejects } from "@std/assert/rejects.js";
import { join } from "@std/path/mod.js";
import { prepareFolders } from "#workers/engine/folders.ts";
import { batchOfBytes, type ImageBatch } from "#workers/engine/image_batch.ts";
import { drawNoise, drawPerson } from "#workers/engine/pixels/testing.ts";
import { decodeFrames, readIntermediate } from "#workers/media/lossless.ts";
import { openMediaTools } from "#workers/media/run.ts";
import type { Log } from "#server/core/log.ts";
import { Interrupted, type NodeContext } from "./node_spec.ts";
import { seedloopFoundation } from "./seedloop_foundation.ts";
import { seedloopMotion } from "./seedloop_motion.ts";
import { seedloopPortrait } from "./seedloop_portrait.ts";
import { seedloopSaveVideo } from "./seedloop_save_video.ts";

const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => QUIET };

async function givenContext(base: string): Promise<NodeContext & { done: number; stopAt: number }> {
  const folders = await prepareFolders(base);
  const context = {
    ...{ done: 0, stopAt: Infinity, signal: new AbortController().signal, log: QUIET, folders },
    ...{ promptId: "p", nodeId: "1", metadata: { prompt: {}, extraPnginfo: undefined } },
    media: () => openMediaTools(),
    progress(value: number) {
      context.done = value;
    },
    preview() {},
    text() {},
    breathe() {
      return context.done >= context.stopAt ? Promise.reject(new Interrupted()) : Promise.resolve();
    },
  };
  return context;
}

async function inFolder(
  test: (context: Awaited<ReturnType<typeof givenContext>>) => Promise<void>,
): Promise<void> {
  const base = await Deno.makeTempDir();
  try {
    await test(await givenContext(base));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

function batch(picture: { width: number; height: number; rgb: Uint8Array }): ImageBatch {
  return batchOfBytes({ width: picture.width, height: picture.height, channels: 3 }, [picture.rgb]);
}

const MOTION = {
  ...{ width: 96, height: 64, frames: 12, rate_num: 24, rate_den: 1, seed: 3 },
  ...{ motion: 1, camera: "auto", breathing: 1, grain: 0.7 },
};

Deno.test("SeedloopMotion hands out frames that begin with the start image, byte for byte", () =>
  inFolder(async (context) => {
    const start = batch(drawPerson(96, 64).picture);
    const { outputs: [made] } = await seedloopMotion.run({ start_image: start, ...MOTION }, context);
    const frames = made as ImageBatch;
    assertEquals([frames.length, frames.width, frames.height, frames.isBytes], [12, 96, 64, true]);
    assertEquals(frames.bytes(0), start.bytes(0));
    assertEquals(context.done, 12);
  }));

Deno.test("SeedloopMotion stops between two frames when it is interrupted", () =>
  inFolder(async (context) => {
    context.stopAt = 4;
    const start_image = batch(drawNoise(300, 50, 1));
    await assertRejects(
      () => Promise.resolve(seedloopMotion.run({ start_image, ...MOTION, frames: 4000 }, context)),
      Interrupted,
    );
    assertEquals(context.done, 4);
  }));

Deno.test("SeedloopFoundation makes a frame of the asked size; SeedloopPortrait refuses one without a face", () =>
  inFolder(async (context) => {
    const portrait = batch(drawNoise(20, 20, 5));
    const { outputs: [made] } = await seedloopFoundation.run(
      { portrait, seed: 4, strength: 0.7, width: 128, height: 72 },
      context,
    );
    assertEquals([(made as ImageBatch).width, (made as ImageBatch).height], [128, 72]);
    await assertRejects(
      () => Promise.resolve(seedloopPortrait.run({ foundation: made, width: 64, height: 64 }, context)),
      RangeError,
      "no face was found",
    );
  }));

Deno.test("SeedloopSaveVideo keeps every byte at the exact rate", () =>
  inFolder(async (context) => {
    const pictures = [1, 2, 3].map((seed) => drawNoise(64, 48, seed));
    const images = batchOfBytes({ width: 64, height: 48, channels: 3 }, pictures.map(({ rgb }) => rgb));
    const inputs = { images, filename_prefix: "clips/take", rate_num: 24000, rate_den: 1001 };
    const { ui } = await seedloopSaveVideo.run(inputs, context);
    const image = (ui?.images as { filename: string; subfolder: string; type: string }[])[0]!;
    assertEquals([image.subfolder, image.type, ui?.animated], ["clips", "output", [true]]);
    const path = join(context.folders.output, image.subfolder, image.filename);
    const file = readIntermediate(path);
    assertEquals(file?.rate, { num: 24000, den: 1001 });
    let index = 0;
    for await (const frame of decodeFrames(await openMediaTools(), path, { pixelFormat: "rgb24" })) {
      assertEquals(frame, pictures[index++]?.rgb);
    }
    assertEquals(index, 3);
  }));
