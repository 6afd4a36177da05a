import { asList, asRecord, asText } from "./json.ts";

/** An input of a node class, as `/object_info` describes it, in its old or new form. */
export interface InputSpec {
  readonly className: string;
  readonly name: string;
  readonly isRequired: boolean;
  /** "INT", "IMAGE", "STRING,INT", "COMBO" … */
  readonly type: string;
  /** The allowed values of a combo; undefined when it has none or the browser would fetch them. */
  readonly options: readonly unknown[] | undefined;
  readonly min: number | bigint | undefined;
  readonly max: number | bigint | undefined;
  /** Its value is a file of the worker's input folder, which need not be in the list. */
  readonly isUpload: boolean;
  /** Its inputs are written flat, as "name.part". */
  readonly isDynamic: boolean;
}

export interface NodeSpec {
  readonly inputs: ReadonlyMap<string, InputSpec>;
  /** The type of each output; undefined for a list of options, which is decided on the worker. */
  readonly outputs: readonly (string | undefined)[];
  readonly isOutput: boolean;
}

/** Inputs whose node checks the name by itself, so that files outside the list are fine. */
const FILE_INPUTS: Readonly<Record<string, string>> = {
  LoadImage: "image",
  LoadImageMask: "image",
  LoadImageOutput: "image",
  LoadVideo: "file",
  LoadAudio: "audio",
  LoadLatent: "latent",
};

/** Reads a class of `/object_info`; undefined when it isn't there. */
export function readNodeSpec(info: unknown): NodeSpec | undefined {
  const node = asRecord(info);
  if (node === undefined) return undefined;
  const className = asText(node.name) ?? "";
  const groups = asRecord(node.input) ?? {};
  const inputs = new Map<string, InputSpec>();
  for (const group of ["required", "optional"]) {
    for (const [name, spec] of Object.entries(asRecord(groups[group]) ?? {})) {
      inputs.set(name, readInput(className, name, group === "required", asList(spec)));
    }
  }
  return { inputs, outputs: asList(node.output).map(asText), isOutput: node.output_node === true };
}

function readInput(
  className: string,
  name: string,
  isRequired: boolean,
  spec: readonly unknown[],
): InputSpec {
  const [type, second] = spec;
  const extra = asRecord(second) ?? {};
  const options = Array.isArray(type) ? type : Array.isArray(extra.options) ? extra.options : undefined;
  const isDynamic = typeof type === "string" && type.startsWith("COMFY_");
  const uploads = ["image_upload", "video_upload", "file_upload", "audio_upload", "image_folder"];
  return {
    className,
    name,
    isRequired,
    type: typeof type === "string" ? type : "COMBO",
    // Options of dynamic combos are records; several values at once are not checked here.
    options: isDynamic || extra.multiselect === true ? undefined : options,
    min: asBound(extra.min),
    max: asBound(extra.max),
    isUpload: FILE_INPUTS[className] === name ||
      uploads.some((key) => extra[key] !== undefined && extra[key] !== false),
    isDynamic,
  };
}

function asBound(value: unknown): number | bigint | undefined {
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}
