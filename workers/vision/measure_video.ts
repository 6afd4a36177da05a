import { decodeFrames, extractFrame, readIntermediate } from "#workers/media/lossless.ts";
import { MediaError } from "#workers/media/media_error.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { chooseEndFrame, type EndFaceFact } from "./end_frame.ts";
import { type FaceReader, type FaceReading, type Portrait, SearchPlan } from "./face_reader.ts";
import { FrameMeter } from "./frame_meter.ts";
import { framesToLookAt, type LikenessPoint, sampledFrames, summarizeLikeness } from "./likeness.ts";
import type { RgbImage } from "./pixels.ts";
import { readStill } from "./read_still.ts";
import type { VideoAnswer, VideoRequest } from "./requests.ts";
import { judgeSeams } from "./seam.ts";

/** Larger frames are scaled down to this before anything is measured: faces need no more. */
const MAX_SIDE = 1280;

/**
 * Measures a video in one decode: curves, faces on sampled frames, the end frame, the seams. On two quiet
 * cores about 8 ms a frame of 512×512 for the curves and 90 ms for each frame in which a face is compared.
 */
export async function measureVideo(
  tools: MediaTools,
  reader: FaceReader,
  request: VideoRequest,
  onProgress: (ratio: number) => void,
): Promise<VideoAnswer> {
  const size = await measuredSize(tools, request.path);
  const meter = new FrameMeter(size.width, size.height);
  const faces = await openFaceTrack(reader, request);
  const frames = decodeFrames(tools, request.path, {
    count: request.frameCount,
    pixelFormat: "rgb24",
    ...(size.isScaled ? { size: { widthPx: size.width, heightPx: size.height } } : {}),
  });
  for await (const data of frames) {
    const frame = meter.frameCount;
    meter.push(data);
    await faces?.look(frame, { width: size.width, height: size.height, data });
    onProgress((frame + 1) / request.frameCount);
  }
  const curves = meter.curves();
  const end = request.end
    ? chooseEndFrame(curves, request.end, faces?.facts, request.requireFace && (faces?.canTell ?? false))
    : null;
  if (end && request.endImagePath) await extractFrame(tools, request.path, end.frame, request.endImagePath);
  return {
    curves,
    likeness: faces && request.portrait ? summarizeLikeness(await reader.model(), faces.points) : null,
    end,
    seams: judgeSeams(curves, request.boundaries),
  };
}

async function measuredSize(
  tools: MediaTools,
  path: string,
): Promise<{ width: number; height: number; isScaled: boolean }> {
  const { widthPx, heightPx } = readIntermediate(path) ?? await probedSize(tools, path);
  const scale = Math.min(1, MAX_SIDE / Math.max(widthPx, heightPx));
  const [width, height] = [Math.round(widthPx * scale), Math.round(heightPx * scale)];
  return { width, height, isScaled: scale < 1 };
}

async function probedSize(tools: MediaTools, path: string): Promise<{ widthPx: number; heightPx: number }> {
  const stream = (await tools.probe(path)).streams.find((each) => each.codec_type === "video");
  if (!stream?.width || !stream.height) throw new MediaError("The file holds no picture", "not_media");
  // Frames come upright, as the display turns them.
  const turn = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  return Math.abs(turn) % 180 === 90
    ? { widthPx: stream.height, heightPx: stream.width }
    : { widthPx: stream.width, heightPx: stream.height };
}

interface FaceTrack {
  readonly facts: EndFaceFact[];
  readonly points: LikenessPoint[];
  /** Whether a frame without a face says something: not when no model could be loaded. */
  readonly canTell: boolean;
  look(frame: number, picture: RgbImage): Promise<void>;
}

async function openFaceTrack(reader: FaceReader, request: VideoRequest): Promise<FaceTrack | undefined> {
  const { portrait: given, end } = request;
  if (!given && !request.requireFace) return undefined;
  const portrait = given && await reader.portrait(given.hash, () => readStill(given.path));
  const reach = end && !end.exact ? end.window : 0;
  const closer = end ? [[end.target - reach, end.target + reach] as const] : [];
  const wanted = sampledFrames(request.frameCount, request.rate, request.boundaries, closer);
  const model = await reader.model();
  const canTell = model.hash !== "";
  const plan = new SearchPlan();
  const facts: EndFaceFact[] = [];
  const points: LikenessPoint[] = request.known?.model.hash === model.hash
    ? request.known.points.filter(({ frame }) => frame < request.frameCount)
    : [];
  const known = new Set(points.map(({ frame }) => frame));
  const sampled = framesToLookAt(wanted, known, request.rate, request.boundaries);
  return {
    facts,
    points,
    canTell,
    async look(frame, picture) {
      if (!sampled.has(frame)) return;
      const { subject, likeness, reason } = canTell
        ? await search(reader, plan, picture, portrait)
        : await reader.read(picture, portrait, "quick");
      if (canTell) {
        facts.push({ frame, hasFace: subject !== undefined, likeness, eyesOpen: subject?.eyesOpen ?? null });
      }
      points.push({ frame, score: likeness, ...(reason === undefined ? {} : { reason }) });
    },
  };
}

async function search(
  reader: FaceReader,
  plan: SearchPlan,
  picture: RgbImage,
  portrait: Portrait | undefined,
): Promise<FaceReading> {
  let reading: FaceReading | undefined;
  for (const effort of plan.efforts()) {
    reading = await reader.read(picture, portrait, effort);
    if (!reading.subject) continue;
    plan.note(effort);
    return reading;
  }
  plan.note(undefined);
  return reading!;
}
