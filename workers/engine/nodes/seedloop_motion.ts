import { batchOfBytes } from "#workers/engine/image_batch.ts";
import { CAMERA_MOVES, moveFromPrompt } from "#workers/engine/pixels/camera_path.ts";
import { planShot, type Shot } from "#workers/engine/pixels/motion.ts";
import type { Picture } from "#workers/engine/pixels/picture.ts";
import { coverBox, resampleBox } from "#workers/engine/pixels/resample.ts";
import type { FaceShape } from "#workers/engine/pixels/subject.ts";
import { findFacesLike } from "./face_finder.ts";
import { pictureOf } from "./frame_pictures.ts";
import { defineNode, type NodeContext } from "./node_spec.ts";

/** A moving shot out of one still (or from one still to another), by camera, depth, breath and grain alone. */
export const seedloopMotion = defineNode({
  classType: "SeedloopMotion",
  displayName: "Seedloop Motion (CPU preview)",
  category: "seedloop",
  description: "Camera work on a still: move, parallax, breathing and grain. Frame 0 is the start image.",
  required: {
    start_image: ["IMAGE"],
    width: ["INT", { default: 768, min: 64, max: 4096, step: 8 }],
    height: ["INT", { default: 512, min: 64, max: 4096, step: 8 }],
    frames: ["INT", { default: 81, min: 2, max: 4096, tooltip: "The start image included" }],
    rate_num: ["INT", { default: 24, min: 1, max: 1_000_000 }],
    rate_den: ["INT", { default: 1, min: 1, max: 1_000_000 }],
    seed: ["INT", { default: 0, min: 0, max: Number.MAX_SAFE_INTEGER, control_after_generate: true }],
    motion: ["FLOAT", { default: 1, min: 0, max: 2, step: 0.05 }],
    camera: [CAMERA_MOVES, { default: "auto" }],
    breathing: ["FLOAT", { default: 1, min: 0, max: 2, step: 0.05 }],
    grain: ["FLOAT", { default: 0.7, min: 0, max: 6, step: 0.1, tooltip: "Film grain in 8-bit levels" }],
  },
  optional: {
    last_image: ["IMAGE", { tooltip: "The last frame will be this image" }],
    reference: ["IMAGE", { tooltip: "Of several faces the camera stays with the one most like this" }],
    prompt: ["STRING", {
      default: "",
      multiline: true,
      tooltip: "With camera auto: names a move, e.g. push in",
    }],
  },
  outputs: [{ type: "IMAGE" }],
  async run(inputs, context) {
    const { width, height, frames, rate_num, rate_den, seed, motion, breathing, grain } = inputs;
    const reference = inputs.reference && pictureOf(inputs.reference, 0);
    const start = await fitFrame(pictureOf(inputs.start_image, 0), width, height, reference, context);
    const last = inputs.last_image &&
      await fitFrame(pictureOf(inputs.last_image, 0), width, height, reference, context);
    const named = inputs.camera === "auto" ? moveFromPrompt(inputs.prompt ?? "") : undefined;
    await context.breathe();
    const shot = planShot({
      picture: start.picture,
      face: start.face,
      last: last && { picture: last.picture, face: last.face },
      frames,
      rate: rate_num / rate_den,
      seed,
      move: named ?? inputs.camera,
      amount: motion,
      breathing,
      grain,
    });
    return { outputs: [batchOfBytes({ width, height, channels: 3 }, await renderAll(shot, context))] };
  },
});

/** How many frames pass between two previews. */
const PREVIEW_EVERY = 6;

async function renderAll(shot: Shot, context: NodeContext): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for (let index = 0; index < shot.frames; index++) {
    await context.breathe();
    const rgb = shot.render(index);
    frames.push(rgb);
    if (index % PREVIEW_EVERY === 0) context.preview({ width: shot.width, height: shot.height, rgb });
    context.progress(index + 1, shot.frames);
  }
  return frames;
}

/** The picture cut to the frame's aspect around its face and scaled; unchanged when it has the size already. */
async function fitFrame(
  picture: Picture,
  width: number,
  height: number,
  reference: Picture | undefined,
  context: NodeContext,
): Promise<{ picture: Picture; face: FaceShape | undefined }> {
  if (picture.width === width && picture.height === height) {
    const [face] = await findFacesLike(picture, reference, context.log);
    return { picture, face };
  }
  const [seen] = await findFacesLike(picture, reference, context.log);
  const middle = seen
    ? { x: seen.box.x + seen.box.width / 2, y: seen.box.y + seen.box.height * 0.9 }
    : { x: picture.width / 2, y: picture.height / 2 };
  const fitted = resampleBox(picture, coverBox(picture, width / height, middle), width, height);
  const [face] = await findFacesLike(fitted, reference, context.log);
  return { picture: fitted, face };
}
