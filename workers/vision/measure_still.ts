import { measureColor } from "./color.ts";
import { differenceHash } from "./dhash.ts";
import type { FaceReader } from "./face_reader.ts";
import { LumaScaler } from "./luma.ts";
import { readStill } from "./read_still.ts";
import type { StillAnswer, StillRequest } from "./requests.ts";
import { laplacianVariance } from "./sharpness.ts";

/** Measures a still and its faces; with a portrait also how like it is. */
export async function measureStill(reader: FaceReader, request: StillRequest): Promise<StillAnswer> {
  const picture = await readStill(request.image.path);
  const wanted = request.portrait;
  const portrait = wanted && await reader.portrait(wanted.hash, () => readStill(wanted.path));
  const { faces, likeness, reason } = await reader.read(picture, portrait, "thorough");
  return {
    model: await reader.model(),
    faces: [...faces],
    likeness,
    ...(reason === undefined ? {} : { likenessReason: reason }),
    sharpness: laplacianVariance(new LumaScaler(picture.width, picture.height).scale(picture.data)),
    meanLab: measureColor(picture.data, picture.width, picture.height).meanLab,
    dhash: differenceHash(picture),
  };
}
