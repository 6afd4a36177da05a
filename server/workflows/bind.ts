import { isNativeRate } from "#server/core/conform.ts";
import { AppError, type FieldError } from "#server/core/errors.ts";
import { isLegal, longest, shortest, smallestHolding } from "#server/core/legal_length.ts";
import { formatRate, Rate } from "#server/core/media_time.ts";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import {
  type Binding,
  type Constraints,
  type FileParameter,
  type Knob,
  PIPELINE_PARAMETERS,
  type PipelineParameter,
  type Place,
  type Transform,
  type WorkflowTemplate,
} from "./manifest.ts";

/** What the pipeline has for one run: plain values by parameter, and which files there are. */
export interface BindInput {
  readonly values: Readonly<Record<string, unknown>>;
  readonly files: readonly FileParameter[];
}

export interface BoundGraph {
  readonly graph: ApiGraph;
  /** Where the names of uploaded files go; the graph holds a marker there until the bridge sets them. */
  readonly uploads: readonly {
    readonly parameter: FileParameter;
    readonly places: readonly { readonly node: string; readonly input: string }[];
  }[];
  readonly outputNodes: readonly string[];
  /** Every value that was bound, knobs' defaults included: what makes the run reproducible. */
  readonly values: Readonly<Record<string, unknown>>;
}

const MAX_TEXT = 20_000;

/**
 * A graph ready to send. The template is not touched. Throws AppError "invalid" that lists every wrong or missing
 * parameter at once as `/parameters/<name>`. Pipeline parameters that the workflow has no place for are left out.
 */
export function bind(template: WorkflowTemplate, input: BindInput): BoundGraph {
  const { manifest } = template;
  const fields: FieldError[] = [];
  const values = effectiveValues(template, input.values);
  checkKnown(template, input, fields);
  for (const [parameter, value] of Object.entries(values)) {
    const message = judge(template, parameter, value);
    if (message) fields.push({ field: `/parameters/${parameter}`, message });
  }
  checkSize(manifest.constraints, values, fields);
  checkRequired(template, values, input.files, fields);
  if (fields.length > 0) {
    throw new AppError("invalid", `The workflow "${manifest.title}" can't run with these parameters`, {
      fields,
    });
  }

  const graph = structuredClone(template.graph);
  const uploads: { parameter: FileParameter; places: { node: string; input: string }[] }[] = [];
  for (const [parameter, binding] of Object.entries(manifest.bindings)) {
    if (!isFileParameter(parameter)) setPlaces(graph, binding.to, values[parameter]);
    else if (!input.files.includes(parameter)) removeNodes(graph, binding.withoutIt ?? []);
    else {
      setPlaces(graph, binding.to, `%SEEDLOOP_UPLOAD:${parameter}%`);
      uploads.push({ parameter, places: binding.to.map(({ node, input: name }) => ({ node, input: name })) });
    }
  }
  return { graph, uploads, outputNodes: [manifest.result.node], values };
}

/**
 * The size to generate at for a picture of `width`×`height`: nearly its shape, within the workflow's pixels, sides
 * legal. Never larger than asked by more than the rounding of a side.
 */
export function fitSize(
  constraints: Constraints,
  width: number,
  height: number,
): { width: number; height: number } {
  const { sides: { multipleOf, min, max }, maxPixels } = constraints;
  const legal = (side: number) => {
    const lowest = Math.ceil(min / multipleOf);
    const highest = Math.floor(max / multipleOf);
    return multipleOf * Math.min(highest, Math.max(lowest, Math.round(side / multipleOf)));
  };
  let scale = Math.min(1, Math.sqrt(maxPixels / (width * height)), max / width, max / height);
  let size = { width: legal(width * scale), height: legal(height * scale) };
  while (size.width * size.height > maxPixels && scale > 0.01) {
    scale *= 0.98;
    size = { width: legal(width * scale), height: legal(height * scale) };
  }
  return size;
}

function effectiveValues(template: WorkflowTemplate, given: BindInput["values"]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { parameter, default: value } of template.manifest.knobs) values[parameter] = value;
  for (const [parameter, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const isBound = Object.hasOwn(template.manifest.bindings, parameter);
    // Frames, size and rate are judged even where no input takes them: the workflow makes them or it does not.
    if (isBound || parameter === "rate" || parameter === "frames") values[parameter] = value;
  }
  return values;
}

function checkKnown({ manifest }: WorkflowTemplate, input: BindInput, fields: FieldError[]) {
  const names = Object.keys(manifest.bindings);
  for (const parameter of Object.keys(input.values)) {
    if (isFileParameter(parameter)) {
      fields.push({
        field: `/parameters/${parameter}`,
        message: "is a file: name it among the files, not the values",
      });
    } else if (!names.includes(parameter) && !Object.hasOwn(PIPELINE_PARAMETERS, parameter)) {
      fields.push({
        field: `/parameters/${parameter}`,
        message: `is no parameter of this workflow; it has ${names.join(", ")}`,
      });
    }
  }
}

function checkRequired(
  { manifest }: WorkflowTemplate,
  values: Readonly<Record<string, unknown>>,
  files: readonly FileParameter[],
  fields: FieldError[],
) {
  for (const [parameter, binding] of Object.entries(manifest.bindings)) {
    const isGiven = isFileParameter(parameter) ? files.includes(parameter) : Object.hasOwn(values, parameter);
    if (binding.required && !isGiven) {
      fields.push({
        field: `/parameters/${parameter}`,
        message: "is missing, and this workflow can't run without it",
      });
    }
  }
}

