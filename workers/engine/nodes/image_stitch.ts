import { buildFloats, type Channels, type ImageBatch } from "#workers/engine/image_batch.ts";
import { resizeBatch } from "#workers/engine/resize.ts";
import { defineNode } from "./node_spec.ts";

const COLOURS = {
  white: [1, 1, 1],
  black: [0, 0, 0],
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
} as const;

/** Two images side by side or one above the other, with a gap between. */
export const imageStitch = defineNode({
  classType: "ImageStitch",
  displayName: "Image Stitch",
  category: "image/transform",
  description: "Stitches image2 to image1 in the specified direction.\n" +
    "If image2 is not provided, returns image1 unchanged.\nOptional spacing can be added between images.",
  module: "comfy_extras.nodes_images",
  required: {
    image1: ["IMAGE"],
    direction: [["right", "down", "left", "up"], { default: "right" }],
    match_image_size: ["BOOLEAN", { default: true }],
    spacing_width: ["INT", { default: 0, min: 0, max: 1024, step: 2 }],
    spacing_color: [["white", "black", "red", "green", "blue"], { default: "white" }],
  },
  optional: { image2: ["IMAGE"] },
  outputs: [{ type: "IMAGE" }],
  async run({ image1, image2, direction, match_image_size, spacing_width, spacing_color }, context) {
    if (!image2) return { outputs: [image1] };
    const beside = direction === "left" || direction === "right";
    const aspect = image2.width / image2.height;
    const matched = beside
      ? { height: image1.height, width: Math.trunc(image1.height * aspect) }
      : { width: image1.width, height: Math.trunc(image1.width / aspect) };
    const fitted = match_image_size
      ? await resizeBatch(image2, matched, "lanczos", "disabled", () => context.breathe())
      : image2;
    const parts = direction === "left" || direction === "up" ? [fitted, image1] : [image1, fitted];
    const gap = spacing_width + spacing_width % 2;
    const channels: Channels = Math.max(image1.channels, fitted.channels) === 4 ? 4 : 3;
    const along = (side: "width" | "height") => image1[side] + fitted[side] + gap;
    const across = (side: "width" | "height") => Math.max(image1[side], fitted[side]);
    const size = {
      width: beside ? along("width") : across("width"),
      height: beside ? across("height") : along("height"),
      channels,
    };
    const length = Math.max(image1.length, fitted.length);
    const isGrey = spacing_color === "white" || spacing_color === "black";
    const stitched = await buildFloats(size, length, async (index) => {
      await context.breathe();
      // Bars at the sides of the smaller image are black for coloured gaps.
      const frame = fill(
        size,
        isGrey ? [...COLOURS[spacing_color], COLOURS[spacing_color][0]] : [0, 0, 0, 0],
      );
      let at = 0;
      parts.forEach((part, order) => {
        const slack = beside ? size.height - part.height : size.width - part.width;
        const half = Math.floor(slack / 2);
        copy(frame, size, part, Math.min(index, part.length - 1), beside ? [at, half] : [half, at]);
        at += beside ? part.width : part.height;
        if (order === 0 && gap > 0) {
          const box = beside ? [at, 0, gap, size.height] as const : [0, at, size.width, gap] as const;
          paint(frame, size, box, [...COLOURS[spacing_color], 1]);
          at += gap;
        }
      });
      return frame;
    });
    return { outputs: [stitched] };
  },
});

interface Size {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
}

function fill(size: Size, colour: readonly number[]): Float32Array {
  const frame = new Float32Array(size.width * size.height * size.channels);
  paint(frame, size, [0, 0, size.width, size.height], colour);
  return frame;
}

function paint(
  frame: Float32Array,
  size: Size,
  [left, top, width, height]: readonly [number, number, number, number],
  colour: readonly number[],
): void {
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      for (let c = 0; c < size.channels; c++) {
        frame[(y * size.width + x) * size.channels + c] = colour[c] ?? 1;
      }
    }
  }
}

function copy(
  frame: Float32Array,
  size: Size,
  part: ImageBatch,
  index: number,
  [left, top]: readonly [number, number],
): void {
  const source = part.floats(index);
  for (let y = 0; y < part.height; y++) {
    for (let x = 0; x < part.width; x++) {
      const to = ((y + top) * size.width + x + left) * size.channels;
      const from = (y * part.width + x) * part.channels;
      // What has no alpha is opaque.
      for (let c = 0; c < size.channels; c++) frame[to + c] = c < part.channels ? source[from + c] ?? 0 : 1;
    }
  }
}
