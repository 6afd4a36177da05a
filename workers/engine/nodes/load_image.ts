import { createHash } from "node:crypto";
import { type DecodedImage, decodeImage } from "#workers/engine/decode_image.ts";
import { inputFileExists, listInputFiles, resolveInputFile } from "#workers/engine/folders.ts";
import { batchOfBytes, constantBatch, type ImageBatch, mapValues } from "#workers/engine/image_batch.ts";
import { defineNode, type Folders, type LiteralInputs } from "./node_spec.ts";

async function fingerprint({ image }: LiteralInputs, folders: Folders): Promise<string> {
  const bytes = await Deno.readFile(resolveInputFile(String(image), folders));
  return createHash("sha256").update(bytes).digest("hex");
}

async function validate({ image }: LiteralInputs, folders: Folders): Promise<true | string> {
  return await inputFileExists(String(image), folders) || `Invalid image file: ${image}`;
}

/** Every frame of an image file as RGB, and 1 − alpha; without alpha a 64×64 mask of zeros. */
export const loadImage = defineNode({
  classType: "LoadImage",
  displayName: "Load Image",
  category: "image",
  module: "nodes",
  required: { image: [(folders: Folders) => listInputFiles(folders, "image"), { image_upload: true }] },
  outputs: [{ type: "IMAGE" }, { type: "MASK" }],
  fingerprint,
  validates: ["image"],
  validate,
  async run({ image }, { folders }) {
    const decoded = await decodeImage(resolveInputFile(image, folders));
    const { width, height, rgb } = decoded;
    return { outputs: [batchOfBytes({ width, height, channels: 3 }, rgb), maskOf(decoded)] };
  },
});

/** One channel of an image file as a mask; alpha as 1 − alpha. */
export const loadImageMask = defineNode({
  classType: "LoadImageMask",
  displayName: "Load Image (as Mask)",
  category: "mask",
  module: "nodes",
  required: {
    image: [(folders: Folders) => listInputFiles(folders), { image_upload: true }],
    channel: [["alpha", "red", "green", "blue"]],
  },
  outputs: [{ type: "MASK" }],
  fingerprint,
  validates: ["image"],
  validate,
  async run({ image, channel }, { folders }) {
    const decoded = await decodeImage(resolveInputFile(image, folders));
    const { width, height, rgb: [first] } = decoded;
    if (!first) throw new Error(`Cannot read ${image}: it holds no picture`);
    if (channel === "alpha") return { outputs: [alphaMask(decoded)] };
    const offset = ["red", "green", "blue"].indexOf(channel);
    const values = new Uint8Array(width * height);
    for (let i = 0; i < values.length; i++) values[i] = first[3 * i + offset] ?? 0;
    return { outputs: [batchOfBytes({ width, height, channels: 1 }, [values])] };
  },
});

function maskOf({ width, height, alpha }: DecodedImage): ImageBatch {
  if (!alpha) return constantBatch({ width: 64, height: 64, channels: 1 }, 1, [0]);
  return mapValues(batchOfBytes({ width, height, channels: 1 }, alpha), (x) => 1 - x);
}

/** A picture without alpha counts as opaque: its mask is 0 everywhere, at its own size. */
function alphaMask(decoded: DecodedImage): ImageBatch {
  const { width, height, alpha } = decoded;
  if (alpha) return maskOf({ ...decoded, alpha: alpha.slice(0, 1) });
  return constantBatch({ width, height, channels: 1 }, 1, [0]);
}