/** What is wrong with one value, or undefined. */
function judge({ manifest }: WorkflowTemplate, parameter: string, value: unknown): string | undefined {
  const knob = manifest.knobs.find((candidate) => candidate.parameter === parameter);
  if (knob) return judgeKnob(knob, value);
  const kind = isPipelineParameter(parameter) ? PIPELINE_PARAMETERS[parameter] : undefined;
  const { video, sides } = manifest.constraints;
  switch (kind) {
    case "text":
      if (typeof value !== "string") return "must be text";
      return value.length <= MAX_TEXT ? undefined : `is too long: use at most ${MAX_TEXT} characters`;
    case "seed":
      return isWhole(value, 0, Number.MAX_SAFE_INTEGER)
        ? undefined
        : `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}; larger ones lose digits in JSON`;
    case "rate":
      return judgeRate(value, video?.rates ?? "any");
    case "integer":
      return parameter === "frames" ? judgeFrames(value, video?.frames) : judgeSide(value, sides);
    default:
      return undefined;
  }
}

function judgeKnob(knob: Knob, value: unknown): string | undefined {
  switch (knob.kind) {
    case "toggle":
      return typeof value === "boolean" ? undefined : "must be true or false";
    case "text":
      if (typeof value !== "string") return "must be text";
      return value.length <= knob.maxLength
        ? undefined
        : `is too long: use at most ${knob.maxLength} characters`;
    case "choice":
      return knob.options.some((option) => option.value === value)
        ? undefined
        : `must be one of ${knob.options.map((option) => option.value).join(", ")}`;
    default: {
      const isNumber = typeof value === "number" && Number.isFinite(value);
      const isRightKind = isNumber && (knob.kind === "number" || Number.isInteger(value));
      if (isRightKind && value >= knob.min && value <= knob.max) return undefined;
      return `must be a ${
        knob.kind === "integer" ? "whole number" : "number"
      } from ${knob.min} to ${knob.max}`;
    }
  }
}

type Lengths = NonNullable<Constraints["video"]>["frames"];

function judgeFrames(value: unknown, lengths: Lengths | undefined): string | undefined {
  if (!lengths) return "has no meaning here: this workflow makes a still";
  if (typeof value === "number" && Number.isInteger(value) && isLegal(lengths, value)) return undefined;
  const { step, offset } = lengths;
  const first = shortest(lengths);
  const last = longest(lengths);
  const form = step === 1 ? "" : ` of the form ${step}n${offset < 0 ? "−" : "+"}${Math.abs(offset)}`;
  if (typeof value !== "number" || !(value > first && value < last)) {
    return `must be from ${first} to ${last}${form}`;
  }
  const next = smallestHolding(lengths, value);
  return `must be a length${form} from ${first} to ${last}: use ${next - step} or ${next}`;
}

function judgeSide(value: unknown, { multipleOf, min, max }: Constraints["sides"]): string | undefined {
  if (!isWhole(value, min, max)) return `must be a whole number of pixels from ${min} to ${max}`;
  const below = Math.floor(value / multipleOf) * multipleOf;
  if (below === value) return undefined;
  const fits = [below, below + multipleOf].filter((side) => side >= min && side <= max);
  return `must be a multiple of ${multipleOf}: use ${fits.join(" or ")}`;
}

function judgeRate(value: unknown, native: "any" | readonly Rate[]): string | undefined {
  const parsed = Rate.safeParse(value);
  if (!parsed.success) return "must be a frame rate as a fraction, e.g. 24000/1001";
  if (native === "any" || isNativeRate(parsed.data, native)) return undefined;
  return `is no rate of this model, which makes ${
    native.map(formatRate).join(", ")
  }: generate at one and conform`;
}

function checkSize(
  constraints: Constraints,
  values: Readonly<Record<string, unknown>>,
  fields: FieldError[],
) {
  const { width, height } = values;
  if (typeof width !== "number" || typeof height !== "number") return;
  if (width * height <= constraints.maxPixels) return;
  const fit = fitSize(constraints, width, height);
  fields.push({
    field: "/parameters/width",
    message: `times height is more than the ${constraints.maxPixels} pixels this workflow makes: ` +
      `use ${fit.width}×${fit.height}`,
  });
}

function setPlaces(graph: ApiGraph, places: Binding["to"], value: unknown) {
  if (value === undefined) return;
  for (const place of places) {
    const node = graph[place.node];
    if (!node) throw new RangeError(`${named(place)} is bound, but the graph has no such node`);
    node.inputs[place.input] = transformed(value, place.transform);
  }
}

/** The value as one input takes it. */
export function transformed(value: unknown, transform: Transform | undefined): unknown {
  if (transform === undefined) return value;
  if (transform === "seed_32") return Number(value) % 2 ** 32;
  if (typeof transform === "string") {
    const { num, den } = Rate.parse(value);
    return transform === "rate_num" ? num : transform === "rate_den" ? den : num / den;
  }
  const result = Number(value) * transform.multiply + (transform.add ?? 0);
  if (!transform.round) return result;
  return transform.round === "floor"
    ? Math.floor(result)
    : transform.round === "ceil"
    ? Math.ceil(result)
    : Math.round(result);
}

function removeNodes(graph: ApiGraph, ids: readonly string[]) {
  for (const id of ids) delete graph[id];
  for (const node of Object.values(graph)) {
    for (const [name, value] of Object.entries(node.inputs)) {
      if (Array.isArray(value) && ids.includes(value[0])) delete node.inputs[name];
    }
  }
}

function named(place: Place): string {
  return `${place.node}.${place.input}`;
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
}

function isPipelineParameter(name: string): name is PipelineParameter {
  return Object.hasOwn(PIPELINE_PARAMETERS, name);
}

function isFileParameter(name: string): name is FileParameter {
  return isPipelineParameter(name) && PIPELINE_PARAMETERS[name] === "file";
}
