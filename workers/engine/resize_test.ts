import { assert, assertEquals } from "@std/assert/mod.js";
import { batchOfBytes, type ImageBatch } from "./image_batch.ts";
import { RESIZE_METHODS, resizeBatch, type ResizeMethod, roundHalfEven } from "./resize.ts";

const still = () => Promise.resolve();

/** 5 × 4 RGB; pixel (x, y, c) is 37x + 59y + 83c modulo 256. */
function pattern(): ImageBatch {
  const bytes = Uint8Array.from({ length: 60 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return (37 * (pixel % 5) + 59 * Math.floor(pixel / 5) + 83 * (i % 3)) % 256;
  });
  return batchOfBytes({ width: 5, height: 4, channels: 3 }, [bytes]);
}

/** What PyTorch 2.13 and Pillow make of the red channel, cut to bytes. */
const EXPECTED: Record<ResizeMethod, { small: number[]; large: number[] }> = {
  "nearest-exact": {
    small: [59, 133, 207, 177, 251, 69],
    // deno-fmt-ignore
    large: [0, 37, 37, 74, 111, 111, 148, 59, 96, 96, 133, 170, 170, 207, 59, 96, 96, 133, 170, 170, 207,
      118, 155, 155, 192, 229, 229, 10, 177, 214, 214, 251, 32, 32, 69, 177, 214, 214, 251, 32, 32, 69],
  },
  bilinear: {
    small: [41, 103, 165, 159, 221, 69],
    // deno-fmt-ignore
    large: [0, 21, 47, 74, 100, 126, 148, 29, 50, 77, 103, 129, 156, 177, 68, 89, 116, 142, 169, 177, 174,
      108, 129, 155, 182, 208, 143, 42, 147, 168, 195, 221, 156, 91, 39, 177, 198, 224, 251, 94, 47, 69],
  },
  area: {
    small: [48, 103, 159, 166, 178, 85],
    // deno-fmt-ignore
    large: [0, 18, 55, 74, 92, 129, 148, 29, 48, 85, 103, 122, 159, 177, 59, 77, 114, 133, 151, 188, 207,
      118, 136, 173, 192, 210, 119, 10, 147, 166, 203, 221, 176, 85, 39, 177, 195, 232, 251, 141, 50, 69],
  },
  bicubic: {
    small: [33, 97, 178, 162, 227, 52],
    // deno-fmt-ignore
    large: [0, 12, 44, 68, 93, 125, 145, 21, 41, 73, 97, 120, 164, 200, 68, 89, 120, 145, 178, 189, 182,
      102, 123, 153, 179, 247, 159, 18, 150, 170, 207, 227, 174, 78, 11, 179, 199, 243, 255, 73, 14, 78],
  },
  lanczos: {
    small: [42, 112, 165, 161, 203, 86],
    // deno-fmt-ignore
    large: [0, 13, 46, 70, 95, 124, 139, 21, 39, 73, 96, 111, 161, 199, 68, 88, 119, 144, 183, 193, 185,
      105, 124, 152, 181, 255, 152, 21, 153, 168, 213, 229, 169, 65, 20, 179, 190, 251, 255, 67, 17, 90],
  },
};

const reds = (batch: ImageBatch) => [...batch.bytes(0)].filter((_, i) => i % 3 === 0);

for (const method of RESIZE_METHODS) {
  Deno.test(`resizeBatch makes what ComfyUI makes: ${method}`, async () => {
    const small = await resizeBatch(pattern(), { width: 3, height: 2 }, method, "disabled", still);
    assertEquals(reds(small), EXPECTED[method].small);
    const large = await resizeBatch(pattern(), { width: 7, height: 6 }, method, "disabled", still);
    assertEquals(reds(large), EXPECTED[method].large);
  });
}

Deno.test("resizeBatch cuts the middle out for another aspect", async () => {
  const cut = await resizeBatch(pattern(), { width: 3, height: 4 }, "nearest-exact", "center", still);
  assertEquals(reds(cut).slice(0, 3), [37, 74, 111]);
});

Deno.test("resizeBatch resizes a frame that is shown many times once", async () => {
  let frames = 0;
  const many = pattern().pick(Array.from({ length: 100 }, () => 0));
  const resized = await resizeBatch(many, { width: 10, height: 8 }, "bilinear", "disabled", () => {
    frames++;
    return Promise.resolve();
  });
  assertEquals([frames, resized.length], [1, 100]);
  assert(resized.memory < 2 * 10 * 8 * 3 * 4);
});

Deno.test("roundHalfEven sends halves to the even neighbour", () => {
  assertEquals([0.5, 1.5, 2.5, 2.4, 2.6, -0.5].map(roundHalfEven).map((x) => x + 0), [0, 2, 2, 2, 3, 0]);
});
