import { join } from "@std/path/mod.js";
import type { Rate } from "#server/core/media_time.ts";
import { reduceRate } from "#server/core/media_time.ts";
import { metadataTexts } from "#workers/engine/encode_image.ts";
import {
  countedName,
  findSavePlace,
  inputFileExists,
  listInputFiles,
  resolveInputFile,
  writeWhole,
} from "#workers/engine/folders.ts";
import { encodeH264, encodeWebm, rewrapVideo } from "#workers/engine/encode_video.ts";
import { openVideo } from "#workers/engine/decode_video.ts";
import type { Video } from "#workers/engine/values.ts";
import { defineNode, type Folders, type NodeContext, type NodeResult } from "./node_spec.ts";

const shared = { category: "image/video", module: "comfy_extras.nodes_video", schema: "v3" } as const;
const hidden = { prompt: ["PROMPT"], extra_pnginfo: ["EXTRA_PNGINFO"] };

/** Frames at a rate, kept in memory. */
export const createVideo = defineNode({
  ...shared,
  classType: "CreateVideo",
  displayName: "Create Video",
  description: "Create a video from images.",
  required: { images: ["IMAGE", {}], fps: ["FLOAT", { default: 30, min: 1, max: 120, step: 1 }] },
  optional: { audio: ["AUDIO", {}] },
  outputs: [{ type: "VIDEO" }],
  run({ images, fps, audio }) {
    const video: Video = {
      width: images.width,
      height: images.height,
      rate: rateOf(fps),
      frames: () => Promise.resolve(images),
      ...(audio ? { audio } : {}),
    };
    return { outputs: [video] };
  },
});

/** A video file of the input folder; decoded only when its frames are asked for. */
export const loadVideo = defineNode({
  ...shared,
  classType: "LoadVideo",
  displayName: "Load Video",
  required: {
    file: [
      "COMBO",
      {
        multiselect: false,
        options: (folders: Folders) => listInputFiles(folders, "video"),
        video_upload: true,
      },
    ],
  },
  outputs: [{ type: "VIDEO" }],
  async fingerprint({ file }, folders) {
    const { mtime, size } = await Deno.stat(resolveInputFile(String(file), folders));
    return [mtime?.getTime() ?? 0, size];
  },
  validates: ["file"],
  async validate({ file }, folders) {
    return await inputFileExists(String(file), folders) || `Invalid video file: ${file}`;
  },
  async run({ file }, context) {
    const path = resolveInputFile(file, context.folders);
    return { outputs: [await openVideo(path, await context.media(), context.signal)] };
  },
});

/** A video's frames, sound and rate. */
export const getVideoComponents = defineNode({
  ...shared,
  classType: "GetVideoComponents",
  displayName: "Get Video Components",
  description: "Extracts all components from a video: frames, audio, and framerate.",
  required: { video: ["VIDEO", {}] },
  outputs: [
    { type: "IMAGE", name: "images" },
    { type: "AUDIO", name: "audio" },
    { type: "FLOAT", name: "fps" },
  ],
  async run({ video }, { signal }) {
    return { outputs: [await video.frames(signal), video.audio, video.rate.num / video.rate.den] };
  },
});

/** As H.264 in MP4, its graph in the container's tags; a file that fits already is only rewrapped. */
export const saveVideo = defineNode({
  ...shared,
  classType: "SaveVideo",
  displayName: "Save Video",
  description: "Saves the input images to your ComfyUI output directory.",
  required: {
    video: ["VIDEO", {}],
    filename_prefix: ["STRING", { default: "video/ComfyUI", multiline: false }],
    format: ["COMBO", { default: "auto", multiselect: false, options: ["auto", "mp4"] }],
    codec: ["COMBO", { default: "auto", multiselect: false, options: ["auto", "h264"] }],
  },
  hidden,
  outputs: [],
  outputNode: true,
  run({ video, filename_prefix, format, codec }, context) {
    const fits = video.file !== undefined && (format === "auto" || video.formats?.includes(format)) &&
      (codec === "auto" || video.codec === codec);
    return save(
      video,
      filename_prefix,
      "mp4",
      context,
      (path, tools, texts) =>
        fits
          ? rewrapVideo(video, path, texts, tools, context.signal)
          : encodeH264(video, path, texts, tools, context),
    );
  },
});

/** As VP9 (or AV1, where the machine's ffmpeg can) in WebM. */
export const saveWebm = defineNode({
  ...shared,
  classType: "SaveWEBM",
  displayName: null,
  experimental: true,
  required: {
    images: ["IMAGE", {}],
    filename_prefix: ["STRING", { default: "ComfyUI", multiline: false }],
    codec: ["COMBO", { multiselect: false, options: ["vp9", "av1"] }],
    fps: ["FLOAT", { default: 24, min: 0.01, max: 1000, step: 0.01 }],
    crf: ["FLOAT", { default: 32, min: 0, max: 63, step: 1 }],
  },
  hidden,
  outputs: [],
  outputNode: true,
  run({ images, filename_prefix, codec, fps, crf }, context) {
    const how = { codec: codec === "av1" ? "av1" : "vp9", rate: rateOf(fps), crf } as const;
    return save(
      images,
      filename_prefix,
      "webm",
      context,
      (path, tools, texts) => encodeWebm(images, how, path, texts, tools, context),
    );
  },
});

/** Rates are kept to thousandths, as stock savers do: 23.976 is 2997/125. */
function rateOf(fps: number): Rate {
  return reduceRate({ num: Math.max(1, Math.round(fps * 1000)), den: 1000 });
}

async function save(
  size: { readonly width: number; readonly height: number },
  prefix: string,
  extension: string,
  context: NodeContext,
  write: (
    path: string,
    tools: Awaited<ReturnType<NodeContext["media"]>>,
    texts: Readonly<Record<string, string>>,
  ) => Promise<void>,
): Promise<NodeResult> {
  const tools = await context.media();
  const place = await findSavePlace(prefix, context.folders.output, size);
  const filename = countedName(place.name, place.counter, extension);
  const texts = metadataTexts(context.metadata);
  await writeWhole(join(place.folder, filename), (path) => write(path, tools, texts));
  return {
    outputs: [],
    ui: { images: [{ filename, subfolder: place.subfolder, type: "output" }], animated: [true] },
  };
}
