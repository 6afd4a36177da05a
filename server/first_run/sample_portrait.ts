import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * A real face from the pictures that ship in the face model's package: one person of a group picture, head and
 * shoulders, as PNG. Nothing is committed for it, and any machine that has installed the studio has it.
 */
export async function readSamplePortrait(): Promise<Uint8Array<ArrayBuffer>> {
  // Loaded when it is wanted: a studio that has its sample never needs it.
  const { default: sharp } = await import("sharp");
  const entry = createRequire(import.meta.url).resolve("@vladmandic/face-api");
  const group = join(dirname(dirname(entry)), "demo", "sample3.jpg");
  const png = await sharp(group).extract({ left: 968, top: 95, width: 420, height: 560 }).png().toBuffer();
  return new Uint8Array(png);
}
