import { join } from "@std/path/mod.js";
import { reduceRate } from "#server/core/media_time.ts";
import { countedName, findSavePlace, writeWhole } from "#workers/engine/folders.ts";
import type { ImageBatch } from "#workers/engine/image_batch.ts";
import { writeIntermediate } from "#workers/media/lossless.ts";
import { pictureOf } from "./frame_pictures.ts";
import { defineNode, type NodeContext } from "./node_spec.ts";

/** Frames as the studio's lossless intermediate at an exact rational rate, every byte kept. */
export const seedloopSaveVideo = defineNode({
  classType: "SeedloopSaveVideo",
  displayName: "Seedloop Save Video (lossless)",
  category: "seedloop",
  description: "Saves frames without loss at a constant, exact rate.",
  required: {
    images: ["IMAGE"],
    filename_prefix: ["STRING", { default: "seedloop/take" }],
    rate_num: ["INT", { default: 24, min: 1, max: 1_000_000 }],
    rate_den: ["INT", { default: 1, min: 1, max: 1_000_000 }],
  },
  outputs: [],
  outputNode: true,
  async run({ images, filename_prefix, rate_num, rate_den }, context) {
    const tools = await context.media();
    const place = await findSavePlace(filename_prefix, context.folders.output, images);
    const filename = countedName(place.name, place.counter, "avi");
    const shape = {
      widthPx: images.width,
      heightPx: images.height,
      rate: reduceRate({ num: rate_num, den: rate_den }),
    };
    await writeWhole(join(place.folder, filename), async (path) => {
      await writeIntermediate(tools, rgbFrames(images, context), shape, path, { signal: context.signal });
    });
    return {
      outputs: [],
      ui: { images: [{ filename, subfolder: place.subfolder, type: "output" }], animated: [true] },
    };
  },
});

async function* rgbFrames(images: ImageBatch, context: NodeContext): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < images.length; index++) {
    await context.breathe();
    yield pictureOf(images, index).rgb;
    context.progress(index + 1, images.length);
  }
}
