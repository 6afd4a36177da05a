import { batchOfBytes } from "#workers/engine/image_batch.ts";
import { cutPortrait } from "#workers/engine/pixels/portrait.ts";
import { findFacesLike } from "./face_finder.ts";
import { pictureOf } from "./frame_pictures.ts";
import { defineNode } from "./node_spec.ts";

/** The face of a frame, upright and scaled: Seed A out of Seed B. Fails with the reason when there is no face. */
export const seedloopPortrait = defineNode({
  classType: "SeedloopPortrait",
  displayName: "Seedloop Portrait (CPU preview)",
  category: "seedloop",
  description: "Cuts the face out of a frame, turns it upright and scales it.",
  required: {
    foundation: ["IMAGE"],
    width: ["INT", { default: 512, min: 64, max: 4096, step: 8 }],
    height: ["INT", { default: 512, min: 64, max: 4096, step: 8 }],
  },
  optional: {
    margin: ["FLOAT", { default: 0.45, min: 0, max: 2, step: 0.05, tooltip: "Room in face heights" }],
    reference: ["IMAGE", { tooltip: "Of several faces the one most like this is taken" }],
  },
  outputs: [{ type: "IMAGE" }],
  async run({ foundation, width, height, margin, reference }, context) {
    const picture = pictureOf(foundation, 0);
    const faces = await findFacesLike(picture, reference && pictureOf(reference, 0), context.log);
    const made = cutPortrait({ foundation: picture, faces, width, height, margin: margin ?? 0.45 });
    context.progress(1, 1);
    return { outputs: [batchOfBytes({ width, height, channels: 3 }, [made.rgb])] };
  },
});
