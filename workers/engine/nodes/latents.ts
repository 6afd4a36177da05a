import { join } from "@std/path/mod.js";
import { metadataTexts } from "#workers/engine/encode_image.ts";
import {
  countedName,
  findSavePlace,
  inputFileExists,
  listInputFiles,
  resolveInputFile,
  writeWhole,
} from "#workers/engine/folders.ts";
import { batchOfFloats, type Channels } from "#workers/engine/image_batch.ts";
import { readTensor, writeTensors } from "#workers/engine/safetensors.ts";
import { defineNode, type Folders } from "./node_spec.ts";

/** An empty latent of the common kind: 4 channels, an eighth of the size. */
export const emptyLatentImage = defineNode({
  classType: "EmptyLatentImage",
  displayName: "Empty Latent Image",
  category: "latent",
  description: "Create a new batch of empty latent images to be denoised via sampling.",
  module: "nodes",
  required: {
    width: ["INT", { default: 512, min: 16, max: 16384, step: 8 }],
    height: ["INT", { default: 512, min: 16, max: 16384, step: 8 }],
    batch_size: ["INT", { default: 1, min: 1, max: 4096 }],
  },
  outputs: [{ type: "LATENT" }],
  run({ width, height, batch_size }) {
    const shape = [batch_size, 4, Math.floor(height / 8), Math.floor(width / 8)];
    return { outputs: [{ shape, samples: new Float32Array(shape.reduce((a, b) => a * b)) }] };
  },
});

/** The one VAE that needs no model: latents are the pixels, at −1 to 1. */
export const vaeLoader = defineNode({
  classType: "VAELoader",
  displayName: "Load VAE",
  category: "loaders",
  module: "nodes",
  required: { vae_name: [["pixel_space"]] },
  outputs: [{ type: "VAE" }],
  run: () => ({ outputs: [{ kind: "pixel_space" }] }),
});

/** Frames as a latent; alpha is left out. */
export const vaeEncode = defineNode({
  classType: "VAEEncode",
  displayName: "VAE Encode",
  category: "latent",
  module: "nodes",
  required: { pixels: ["IMAGE"], vae: ["VAE"] },
  outputs: [{ type: "LATENT" }],
  async run({ pixels }, context) {
    const { width, height, channels, length } = pixels;
    const plane = width * height;
    const samples = new Float32Array(length * 3 * plane);
    for (let index = 0; index < length; index++) {
      await context.breathe();
      const frame = pixels.floats(index);
      for (let c = 0; c < 3; c++) {
        const start = (index * 3 + c) * plane;
        for (let i = 0; i < plane; i++) {
          samples[start + i] = Math.fround(2 * (frame[i * channels + c] ?? 0)) - 1;
        }
      }
    }
    return { outputs: [{ shape: [length, 3, height, width], samples }] };
  },
});

/** A latent of 3 channels as frames, clipped to 0–1. */
export const vaeDecode = defineNode({
  classType: "VAEDecode",
  displayName: "VAE Decode",
  category: "latent",
  description: "Decodes latent images back into pixel space images.",
  module: "nodes",
  required: { samples: ["LATENT", {}], vae: ["VAE", {}] },
  outputs: [{ type: "IMAGE" }],
  async run({ samples: { shape, samples } }, context) {
    const [count = 0, channels = 0, height = 0, width = 0] = shape;
    if (shape.length !== 4 || channels !== 3) {
      throw new Error(
        `Cannot decode a latent of shape [${shape}]: pixel_space takes 3 channels, other models are needed`,
      );
    }
    const size: { width: number; height: number; channels: Channels } = { width, height, channels: 3 };
    const plane = width * height;
    const frames: Float32Array[] = [];
    for (let index = 0; index < count; index++) {
      await context.breathe();
      const frame = new Float32Array(3 * plane);
      for (let i = 0; i < 3 * plane; i++) {
        const value = samples[(index * 3 + i % 3) * plane + Math.floor(i / 3)] ?? 0;
        frame[i] = Math.min(1, Math.max(0, Math.fround(value + 1) / 2));
      }
      frames.push(frame);
    }
    return { outputs: [batchOfFloats(size, frames)] };
  },
});

/** A latent as a file that holds its graph. */
export const saveLatent = defineNode({
  classType: "SaveLatent",
  category: "_for_testing",
  module: "nodes",
  required: { samples: ["LATENT"], filename_prefix: ["STRING", { default: "latents/ComfyUI" }] },
  hidden: { prompt: "PROMPT", extra_pnginfo: "EXTRA_PNGINFO" },
  outputs: [],
  outputNode: true,
  async run({ samples, filename_prefix }, context) {
    const place = await findSavePlace(filename_prefix, context.folders.output, { width: 0, height: 0 });
    const filename = countedName(place.name, place.counter, "latent");
    const bytes = writeTensors({
      latent_tensor: { shape: samples.shape, values: samples.samples },
      // Its presence tells that the values are unscaled.
      latent_format_version_0: { shape: [0], values: new Float32Array(0) },
    }, metadataTexts(context.metadata));
    await writeWhole(join(place.folder, filename), (path) => Deno.writeFile(path, bytes));
    return { outputs: [], ui: { latents: [{ filename, subfolder: place.subfolder, type: "output" }] } };
  },
});

/** A latent of a file of the input folder. */
export const loadLatent = defineNode({
  classType: "LoadLatent",
  category: "_for_testing",
  module: "nodes",
  required: { latent: [(folders: Folders) => listInputFiles(folders, "latent")] },
  outputs: [{ type: "LATENT" }],
  async fingerprint({ latent }, folders) {
    const { mtime, size } = await Deno.stat(resolveInputFile(String(latent), folders));
    return [mtime?.getTime() ?? 0, size];
  },
  validates: ["latent"],
  async validate({ latent }, folders) {
    return await inputFileExists(String(latent), folders) || `Invalid latent file: ${latent}`;
  },
  async run({ latent }, { folders }) {
    const file = await Deno.readFile(resolveInputFile(latent, folders));
    const tensor = readTensor(file, "latent_tensor");
    if (!tensor) throw new Error(`Cannot read ${latent}: it holds no latent`);
    // Old files were scaled for Stable Diffusion 1.
    const factor = readTensor(file, "latent_format_version_0") ? 1 : 1 / 0.18215;
    return { outputs: [{ shape: tensor.shape, samples: tensor.values.map((value) => value * factor) }] };
  },
});
