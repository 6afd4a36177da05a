/** G1 of the conformance suite: two outputs, one of them temporary. */
export const G1 = {
  1: { class_type: "EmptyImage", inputs: { width: 64, height: 48, batch_size: 2, color: 16711680 } },
  2: { class_type: "ImageInvert", inputs: { image: ["1", 0] } },
  3: { class_type: "SaveImage", inputs: { images: ["2", 0], filename_prefix: "conf/g1" } },
  4: { class_type: "PreviewImage", inputs: { images: ["1", 0] } },
};

/** G2: a video and an animation from one batch. */
export const G2 = {
  1: { class_type: "EmptyImage", inputs: { width: 64, height: 48, batch_size: 9, color: 255 } },
  2: { class_type: "EmptyImage", inputs: { width: 64, height: 48, batch_size: 8, color: 65280 } },
  3: { class_type: "ImageBatch", inputs: { image1: ["1", 0], image2: ["2", 0] } },
  4: { class_type: "CreateVideo", inputs: { images: ["3", 0], fps: 16 } },
  5: {
    class_type: "SaveVideo",
    inputs: { video: ["4", 0], filename_prefix: "conf/g2", format: "mp4", codec: "h264" },
  },
  6: {
    class_type: "SaveAnimatedWEBP",
    inputs: {
      images: ["3", 0],
      filename_prefix: "conf/g2w",
      fps: 8,
      lossless: false,
      quality: 80,
      method: "default",
    },
  },
};

/** G3: everything wrong that one node can have. */
export const G3 = {
  1: { class_type: "EmptyImage", inputs: { width: 0, height: "abc", color: 99999999 } },
  2: {
    class_type: "ImageScale",
    inputs: { image: ["1", 0], upscale_method: "zzz", width: 10, height: 10, crop: "disabled" },
  },
  3: { class_type: "SaveImage", inputs: { images: ["2", 0], filename_prefix: "x" } },
};

/** G4: a node that fails when it runs. */
export const G4 = {
  1: { class_type: "EmptyImage", inputs: { width: 32, height: 32, batch_size: 1, color: 7 } },
  2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "../../evil" } },
};

/** One saved picture; different colours are different prompts. */
export function picture(color: number, prefix = "p"): Record<string, unknown> {
  return {
    1: { class_type: "EmptyImage", inputs: { width: 8, height: 8, batch_size: 1, color } },
    2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: prefix } },
  };
}
