import { basename, extname, join, resolve } from "@std/path/mod.js";
import sharp from "sharp";
import { decodeImage } from "#workers/engine/decode_image.ts";
import { isFolderType, isInside, splitAnnotation, writeWhole } from "#workers/engine/folders.ts";
import { isRecord } from "#workers/engine/json_text.ts";
import type { Folders } from "#workers/engine/nodes/node_spec.ts";
import { copyPngTexts } from "#workers/engine/png_text.ts";
import { empty, json, readBody } from "./http.ts";

/** Runs one piece of work after the other. */
export type InTurn = (work: () => Promise<Response>) => Promise<Response>;

interface Upload {
  readonly bytes: Uint8Array;
  readonly form: FormData;
  readonly type: string;
  readonly subfolder: string;
  readonly folder: string;
  readonly name: string;
  readonly overwrite: boolean;
}

/**
 * Answers `/upload/image`, which takes any file. A name that is taken by the same bytes is reused; taken by
 * others, the upload becomes "name (1).ext".
 */
export async function receiveImage(request: Request, folders: Folders, inTurn: InTurn): Promise<Response> {
  const upload = await readUpload(request, folders);
  if (upload instanceof Response) return upload;
  return await inTurn(() => keep(upload, (path) => Deno.writeFile(path, upload.bytes)));
}

/**
 * Answers `/upload/mask`: keeps the picture named by `original_ref` with the uploaded picture's alpha. As in
 * ComfyUI the answer is 200 even when there is no such picture, and then nothing is written.
 */
export async function receiveMask(request: Request, folders: Folders, inTurn: InTurn): Promise<Response> {
  const upload = await readUpload(request, folders);
  if (upload instanceof Response) return upload;
  const original = await findOriginal(JSON.parse(String(upload.form.get("original_ref"))), folders);
  const write = original === undefined
    ? undefined
    : (path: string) => writeMasked(original, upload.bytes, path);
  return await inTurn(() => keep(upload, write));
}

async function readUpload(request: Request, folders: Folders): Promise<Upload | Response> {
  const body = await readBody(request);
  const form = await new Response(body, {
    headers: { "content-type": request.headers.get("content-type") ?? "" },
  })
    .formData();
  const type = form.get("type") ?? "input";
  if (typeof type !== "string" || !isFolderType(type)) throw new TypeError("There is no folder of that type");
  const file = form.get("image");
  if (!(file instanceof File) || file.name === "") return empty(400);
  const subfolder = form.get("subfolder") ?? "";
  if (typeof subfolder !== "string") return empty(400);
  const folder = resolve(folders[type], subfolder);
  if (!isInside(folders[type], resolve(folder, file.name))) return empty(400);
  const overwrite = form.get("overwrite");
  return {
    bytes: await file.bytes(),
    form,
    type,
    subfolder,
    folder,
    name: file.name,
    overwrite: overwrite === "true" || overwrite === "1",
  };
}

async function keep(upload: Upload, write: ((path: string) => Promise<void>) | undefined): Promise<Response> {
  await Deno.mkdir(upload.folder, { recursive: true });
  const { name, isDuplicate } = upload.overwrite
    ? { name: upload.name, isDuplicate: false }
    : await chooseName(upload);
  if (!isDuplicate && write) {
    const path = join(upload.folder, name);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await writeWhole(path, write);
  }
  return json({ name, subfolder: upload.subfolder, type: upload.type });
}

async function chooseName(upload: Upload): Promise<{ name: string; isDuplicate: boolean }> {
  const ending = extname(upload.name);
  const stem = ending === "" ? upload.name : upload.name.slice(0, -ending.length);
  let name = upload.name;
  for (let count = 1;; count++) {
    const taken = await readIfThere(join(upload.folder, name));
    if (!taken) return { name, isDuplicate: false };
    if (sameBytes(taken, upload.bytes)) return { name, isDuplicate: true };
    name = `${stem} (${count})${ending}`;
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function findOriginal(reference: unknown, folders: Folders): Promise<string | undefined> {
  if (!isRecord(reference)) throw new TypeError("Cannot find the original: original_ref is not an object");
  const { name, type: annotated } = splitAnnotation(String(reference["filename"] ?? ""));
  const type = annotated ?? String(reference["type"] ?? "output");
  if (name === "" || name.startsWith("/") || name.includes("..") || !isFolderType(type)) return undefined;
  const folder = resolve(folders[type], String(reference["subfolder"] ?? ""));
  if (!isInside(folders[type], folder)) return undefined;
  const path = join(folder, basename(name));
  return (await Deno.stat(path).catch(() => undefined))?.isFile ? path : undefined;
}

async function writeMasked(original: string, mask: Uint8Array, path: string): Promise<void> {
  const { width, height, rgb: [colours] } = await decodeImage(original);
  const { alpha: [alpha] = [], ...size } = await decodeImage(mask);
  if (!colours || size.width !== width || size.height !== height) {
    throw new Error(
      `Cannot use the mask: it is ${size.width}x${size.height}, its original ${width}x${height}`,
    );
  }
  const rgba = new Uint8Array(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    rgba.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
    rgba[4 * i + 3] = alpha?.[i] ?? 255;
  }
  const png = await sharp(rgba, { raw: { width, height, channels: 4 } }).png({ compressionLevel: 4 })
    .toBuffer();
  await Deno.writeFile(path, copyPngTexts(await Deno.readFile(original), png));
}
