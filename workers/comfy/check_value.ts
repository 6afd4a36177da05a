import type { InputSpec } from "./node_spec.ts";

export interface BadValue {
  readonly text: string;
  /** The value names a model file that the worker doesn't have. */
  readonly isModel: boolean;
}

const MODEL_FILE = /\.(safetensors|sft|ckpt|pt|pt2|pth|bin|pkl|gguf|onnx|yaml)$/i;

/** Where ComfyUI's own loaders look, by input; a class that differs stands with its name. */
const FOLDERS: Readonly<Record<string, string>> = {
  ckpt_name: "checkpoints",
  unet_name: "diffusion_models",
  clip_name: "text_encoders",
  clip_name1: "text_encoders",
  clip_name2: "text_encoders",
  clip_name3: "text_encoders",
  "CLIPVisionLoader.clip_name": "clip_vision",
  vae_name: "vae",
  lora_name: "loras",
  control_net_name: "controlnet",
  style_model_name: "style_models",
  gligen_name: "gligen",
  hypernetwork_name: "hypernetworks",
  "UpscaleModelLoader.model_name": "upscale_models",
};

function folderOf({ className, name }: InputSpec): string {
  const folder = FOLDERS[`${className}.${name}`] ?? FOLDERS[name];
  return folder ? `the worker's folder models/${folder}` : "the worker's model folder for that input";
}

/** What the worker would refuse about a literal value, with the mend; undefined when it would take it. */
export function checkValue(input: InputSpec, value: unknown): BadValue | undefined {
  const bad = (text: string): BadValue => ({ text, isModel: false });
  if (input.options !== undefined) return checkOption(input, input.options, value);
  if (input.type === "INT" || input.type === "FLOAT") {
    const number = asNumber(value, input.type);
    if (number === undefined) return bad(`input ${input.name} must be a number, not ${show(value)}`);
    // Comparing a number with a bigint is exact.
    if (input.min !== undefined && number < input.min) {
      return bad(`input ${input.name} is ${show(value)}; it must be at least ${input.min}`);
    }
    if (input.max !== undefined && number > input.max) {
      return bad(`input ${input.name} is ${show(value)}; it must be at most ${input.max}`);
    }
    return undefined;
  }
  // Everything else the worker coerces, or judges by code of its own.
  return undefined;
}

function checkOption(input: InputSpec, options: readonly unknown[], value: unknown): BadValue | undefined {
  if (input.isUpload) return undefined;
  const plain = (one: unknown) => typeof one === "string" ? one.replaceAll("\\", "/") : one;
  if (options.some((option) => plain(option) === plain(value))) return undefined;
  const isModel = typeof value === "string" && MODEL_FILE.test(value);
  if (isModel) {
    // What is no file, such as the "pixel_space" of a VAELoader, is no other build of the same model.
    const files = options.filter((option) => typeof option === "string" && MODEL_FILE.test(option));
    const text = `the worker has no file ${value} for input ${input.name}; put it into ${folderOf(input)}` +
      (files.length > 0 ? ` or choose one of ${list(files)}` : "");
    return { text, isModel };
  }
  const choice = options.length === 0
    ? "the worker has none to choose from"
    : `it must be one of ${list(options)}`;
  return { text: `input ${input.name} is ${show(value)}; ${choice}`, isModel };
}

/** As the worker would coerce it: text that reads as a number counts, a truth value too. */
function asNumber(value: unknown, type: "INT" | "FLOAT"): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  if (Number.isNaN(number) || (type === "INT" && !/^\s*[+-]?\d+\s*$/.test(value))) return undefined;
  return number;
}

function show(value: unknown): string {
  return typeof value === "string" ? `“${value.slice(0, 80)}”` : String(value).slice(0, 80);
}

function list(options: readonly unknown[]): string {
  const shown = options.slice(0, 8).map(show).join(", ");
  return options.length > 8 ? `${shown} … (${options.length} in all)` : shown;
}
