import { basename, dirname, extname, join, normalize, resolve, SEPARATOR } from "@std/path/mod.js";
import type { Folders } from "./nodes/node_spec.ts";

/** The folders that a file may be asked from. */
export type FolderType = "input" | "output" | "temp";

/** True for the three names that requests may use. */
export function isFolderType(text: string): text is FolderType {
  return text === "input" || text === "output" || text === "temp";
}

/** Makes the engine's folders under `base` (absolute) and empties temp. */
export async function prepareFolders(base: string): Promise<Folders> {
  const at = (name: string) => join(resolve(base), name);
  const folders = { input: at("input"), output: at("output"), temp: at("temp"), models: at("models") };
  await Deno.remove(folders.temp, { recursive: true }).catch(ignoreMissing);
  for (const folder of Object.values(folders)) await Deno.mkdir(folder, { recursive: true });
  return folders;
}

/** `name.png [output]` names another folder than the one it is asked from. */
export function splitAnnotation(name: string): { name: string; type: FolderType | undefined } {
  const match = /^(.*?)\s?\[(input|output|temp)\]$/s.exec(name);
  if (!match) return { name, type: undefined };
  const type = match[2] ?? "";
  return { name: match[1] ?? "", type: isFolderType(type) ? type : undefined };
}

/**
 * Where an input file lies that a node names, e.g. "a.png", "sub/a.png" or "a.png [output]". Throws an Error
 * when the name leads out of its folder.
 */
export function resolveInputFile(annotated: string, folders: Folders): string {
  const { name, type } = splitAnnotation(annotated);
  const folder = folders[type ?? "input"];
  const path = resolve(folder, name);
  if (!isInside(folder, path)) {
    throw new Error(`Cannot read ${annotated}: it lies outside the ${type ?? "input"} folder`);
  }
  return path;
}

/** True when a file of that name is there. */
export async function inputFileExists(annotated: string, folders: Folders): Promise<boolean> {
  try {
    return (await Deno.stat(resolveInputFile(annotated, folders))).isFile;
  } catch {
    return false;
  }
}

/** True when `path` is `folder` or below it; both absolute. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + SEPARATOR);
}

const KINDS: Record<"image" | "video", RegExp> = {
  image: /\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|avif|heic|ico|svg)$/i,
  video: /\.(mp4|webm|mkv|mov|avi|m4v|mpe?g|ogv|wmv|flv|3gp)$/i,
};

/** File names at the top of the input folder, sorted; only of one kind when it is given. */
export function listInputFiles(folders: Folders, kind?: "image" | "video" | "latent"): string[] {
  const pattern = kind === "latent" ? /\.latent$/ : kind && KINDS[kind];
  return [...Deno.readDirSync(folders.input)]
    .filter((entry) => entry.isFile && (!pattern || pattern.test(entry.name)))
    .map((entry) => entry.name)
    .sort();
}

/** Where a saver writes its next files. */
export interface SavePlace {
  /** Absolute. */
  readonly folder: string;
  /** Relative to the output (or temp) folder; "" at its top. */
  readonly subfolder: string;
  /** File name up to the counter. */
  readonly name: string;
  /** One more than the highest counter there. */
  readonly counter: number;
}

/**
 * Where files with this prefix go: `sub/name` → folder sub, files `name_00001_.ext` and on. Knows the tokens
 * %width% %height% %year% %month% %day% %hour% %minute% %second%. Makes the folder. Throws an Error when the
 * prefix leads out of `root`.
 */
export async function findSavePlace(
  prefix: string,
  root: string,
  size: { readonly width: number; readonly height: number },
): Promise<SavePlace> {
  const path = normalize(fillTokens(prefix, size, new Date()));
  const subfolder = dirname(path) === "." ? "" : dirname(path);
  const name = basename(path);
  const folder = resolve(root, subfolder);
  if (!isInside(root, folder)) {
    throw new Error(
      "**** ERROR: Saving image outside the output folder is not allowed." +
        `\n full_output_folder: ${folder}\n         output_dir: ${root}`,
    );
  }
  await Deno.mkdir(folder, { recursive: true });
  return { folder, subfolder, name, counter: nextCounter(folder, name) };
}

function nextCounter(folder: string, name: string): number {
  let highest = 0;
  for (const entry of Deno.readDirSync(folder)) {
    if (!entry.name.startsWith(`${name}_`)) continue;
    const digits = /^\d+/.exec(entry.name.slice(name.length + 1).split("_")[0] ?? "");
    if (digits) highest = Math.max(highest, Number(digits[0]));
  }
  return highest + 1;
}

function fillTokens(prefix: string, size: { width: number; height: number }, now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return prefix
    .replaceAll("%width%", String(size.width))
    .replaceAll("%height%", String(size.height))
    .replaceAll("%year%", String(now.getFullYear()))
    .replaceAll("%month%", two(now.getMonth() + 1))
    .replaceAll("%day%", two(now.getDate()))
    .replaceAll("%hour%", two(now.getHours()))
    .replaceAll("%minute%", two(now.getMinutes()))
    .replaceAll("%second%", two(now.getSeconds()));
}

/** `name_00001_.png`: the file name of a counter. */
export function countedName(name: string, counter: number, extension: string): string {
  return `${name}_${String(counter).padStart(5, "0")}_.${extension}`;
}

/** Lets `write` make a file under a passing name and gives it its own when it is whole; `path` is never half. */
export async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${crypto.randomUUID()}${extname(path)}`);
  try {
    await write(temporary);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(ignoreMissing);
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
