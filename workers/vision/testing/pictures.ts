import sharp, { type Sharp } from "sharp";
import type { RgbImage } from "#workers/vision/pixels.ts";
import { readStill } from "#workers/vision/read_still.ts";

/** Photos of people that ship inside the `face-api` package, by number 1–6. */
export function groupPhoto(number: number): URL {
  return new URL(`../demo/sample${number}.jpg`, import.meta.resolve("@vladmandic/face-api"));
}

/** A picture through sharp's operations, decoded. */
export async function decoded(picture: Sharp): Promise<RgbImage> {
  const path = await Deno.makeTempFile({ suffix: ".png" });
  try {
    await picture.png().toFile(path);
    return await readStill(path);
  } finally {
    await Deno.remove(path);
  }
}

/** One person cut out of a group photo: `size` pixels square, in the photo's own resolution. */
export function person(photo: number, left: number, top: number, size: number): Sharp {
  const { pathname } = groupPhoto(photo);
  return sharp(decodeURIComponent(pathname)).extract({ left, top, width: size, height: size });
}
