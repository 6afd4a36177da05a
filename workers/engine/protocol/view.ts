import { basename, join, resolve } from "@std/path/mod.js";
import sharp, { type Sharp } from "sharp";
import { isFolderType, isInside, splitAnnotation } from "#workers/engine/folders.ts";
import type { Folders } from "#workers/engine/nodes/node_spec.ts";
import { empty } from "./http.ts";
import { mediaTypeOf } from "./media_type.ts";
import { serveFile } from "./serve_file.ts";
import type { Call } from "./route.ts";

/** Answers `/view`: a file of one of the three folders, whole, in part, re-encoded or by channel. */
export async function viewFile({ request, query }: Call, folders: Folders): Promise<Response> {
  const found = findFile(query, folders);
  if (found instanceof Response) return found;
  const { path, name } = found;
  const stat = await Deno.stat(path).catch(() => undefined);
  if (!stat?.isFile) return empty(404);
  const disposition = `filename="${name}"`;
  const preview = query.get("preview");
  const channel = query.get("channel");
  if (preview !== null) return await showPreview(path, preview, channel ?? "", disposition);
  if (channel === "rgb") return await showPng(withoutAlpha(path), disposition);
  if (channel === "a") return await showPng(await onlyAlpha(path), disposition);
  return await serveFile(request, path, stat, {
    "content-type": mediaTypeOf(name),
    "content-disposition": disposition,
  });
}

function findFile(query: URLSearchParams, folders: Folders): { path: string; name: string } | Response {
  const asked = query.get("filename");
  if (asked === null) return empty(404);
  const { name, type: annotated } = splitAnnotation(asked);
  if (name === "" || name.startsWith("/") || name.includes("..")) return empty(400);
  const type = annotated ?? query.get("type") ?? "output";
  if (!isFolderType(type)) return empty(400);
  const folder = resolve(folders[type], query.get("subfolder") ?? "");
  if (!isInside(folders[type], folder)) return empty(403);
  return { path: join(folder, basename(name)), name: basename(name) };
}

async function showPreview(
  path: string,
  preview: string,
  channel: string,
  disposition: string,
): Promise<Response> {
  const [asked = "", ...rest] = preview.split(";");
  const format = (asked === "webp" || asked === "jpeg") && !channel.includes("a") ? asked : "webp";
  const last = rest.at(-1) ?? asked;
  const quality = /^\d+$/.test(last) ? Math.min(100, Math.max(1, Number(last))) : 90;
  let image = sharp(path, { ignoreIcc: true });
  if (format === "jpeg" || channel === "rgb") image = image.removeAlpha();
  const encoded = format === "jpeg" ? image.jpeg({ quality }) : image.webp({ quality });
  return show(await encoded.toBuffer(), `image/${format}`, disposition);
}

function withoutAlpha(path: string): Sharp {
  return sharp(path, { ignoreIcc: true }).toColourspace("srgb").removeAlpha();
}

/** A black picture whose alpha is that of the file. */
async function onlyAlpha(path: string): Promise<Sharp> {
  const source = sharp(path, { ignoreIcc: true }).toColourspace("srgb").ensureAlpha();
  const { data, info } = await source.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  for (let i = 0; i < data.length; i += 4) data.fill(0, i, i + 3);
  return sharp(data, { raw: { width, height, channels: 4 } });
}

async function showPng(image: Sharp, disposition: string): Promise<Response> {
  return show(await image.png().toBuffer(), "image/png", disposition);
}

function show(bytes: Uint8Array, mediaType: string, disposition: string): Response {
  return new Response(new Uint8Array(bytes), {
    headers: { "content-type": mediaType, "content-disposition": disposition },
  });
}
