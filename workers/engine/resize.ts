import { batchOfBytes, buildFloats, type ImageBatch, movePixels } from "./image_batch.ts";
import { averageAreas, type AxisMethod, axisTaps, resampleFloats } from "./resample_axis.ts";
import { resizeLanczos } from "./resample_lanczos.ts";

/** The methods that stock nodes offer. */
export const RESIZE_METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"] as const;
export type ResizeMethod = AxisMethod | "area" | "lanczos";

/**
 * ComfyUI's common_upscale: every frame at `width` × `height`, after a centred cut to the new aspect when
 * `crop` is "center". Lanczos is Pillow's on bytes, the others PyTorch's on floats. `breathe` is awaited
 * before each frame.
 */
export async function resizeBatch(
  batch: ImageBatch,
  to: { readonly width: number; readonly height: number },
  method: ResizeMethod,
  crop: "disabled" | "center",
  breathe: () => Promise<void>,
): Promise<ImageBatch> {
  if (to.width < 1 || to.height < 1) {
    throw new RangeError(
      `Cannot resize images to ${to.width}x${to.height}: give at least one pixel each way`,
    );
  }
  const source = crop === "center" ? cropToAspect(batch, to.width / to.height) : batch;
  // Frames that are shown many times (a still held for seconds) are resized once.
  const { first, order } = distinctFrames(source);
  const resized = await resizeDistinct(source.pick(first), to, method, breathe);
  return resized.pick(order);
}

async function resizeDistinct(
  source: ImageBatch,
  to: { readonly width: number; readonly height: number },
  method: ResizeMethod,
  breathe: () => Promise<void>,
): Promise<ImageBatch> {
  const size = { width: to.width, height: to.height, channels: source.channels };
  if (method === "lanczos") {
    const frames: Uint8Array[] = [];
    for (let index = 0; index < source.length; index++) {
      await breathe();
      frames.push(resizeLanczos(source.bytes(index), source, to));
    }
    return batchOfBytes(size, frames);
  }
  if (method === "area") {
    return await buildFloats(size, source.length, async (index) => {
      await breathe();
      return averageAreas(source.floats(index), source, to);
    });
  }
  const across = axisTaps(method, source.width, to.width);
  const down = axisTaps(method, source.height, to.height);
  return await buildFloats(size, source.length, async (index) => {
    await breathe();
    return resampleFloats(source.floats(index), source, across, down);
  });
}

function distinctFrames(batch: ImageBatch): { first: number[]; order: number[] } {
  const places = new Map<unknown, number>();
  const first: number[] = [];
  const order: number[] = [];
  for (let index = 0; index < batch.length; index++) {
    const key = batch.identity(index);
    const place = places.get(key) ?? first.push(index) - 1;
    places.set(key, place);
    order.push(place);
  }
  return { first, order };
}

function cropToAspect(batch: ImageBatch, aspect: number): ImageBatch {
  const { width, height } = batch;
  const old = width / height;
  const x = old > aspect ? roundHalfEven((width - width * (aspect / old)) / 2) : 0;
  const y = old < aspect ? roundHalfEven((height - height * (old / aspect)) / 2) : 0;
  return cropBatch(batch, { x, y, width: width - 2 * x, height: height - 2 * y });
}

/** The part of every frame inside the box, which must lie within it. */
export function cropBatch(
  batch: ImageBatch,
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): ImageBatch {
  if (box.x === 0 && box.y === 0 && box.width === batch.width && box.height === batch.height) return batch;
  return movePixels(batch, box, (x, y) => (y + box.y) * batch.width + x + box.x);
}

/** Python's round(): halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
