import type { ApiGraph } from "#server/fleet/job_kinds.ts";

/** A graph node, short: class, inputs. */
function node(class_type: string, inputs: Record<string, unknown>): ApiGraph[string] {
  return { class_type, inputs };
}

/** Two outputs, one fed by a root: shows order, caching and partial runs. `color` makes it unlike others. */
export function twoOutputs(prefix: string, color: number): ApiGraph {
  return {
    "1": node("EmptyImage", { width: 64, height: 48, batch_size: 2, color }),
    "2": node("ImageInvert", { image: ["1", 0] }),
    "3": node("SaveImage", { images: ["2", 0], filename_prefix: prefix }),
    "4": node("PreviewImage", { images: ["1", 0] }),
  };
}

/** The least that leaves a file. */
export function oneImage(prefix: string, color: number, size = 16): ApiGraph {
  return {
    "1": node("EmptyImage", { width: size, height: size, batch_size: 1, color }),
    "2": node("SaveImage", { images: ["1", 0], filename_prefix: prefix }),
  };
}

/** 17 frames at 16 fps as H.264 and as an animated picture. */
export function video(prefix: string, color: number): ApiGraph {
  return {
    "1": node("EmptyImage", { width: 64, height: 48, batch_size: 9, color }),
    "2": node("EmptyImage", { width: 64, height: 48, batch_size: 8, color: 65280 }),
    "3": node("ImageBatch", { image1: ["1", 0], image2: ["2", 0] }),
    "4": node("CreateVideo", { images: ["3", 0], fps: 16.0 }),
    "5": node("SaveVideo", { video: ["4", 0], filename_prefix: prefix, format: "mp4", codec: "h264" }),
  };
}

export function animatedWebp(prefix: string, color: number): ApiGraph {
  return {
    "1": node("EmptyImage", { width: 64, height: 48, batch_size: 5, color }),
    "6": node("SaveAnimatedWEBP", {
      images: ["1", 0],
      filename_prefix: prefix,
      fps: 8.0,
      lossless: false,
      quality: 80,
      method: "default",
    }),
  };
}

/** Wrong in every way that validation of values knows. */
export const INVALID: ApiGraph = {
  "1": node("EmptyImage", { width: 0, height: "abc", color: 99999999 }),
  "2": node("ImageScale", {
    image: ["1", 0],
    upscale_method: "zzz",
    width: 10,
    height: 10,
    crop: "disabled",
  }),
  "3": node("SaveImage", { images: ["2", 0], filename_prefix: "x" }),
};

/** A chain of blurs: each node can't be interrupted inside and takes its time. */
export function slowChain(color: number, blurs: number, size = 1024): ApiGraph {
  const graph: ApiGraph = { "1": node("EmptyImage", { width: size, height: size, batch_size: 1, color }) };
  for (let at = 0; at < blurs; at++) {
    const from = at === 0 ? "1" : String(9 + at);
    graph[String(10 + at)] = node("ImageBlur", { image: [from, 0], blur_radius: 31, sigma: 9.0 });
  }
  graph["99"] = node("PreviewImage", { images: [String(9 + blurs), 0] });
  return graph;
}

/** Three images of one batch taken apart into a list: the nodes after it run once per image. */
export function imageList(prefix: string, color: number): ApiGraph {
  return {
    "1": node("EmptyImage", { width: 32, height: 32, batch_size: 3, color }),
    "2": node("RebatchImages", { images: ["1", 0], batch_size: 1 }),
    "3": node("ImageInvert", { image: ["2", 0] }),
    "4": node("SaveImage", { images: ["3", 0], filename_prefix: prefix }),
  };
}

/** Real sampling by a model of random weights; the progress of each step shows. */
export function tinySampler(prefix: string, seed: number, model: string): ApiGraph {
  return {
    "1": node("UNETLoader", { unet_name: model, weight_dtype: "default" }),
    "2": node("LotusConditioning", {}),
    "3": node("ConditioningZeroOut", { conditioning: ["2", 0] }),
    "4": node("EmptyLatentHunyuan3Dv2", { resolution: 64, batch_size: 1 }),
    "5": node("KSamplerAdvanced", {
      model: ["1", 0],
      add_noise: "enable",
      noise_seed: seed,
      steps: 6,
      cfg: 3.0,
      sampler_name: "euler",
      scheduler: "simple",
      positive: ["2", 0],
      negative: ["3", 0],
      latent_image: ["4", 0],
      start_at_step: 0,
      end_at_step: 3,
      return_with_leftover_noise: "enable",
    }),
    "6": node("SaveLatent", { samples: ["5", 0], filename_prefix: prefix }),
  };
}

/** A node of the CPU engine that shows frames while it works. */
export function previewing(prefix: string, color: number): ApiGraph {
  return {
    "1": node("EmptyImage", { width: 96, height: 64, batch_size: 1, color }),
    "2": node("SeedloopMotion", {
      start_image: ["1", 0],
      width: 96,
      height: 64,
      frames: 9,
      rate_num: 16,
      rate_den: 1,
      seed: color,
      motion: 1,
      camera: "push_in",
      breathing: 0,
      grain: 0,
    }),
    "3": node("SaveImage", { images: ["2", 0], filename_prefix: prefix }),
  };
}
