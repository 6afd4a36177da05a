import { batchOfBytes } from "#workers/engine/image_batch.ts";
import { BACKGROUNDS, makeFoundation } from "#workers/engine/pixels/foundation.ts";
import { FRAMINGS } from "#workers/engine/pixels/framing.ts";
import { LIGHTS } from "#workers/engine/pixels/light.ts";
import { findFaces } from "./face_finder.ts";
import { pictureOf } from "./frame_pictures.ts";
import { defineNode } from "./node_spec.ts";

/** A variation of a portrait: reframed, relit, its background treated, by seed. CPU preview, no model. */
export const seedloopFoundation = defineNode({
  classType: "SeedloopFoundation",
  displayName: "Seedloop Foundation (CPU preview)",
  category: "seedloop",
  description: "A variation of a portrait computed from its pixels: another frame, light and background.",
  required: {
    portrait: ["IMAGE"],
    seed: ["INT", { default: 0, min: 0, max: Number.MAX_SAFE_INTEGER, control_after_generate: true }],
    strength: ["FLOAT", { default: 0.7, min: 0, max: 1, step: 0.05 }],
    width: ["INT", { default: 768, min: 64, max: 4096, step: 8 }],
    height: ["INT", { default: 512, min: 64, max: 4096, step: 8 }],
  },
  optional: {
    framing: [FRAMINGS, { default: "auto" }],
    light: [LIGHTS, { default: "auto" }],
    background: [BACKGROUNDS, { default: "auto" }],
    grain: ["FLOAT", { default: 0.7, min: 0, max: 6, step: 0.1, tooltip: "Film grain in 8-bit levels" }],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ portrait, seed, strength, width, height, framing, light, background, grain }, context) {
    const frames: Uint8Array[] = [];
    for (let index = 0; index < portrait.length; index++) {
      await context.breathe();
      const picture = pictureOf(portrait, index);
      const made = await makeFoundation({
        portrait: picture,
        faces: await findFaces(picture, context.log),
        findFaces: (frame) => findFaces(frame, context.log),
        seed: seed + index,
        strength,
        width,
        height,
        framing: framing ?? "auto",
        light: light ?? "auto",
        background: background ?? "auto",
        grain: grain ?? 0.7,
      });
      frames.push(made.rgb);
      context.preview(made);
      context.progress(index + 1, portrait.length);
    }
    return { outputs: [batchOfBytes({ width, height, channels: 3 }, frames)] };
  },
});
