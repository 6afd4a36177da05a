import { joinBatches, sameSize } from "#workers/engine/image_batch.ts";
import { resizeBatch } from "#workers/engine/resize.ts";
import { defineNode } from "./node_spec.ts";

/** Two batches one after the other; the second takes the first one's size. */
export const imageBatch = defineNode({
  classType: "ImageBatch",
  displayName: "Batch Images",
  category: "image",
  module: "nodes",
  required: { image1: ["IMAGE"], image2: ["IMAGE"] },
  outputs: [{ type: "IMAGE" }],
  async run({ image1, image2 }, context) {
    const fitted = sameSize(image1, image2)
      ? image2
      : await resizeBatch(image2, image1, "bilinear", "center", () => context.breathe());
    return { outputs: [joinBatches([image1, fitted])] };
  },
});

/** Some frames of a batch. */
export const imageFromBatch = defineNode({
  classType: "ImageFromBatch",
  category: "image/batch",
  module: "comfy_extras.nodes_images",
  required: {
    image: ["IMAGE"],
    batch_index: ["INT", { default: 0, min: 0, max: 4095 }],
    length: ["INT", { default: 1, min: 1, max: 4096 }],
  },
  outputs: [{ type: "IMAGE" }],
  run({ image, batch_index, length }) {
    const start = Math.min(image.length - 1, batch_index);
    return { outputs: [image.slice(start, start + Math.min(image.length - start, length))] };
  },
});

/** The whole batch, several times over. */
export const repeatImageBatch = defineNode({
  classType: "RepeatImageBatch",
  category: "image/batch",
  module: "comfy_extras.nodes_images",
  required: { image: ["IMAGE"], amount: ["INT", { default: 1, min: 1, max: 4096 }] },
  outputs: [{ type: "IMAGE" }],
  run: ({ image, amount }) => ({ outputs: [joinBatches(Array.from({ length: amount }, () => image))] }),
});

/** All frames of all batches, in new batches of one length; a list. */
export const rebatchImages = defineNode({
  classType: "RebatchImages",
  displayName: "Rebatch Images",
  category: "image/batch",
  module: "comfy_extras.nodes_rebatch",
  schema: "v3",
  required: { images: ["IMAGE", {}], batch_size: ["INT", { default: 1, min: 1, max: 4096 }] },
  outputs: [{ type: "IMAGE", list: true }],
  inputIsList: true,
  run({ images, batch_size: [size = 1] }) {
    const single = images.flatMap((batch) =>
      Array.from({ length: batch.length }, (_, index) => batch.slice(index, index + 1))
    );
    const batches = [];
    for (let at = 0; at < single.length; at += size) batches.push(joinBatches(single.slice(at, at + size)));
    return { outputs: [batches] };
  },
});

/** Sides and count as numbers, shown on the node too. */
export const getImageSize = defineNode({
  classType: "GetImageSize",
  displayName: "Get Image Size",
  category: "image",
  description: "Returns width and height of the image, and passes it through unchanged.",
  module: "comfy_extras.nodes_images",
  required: { image: ["IMAGE"] },
  hidden: { unique_id: "UNIQUE_ID" },
  outputs: [{ type: "INT", name: "width" }, { type: "INT", name: "height" }, {
    type: "INT",
    name: "batch_size",
  }],
  run({ image }, context) {
    const { width, height, length } = image;
    context.text(`width: ${width}, height: ${height}\n batch size: ${length}`);
    return { outputs: [width, height, length] };
  },
});
