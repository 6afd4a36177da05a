import { join, relative, resolve } from "@std/path/mod.js";
import { isInside } from "./folders.ts";
import { isRecord } from "./json_text.ts";
import type { Folders } from "./nodes/node_spec.ts";

const WEIGHTS = [".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"];

/** Kinds of models, the folders (below `models`) that hold each, and the endings of its files. */
export const MODEL_FOLDERS: Readonly<
  Record<string, { readonly under: readonly string[]; readonly endings: readonly string[] }>
> = {
  checkpoints: { under: ["checkpoints"], endings: WEIGHTS },
  configs: { under: ["configs"], endings: [".yaml"] },
  loras: { under: ["loras"], endings: WEIGHTS },
  vae: { under: ["vae"], endings: WEIGHTS },
  text_encoders: { under: ["text_encoders", "clip"], endings: WEIGHTS },
  diffusion_models: { under: ["unet", "diffusion_models"], endings: WEIGHTS },
  clip_vision: { under: ["clip_vision"], endings: WEIGHTS },
  style_models: { under: ["style_models"], endings: WEIGHTS },
  embeddings: { under: ["embeddings"], endings: WEIGHTS },
  diffusers: { under: ["diffusers"], endings: [] },
  vae_approx: { under: ["vae_approx"], endings: WEIGHTS },
  controlnet: { under: ["controlnet", "t2i_adapter"], endings: WEIGHTS },
  gligen: { under: ["gligen"], endings: WEIGHTS },
  upscale_models: { under: ["upscale_models"], endings: WEIGHTS },
  custom_nodes: { under: [], endings: [] },
  hypernetworks: { under: ["hypernetworks"], endings: WEIGHTS },
  photomaker: { under: ["photomaker"], endings: WEIGHTS },
  classifiers: { under: ["classifiers"], endings: [""] },
  model_patches: { under: ["model_patches"], endings: WEIGHTS },
  audio_encoders: { under: ["audio_encoders"], endings: WEIGHTS },
};

/** Names of the models of a kind, relative to its folder, sorted; undefined for an unknown kind. */
export async function listModels(kind: string, folders: Folders): Promise<string[] | undefined> {
  if (!Object.hasOwn(MODEL_FOLDERS, kind)) return undefined;
  const { under, endings } = MODEL_FOLDERS[kind] ?? { under: [], endings: [] };
  const names = new Set<string>();
  for (const folder of under) {
    const root = join(folders.models, folder);
    for await (const path of walk(root)) {
      if (endings.some((ending) => path.endsWith(ending))) names.add(relative(root, path));
    }
  }
  return [...names].sort();
}

async function* walk(folder: string): AsyncGenerator<string> {
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) yield* walk(path);
      else if (entry.isFile) yield path;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Headers larger than this are not read: 1 MiB. */
const MAX_HEADER = 1024 * 1024;

/** The `__metadata__` of a safetensors file; undefined when the file, or that part of it, is not there. */
export async function readSafetensorsMetadata(
  kind: string,
  name: string,
  folders: Folders,
): Promise<Record<string, unknown> | undefined> {
  if (!name.endsWith(".safetensors") || !Object.hasOwn(MODEL_FOLDERS, kind)) return undefined;
  for (const folder of MODEL_FOLDERS[kind]?.under ?? []) {
    const root = join(folders.models, folder);
    const path = resolve(root, name);
    const header = isInside(root, path) ? await readHeader(path) : undefined;
    const metadata = isRecord(header) ? header["__metadata__"] : undefined;
    if (isRecord(metadata)) return metadata;
  }
  return undefined;
}

async function readHeader(path: string): Promise<unknown> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch {
    return undefined;
  }
  using open = file;
  const start = new Uint8Array(8);
  if (await open.read(start) !== 8) return undefined;
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER) return undefined;
  const text = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await open.read(text.subarray(at));
    if (read === null) return undefined;
    at += read;
  }
  try {
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return undefined;
  }
}
