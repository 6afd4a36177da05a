import { join } from "@std/path/mod.js";
import { embedMetadata, encodePng } from "#workers/engine/encode_image.ts";
import { countedName, findSavePlace, writeWhole } from "#workers/engine/folders.ts";
import type { ImageBatch } from "#workers/engine/image_batch.ts";
import { defineNode, type NodeContext } from "./node_spec.ts";

/** One file that a saver shows. */
export interface SavedFile {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: "output" | "temp";
}

/** Saves each frame as a PNG that holds its graph. */
export const saveImage = defineNode({
  classType: "SaveImage",
  displayName: "Save Image",
  category: "image",
  description: "Saves the input images to your ComfyUI output directory.",
  module: "nodes",
  required: { images: ["IMAGE", {}], filename_prefix: ["STRING", { default: "ComfyUI" }] },
  hidden: { prompt: "PROMPT", extra_pnginfo: "EXTRA_PNGINFO" },
  outputs: [],
  outputNode: true,
  async run({ images, filename_prefix }, context) {
    const files = await savePngs(images, context, { prefix: filename_prefix, type: "output", level: 4 });
    return { outputs: [], ui: { images: files } };
  },
});

/** Shows each frame through a file that lasts until the engine stops. */
export const previewImage = defineNode({
  classType: "PreviewImage",
  displayName: "Preview Image",
  category: "image",
  description: "Saves the input images to your ComfyUI output directory.",
  module: "nodes",
  required: { images: ["IMAGE"] },
  hidden: { prompt: "PROMPT", extra_pnginfo: "EXTRA_PNGINFO" },
  outputs: [],
  outputNode: true,
  async run({ images }, context) {
    const letters = crypto.getRandomValues(new Uint8Array(5));
    const mark = [...letters].map((value) => String.fromCharCode(97 + value % 26)).join("");
    const files = await savePngs(images, context, { prefix: `ComfyUI_temp_${mark}`, type: "temp", level: 1 });
    return { outputs: [], ui: { images: files } };
  },
});

async function savePngs(
  images: ImageBatch,
  context: NodeContext,
  how: { prefix: string; type: "output" | "temp"; level: number },
): Promise<SavedFile[]> {
  const place = await findSavePlace(how.prefix, context.folders[how.type], images);
  const files: SavedFile[] = [];
  for (let index = 0; index < images.length; index++) {
    await context.breathe();
    const name = place.name.replaceAll("%batch_num%", String(index));
    const filename = countedName(name, place.counter + index, "png");
    const png = embedMetadata(await encodePng(images, index, how.level), context.metadata);
    await writeWhole(join(place.folder, filename), (path) => Deno.writeFile(path, png));
    files.push({ filename, subfolder: place.subfolder, type: how.type });
  }
  return files;
}
