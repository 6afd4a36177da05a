import { batchOfFloats, buildFloats, type ImageBatch } from "#workers/engine/image_batch.ts";
import { resizeBatch } from "#workers/engine/resize.ts";
import { defineNode } from "./node_spec.ts";

/** A mask as grey frames. */
export const maskToImage = defineNode({
  classType: "MaskToImage",
  displayName: "Convert Mask to Image",
  category: "mask",
  module: "comfy_extras.nodes_mask",
  required: { mask: ["MASK"] },
  outputs: [{ type: "IMAGE" }],
  async run({ mask }, context) {
    const size = { width: mask.width, height: mask.height, channels: 3 } as const;
    const grey = await buildFloats(size, mask.length, async (index) => {
      await context.breathe();
      const values = mask.floats(index);
      return Float32Array.from({ length: 3 * values.length }, (_, i) => values[Math.floor(i / 3)] ?? 0);
    });
    return { outputs: [grey] };
  },
});

/** One channel of the frames as a mask. */
export const imageToMask = defineNode({
  classType: "ImageToMask",
  displayName: "Convert Image to Mask",
  category: "mask",
  module: "comfy_extras.nodes_mask",
  required: { image: ["IMAGE"], channel: [["red", "green", "blue", "alpha"]] },
  outputs: [{ type: "MASK" }],
  async run({ image, channel }, context) {
    const { width, height, channels } = image;
    const offset = ["red", "green", "blue", "alpha"].indexOf(channel);
    if (offset >= channels) throw new Error("Cannot take alpha as a mask: the image has none");
    const mask = await buildFloats({ width, height, channels: 1 }, image.length, async (index) => {
      await context.breathe();
      const values = image.floats(index);
      return Float32Array.from({ length: width * height }, (_, i) => values[i * channels + offset] ?? 0);
    });
    return { outputs: [mask] };
  },
});

/** One image on another at a place, through a mask that is fitted to it. */
export const imageCompositeMasked = defineNode({
  classType: "ImageCompositeMasked",
  category: "image",
  module: "comfy_extras.nodes_mask",
  required: {
    destination: ["IMAGE"],
    source: ["IMAGE"],
    x: ["INT", { default: 0, min: 0, max: 16384, step: 1 }],
    y: ["INT", { default: 0, min: 0, max: 16384, step: 1 }],
    resize_source: ["BOOLEAN", { default: false }],
  },
  optional: { mask: ["MASK"] },
  outputs: [{ type: "IMAGE" }],
  async run({ destination, source, x, y, resize_source, mask }, context) {
    if (destination.channels !== source.channels) {
      throw new Error("Cannot put an image with alpha on one without: load both alike");
    }
    const breathe = () => context.breathe();
    const over = resize_source
      ? await resizeBatch(source, destination, "bilinear", "disabled", breathe)
      : source;
    const through = await resizeBatch(mask ?? opaque(), over, "bilinear", "disabled", breathe);
    const made = await buildFloats(destination, destination.length, async (index) => {
      await breathe();
      const below = destination.floats(index).slice();
      const share = through.floats(index % through.length);
      put(below, destination, over.floats(index % over.length), over, share, { x, y });
      return below;
    });
    return { outputs: [made] };
  },
});

function opaque(): ImageBatch {
  return batchOfFloats({ width: 1, height: 1, channels: 1 }, [Float32Array.of(1)]);
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

function put(
  below: Float32Array,
  size: Size,
  above: Float32Array,
  over: Size,
  share: Float32Array,
  at: { readonly x: number; readonly y: number },
): void {
  const width = Math.min(over.width, size.width - at.x);
  const height = Math.min(over.height, size.height - at.y);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const part = share[y * over.width + x] ?? 0;
      const target = ((y + at.y) * size.width + x + at.x) * size.channels;
      const source = (y * over.width + x) * over.channels;
      for (let c = 0; c < size.channels; c++) {
        const kept = Math.fround(Math.fround(1 - part) * (below[target + c] ?? 0));
        below[target + c] = Math.fround(part * (above[source + c] ?? 0)) + kept;
      }
    }
  }
}
