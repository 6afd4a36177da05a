import { join } from "@std/path/mod.js";
import sharp from "sharp";
import { encodeApng } from "#workers/engine/encode_apng.ts";
import { metadataTexts } from "#workers/engine/encode_image.ts";
import { countedName, findSavePlace, writeWhole } from "#workers/engine/folders.ts";
import type { ImageBatch } from "#workers/engine/image_batch.ts";
import { defineNode, type NodeContext, type NodeResult } from "./node_spec.ts";

const shared = {
  category: "image/animation",
  module: "comfy_extras.nodes_images",
  hidden: { prompt: "PROMPT", extra_pnginfo: "EXTRA_PNGINFO" },
  outputs: [],
  outputNode: true,
} as const;

/** All frames as one animated WebP, its graph in EXIF. */
export const saveAnimatedWebp = defineNode({
  ...shared,
  classType: "SaveAnimatedWEBP",
  required: {
    images: ["IMAGE"],
    filename_prefix: ["STRING", { default: "ComfyUI" }],
    fps: ["FLOAT", { default: 6, min: 0.01, max: 1000, step: 0.01 }],
    lossless: ["BOOLEAN", { default: true }],
    quality: ["INT", { default: 80, min: 0, max: 100 }],
    method: [["default", "fastest", "slowest"]],
  },
  run({ images, filename_prefix, fps, lossless, quality, method }, context) {
    const effort = { default: 4, fastest: 0, slowest: 6 }[method];
    const delay = Array.from({ length: images.length }, () => delayOf(fps));
    const webp = { lossless, quality: Math.max(1, quality), effort, loop: 0, delay };
    return save(images, filename_prefix, "webp", context, () => encodeWebp(images, webp, context));
  },
});

/** All frames as one animated PNG, its graph in chunks of its own. */
export const saveAnimatedPng = defineNode({
  ...shared,
  classType: "SaveAnimatedPNG",
  required: {
    images: ["IMAGE"],
    filename_prefix: ["STRING", { default: "ComfyUI" }],
    fps: ["FLOAT", { default: 6, min: 0.01, max: 1000, step: 0.01 }],
    compress_level: ["INT", { default: 4, min: 0, max: 9 }],
  },
  run({ images, filename_prefix, fps, compress_level }, context) {
    return save(images, filename_prefix, "png", context, () =>
      encodeApng(images, {
        level: compress_level,
        delayMs: delayOf(fps),
        texts: metadataTexts(context.metadata),
        breathe: () => context.breathe(),
      }));
  },
});

/** Whole milliseconds, as ComfyUI counts them. */
function delayOf(fps: number): number {
  return Math.trunc(1000 / fps);
}

async function save(
  images: ImageBatch,
  prefix: string,
  extension: string,
  context: NodeContext,
  encode: () => Promise<Uint8Array>,
): Promise<NodeResult> {
  const place = await findSavePlace(prefix, context.folders.output, images);
  const filename = countedName(place.name, place.counter, extension);
  const bytes = await encode();
  await writeWhole(join(place.folder, filename), (path) => Deno.writeFile(path, bytes));
  return {
    outputs: [],
    ui: { images: [{ filename, subfolder: place.subfolder, type: "output" }], animated: [true] },
  };
}

async function encodeWebp(
  images: ImageBatch,
  options: { lossless: boolean; quality: number; effort: number; loop: number; delay: number[] },
  context: NodeContext,
): Promise<Uint8Array> {
  const { width, height, channels, length } = images;
  // The encoder takes the frames as one tall picture, cut into pages.
  const tall = new Uint8Array(width * height * channels * length);
  for (let index = 0; index < length; index++) {
    await context.breathe();
    tall.set(images.bytes(index), index * width * height * channels);
  }
  const { prompt = "", ...others } = metadataTexts(context.metadata);
  // Tag 0x010F and downwards, as ComfyUI counts: Make, ImageDescription.
  const tags = ["Make", "ImageDescription"];
  const exif: Record<string, string> = { Model: `prompt:${prompt}` };
  Object.entries(others).forEach(([key, text], at) => {
    const tag = tags[at];
    if (tag) exif[tag] = `${key}:${text}`;
  });
  return await sharp(tall, { raw: { width, height: height * length, channels, pageHeight: height } })
    .webp(options)
    .withExif({ IFD0: exif })
    .toBuffer();
}
