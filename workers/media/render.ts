import sharp from "sharp";
import type { Rate } from "#server/core/media_time.ts";
import type { SpriteLayout } from "#server/core/sprite_layout.ts";
import { MediaError } from "./media_error.ts";
import { cutOutput, jpegOutput, proxyOutput, RGB_TO_VIDEO } from "./encode.ts";
import { cutFrames, intermediateOutput } from "./lossless.ts";
import type { CommandOptions, CommandProgress, MediaTools } from "./run.ts";

/** Frames entering a render: ffmpeg input arguments and the filters that give upright RGB at `rate`. */
export interface RenderInput {
  /** The filters give tagged BT.709 4:2:0 instead; then no intermediate can be made. */
  readonly isVideoColor?: boolean;
  readonly args: readonly string[];
  readonly filters: readonly string[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly rate: Rate;
  readonly frameCount: number;
}

/** What to make of the frames; each is a path to write. */
export interface RenderOutputs {
  readonly intermediate?: string | undefined;
  readonly cut?: { readonly path: string; readonly keyFrames: readonly number[] } | undefined;
  /** At most `heightPx` high; 720 by default. */
  readonly proxy?: { readonly path: string; readonly heightPx?: number | undefined } | undefined;
  /** A JPEG of the middle frame. */
  readonly poster?: string | undefined;
  readonly sprite?: { readonly path: string; readonly layout: SpriteLayout } | undefined;
}

export const PROXY_HEIGHT_PX = 720;
const MAX_TILES = 40;
const TILE_WIDTH_PX = 160;
const SPRITE_QUALITY = 80;

/** Makes all outputs in one command: the source is decoded once, and converted to video colour once. */
export async function renderOutputs(
  tools: MediaTools,
  input: RenderInput,
  outputs: RenderOutputs,
  options: CommandOptions = {},
): Promise<void> {
  const { graph, args } = planRender(tools, input, outputs);
  const command = [...input.args, "-filter_complex", graph, ...args];
  const given = { ...options, stdin: input.stdin };
  if (outputs.sprite) await drawSprite(tools.ffmpegStream(command, given), outputs.sprite);
  else await tools.ffmpeg(command, given);
}

/** The filter graph and output arguments of a render. */
function planRender(
  tools: MediaTools,
  input: RenderInput,
  outputs: RenderOutputs,
): { graph: string; args: string[] } {
  const graph: string[] = [];
  const args: string[] = [];
  const rgb = branchesOf("rgb", [
    outputs.intermediate,
    outputs.poster,
    outputs.sprite,
    outputs.cut ?? outputs.proxy,
  ]);
  graph.push(`[0:v]${[...input.filters, "setsar=1", rgb.split].join(",")}`);
  if (outputs.intermediate) {
    graph.push(`${rgb.labels[0]}null[lossless]`);
    args.push("-map", "[lossless]", ...intermediateOutput(outputs.intermediate, input.rate));
  }
  if (outputs.poster) {
    const middle = Math.floor((input.frameCount - 1) / 2);
    graph.push(`${rgb.labels[1]}select='eq(n,${middle})',${fitWithin(input, 1280)},${TO_JPEG}[poster]`);
    args.push("-map", "[poster]", ...jpegOutput(outputs.poster));
  }
  if (outputs.sprite) {
    const { tileWidthPx, tileHeightPx } = outputs.sprite.layout;
    graph.push(`${rgb.labels[2]}scale=${tileWidthPx}:${tileHeightPx}:flags=area,format=rgb24[sprite]`);
    args.push("-map", "[sprite]", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1");
  }
  if (outputs.cut || outputs.proxy) planVideo(tools, input, outputs, rgb.labels[3] ?? "", graph, args);
  return { graph: graph.join(";"), args };
}

function planVideo(
  tools: MediaTools,
  input: RenderInput,
  outputs: RenderOutputs,
  from: string,
  graph: string[],
  args: string[],
): void {
  if (outputs.cut && (input.widthPx % 2 !== 0 || input.heightPx % 2 !== 0)) {
    throw new MediaError(
      `H.264 4:2:0 needs even sides and the cut is ${input.widthPx}×${input.heightPx}: use even sizes`,
      "unsupported",
    );
  }
  const video = branchesOf("yuv", [outputs.cut, outputs.proxy]);
  const even = outputs.cut ? [] : [`crop=${input.widthPx & ~1}:${input.heightPx & ~1}:0:0`];
  graph.push(`${from}${[...even, input.isVideoColor ? "null" : RGB_TO_VIDEO, video.split].join(",")}`);
  if (outputs.cut) {
    graph.push(`${video.labels[0]}null[cut]`);
    args.push("-map", "[cut]", ...cutOutput(outputs.cut.path, input, outputs.cut.keyFrames, tools.backend));
  }
  if (outputs.proxy) {
    const size = proxySize(input, outputs.proxy.heightPx ?? PROXY_HEIGHT_PX);
    const isSame = size.widthPx === input.widthPx && size.heightPx === input.heightPx;
    graph.push(
      `${video.labels[1]}${
        isSame ? "null" : `scale=${size.widthPx}:${size.heightPx}:flags=area`
      },setsar=1[proxy]`,
    );
    args.push(
      "-map",
      "[proxy]",
      ...proxyOutput(outputs.proxy.path, { ...size, rate: input.rate }, tools.backend),
    );
  }
}

/** A split that feeds those branches that are wanted; the labels stand in the order of `wanted`. */
function branchesOf(name: string, wanted: readonly unknown[]): { split: string; labels: string[] } {
  const labels = wanted.map((each, n) => each ? `[${name}${n}]` : "");
  const used = labels.filter((label) => label !== "");
  return { split: `split=${used.length}${used.join("")}`, labels };
}

const TO_JPEG = "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p";

function fitWithin(size: { widthPx: number; heightPx: number }, side: number): string {
  const ratio = Math.min(1, side / Math.max(size.widthPx, size.heightPx));
  return `scale=${Math.max(2, Math.round(size.widthPx * ratio))}:${
    Math.max(2, Math.round(size.heightPx * ratio))
  }:flags=area`;
}

/** A proxy's size: not larger than the source, both sides even. */
export function proxySize(
  source: { readonly widthPx: number; readonly heightPx: number },
  maxHeightPx: number,
): { readonly widthPx: number; readonly heightPx: number } {
  const ratio = Math.min(1, maxHeightPx / source.heightPx);
  const even = (value: number) => Math.max(2, 2 * Math.floor((value * ratio) / 2 + 1e-6));
  return { widthPx: even(source.widthPx), heightPx: even(source.heightPx) };
}

/** Which frames a hover sprite shows and where: at most 40 tiles, spread evenly. */
export function planSprite(source: { widthPx: number; heightPx: number }, frameCount: number): SpriteLayout {
  const tiles = Math.max(1, Math.min(MAX_TILES, frameCount));
  const columns = Math.min(8, tiles);
  const tileHeightPx = Math.max(2, 2 * Math.round((TILE_WIDTH_PX * source.heightPx) / source.widthPx / 2));
  return {
    columns,
    rows: Math.ceil(tiles / columns),
    tileWidthPx: TILE_WIDTH_PX,
    tileHeightPx,
    frames: Array.from({ length: tiles }, (_, n) => Math.floor((n * frameCount) / tiles)),
  };
}

/**
 * Puts the layout's frames side by side as they come, all small and as RGB. Not by ffmpeg's own filters: to choose frames
 * and tile them beside other outputs breaks the built-in one's memory, on some inputs and not on others.
 */
async function drawSprite(
  frames: AsyncIterable<Uint8Array>,
  { path, layout }: NonNullable<RenderOutputs["sprite"]>,
): Promise<void> {
  const { columns, rows, tileWidthPx, tileHeightPx } = layout;
  const rowBytes = 3 * tileWidthPx;
  const sheet = new Uint8Array(columns * rowBytes * rows * tileHeightPx);
  const tiles = new Map(layout.frames.map((frame, tile) => [frame, tile]));
  let n = 0;
  for await (const frame of cutFrames(frames, rowBytes * tileHeightPx)) {
    const tile = tiles.get(n++);
    if (tile === undefined) continue;
    const corner = Math.floor(tile / columns) * tileHeightPx * columns * rowBytes + tile % columns * rowBytes;
    for (let y = 0; y < tileHeightPx; y++) {
      sheet.set(frame.subarray(y * rowBytes, (y + 1) * rowBytes), corner + y * columns * rowBytes);
    }
  }
  const raw = { width: columns * tileWidthPx, height: rows * tileHeightPx, channels: 3 as const };
  await sharp(sheet, { raw }).jpeg({ quality: SPRITE_QUALITY }).toFile(path);
}

/** Turns a command's frame count into a ratio of the frames to make. */
export function frameRatio(
  frameCount: number,
  report: (ratio: number) => void,
): (progress: CommandProgress) => void {
  return ({ frame }) => report(Math.min(1, frame / Math.max(1, frameCount)));
}
