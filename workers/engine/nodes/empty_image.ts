import { constantBatch } from "#workers/engine/image_batch.ts";
import { defineNode } from "./node_spec.ts";

/** Frames of one colour, given as 0xRRGGBB. */
export const emptyImage = defineNode({
  classType: "EmptyImage",
  category: "image",
  module: "nodes",
  required: {
    width: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    height: ["INT", { default: 512, min: 1, max: 16384, step: 1 }],
    batch_size: ["INT", { default: 1, min: 1, max: 4096 }],
    color: ["INT", { default: 0, min: 0, max: 0xffffff, step: 1, display: "color" }],
  },
  outputs: [{ type: "IMAGE" }],
  run({ width, height, batch_size, color }) {
    const colour = [(color >> 16) & 0xff, (color >> 8) & 0xff, color & 0xff].map((byte) => byte / 0xff);
    return { outputs: [constantBatch({ width, height, channels: 3 }, batch_size, colour)] };
  },
});
