import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { linkOf } from "./check_template.ts";
import type { RequiredModel, WorkflowTemplate } from "./manifest.ts";

/** What `/object_info` says of the nodes of one worker, as it came. */
export type ObjectInfo = Readonly<Record<string, unknown>>;

export interface GraphProblem {
  readonly kind:
    | "missing_node"
    | "unknown_input"
    | "missing_input"
    | "bad_link"
    | "wrong_type"
    | "not_offered"
    | "out_of_range"
    | "off_step";
  readonly node: string;
  readonly classType: string;
  readonly input?: string;
  /** What is wrong, as a sentence that names node and input. */
  readonly message: string;
}

/** All that keeps one worker from running a workflow, found at once; all empty when it can run. */
export interface MissingRequirements {
  /** Node classes that the worker lacks. */
  readonly nodes: readonly string[];
  /** Model files that the worker does not offer where the graph names them. */
  readonly models: readonly RequiredModel[];
  /** All else: values it does not offer, inputs it wants, links that do not fit. */
  readonly others: readonly GraphProblem[];
}

/** Asks before a run: what does this worker lack for this workflow? `graph` is the bound one where there is one. */
export function requirementsMissing(
  { manifest, graph: template }: WorkflowTemplate,
  objectInfo: ObjectInfo,
  graph: ApiGraph = template,
): MissingRequirements {
  const problems = checkAgainst(graph, objectInfo);
  const models = manifest.requires.models.filter((model) => {
    const spec = readSpec(objectInfo[graph[model.node]?.class_type ?? ""]);
    const input = spec?.inputs.get(model.input);
    return input?.options !== undefined && !input.options.includes(model.name);
  });
  const isModel = (problem: GraphProblem) =>
    problem.kind === "not_offered" &&
    manifest.requires.models.some(({ node, input }) => node === problem.node && input === problem.input);
  return {
    nodes: [
      ...new Set(problems.filter(({ kind }) => kind === "missing_node").map(({ classType }) => classType)),
    ],
    models,
    // Extra inputs are ignored by the worker and steps are only its editor's: neither keeps a graph from running.
    others: problems.filter((problem) =>
      !["missing_node", "unknown_input", "off_step"].includes(problem.kind) && !isModel(problem)
    ),
  };
}

/** Compares every node, input, link and literal of a graph with what a worker's `/object_info` declares. */
export function checkAgainst(graph: ApiGraph, objectInfo: ObjectInfo): GraphProblem[] {
  return Object.entries(graph).flatMap(([id, node]) => {
    const spec = readSpec(objectInfo[node.class_type]);
    const at = (kind: GraphProblem["kind"], text: string, input?: string): GraphProblem => ({
      kind,
      node: id,
      classType: node.class_type,
      ...(input === undefined ? {} : { input }),
      message: `${node.class_type} (node ${id})${input === undefined ? "" : `, ${input}`}: ${text}`,
    });
    if (!spec) return [at("missing_node", "the worker does not know this node")];
    const problems: GraphProblem[] = [];
    for (const [name, input] of spec.inputs) {
      if (input.required && !Object.hasOwn(node.inputs, name) && !input.isDynamic) {
        problems.push(at("missing_input", "is required and not given", name));
      }
    }
    for (const [name, value] of Object.entries(node.inputs)) {
      const input = spec.inputs.get(name);
      const dynamic = spec.inputs.get(name.split(".")[0] ?? "")?.isDynamic;
      if (!input) {
        if (!dynamic) problems.push(at("unknown_input", "the node has no such input", name));
        continue;
      }
      const found = checkInput(graph, input, value, objectInfo);
      if (found) problems.push(at(found.kind, found.text, name));
    }
    return problems;
  });
}

interface InputSpec {
  readonly type: string;
  readonly required: boolean;
  readonly isDynamic: boolean;
  /** A file of the worker's input folder: it is uploaded before the run. */
  readonly isUpload: boolean;
  readonly options: readonly unknown[] | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly step: number | undefined;
}

interface Spec {
  readonly inputs: ReadonlyMap<string, InputSpec>;
  readonly outputs: readonly string[];
}

function readSpec(info: unknown): Spec | undefined {
  if (!isRecord(info)) return undefined;
  const inputs = new Map<string, InputSpec>();
  const groups = isRecord(info["input"]) ? info["input"] : {};
  for (const group of ["required", "optional"]) {
    const specs = groups[group];
    for (const [name, spec] of Object.entries(isRecord(specs) ? specs : {})) {
      if (Array.isArray(spec)) inputs.set(name, readInput(spec, group === "required"));
    }
  }
  const output = Array.isArray(info["output"]) ? info["output"] : [];
  return { inputs, outputs: output.map((type) => (typeof type === "string" ? type : "COMBO")) };
}

/** `[TYPE]` or `[TYPE, OPTIONS]`; an array as type is the old form of a list to choose from. */
function readInput([type, second]: readonly unknown[], required: boolean): InputSpec {
  const extra = isRecord(second) ? second : {};
  const listed = Array.isArray(type) ? type : Array.isArray(extra["options"]) ? extra["options"] : undefined;
  const isDynamic = typeof type === "string" && type.startsWith("COMFY_");
  return {
    type: typeof type === "string" ? type : "COMBO",
    required,
    isDynamic,
    isUpload: ["image_upload", "video_upload", "file_upload"].some((key) => extra[key] === true),
    options: isDynamic ? undefined : listed,
    min: asNumber(extra["min"]),
    max: asNumber(extra["max"]),
    step: asNumber(extra["step"]),
  };
}

type Fault = { readonly kind: GraphProblem["kind"]; readonly text: string } | undefined;

function checkInput(graph: ApiGraph, input: InputSpec, value: unknown, objectInfo: ObjectInfo): Fault {
  const link = linkOf(value);
  if (link) {
    const source = graph[link.node];
    if (!source) return { kind: "bad_link", text: `is linked to node ${link.node}, which is not there` };
    const from = readSpec(objectInfo[source.class_type]);
    const given = from?.outputs[link.output];
    if (!from) return undefined; // said of that node already
    if (given === undefined) {
      return { kind: "bad_link", text: `node ${link.node} has no output ${link.output}` };
    }
    return accepts(input.type, given)
      ? undefined
      : { kind: "wrong_type", text: `takes ${input.type}, but node ${link.node} gives ${given}` };
  }
  if (input.options) {
    if (input.isUpload || input.options.includes(value)) return undefined;
    return { kind: "not_offered", text: `the worker does not offer ${JSON.stringify(value)}` };
  }
  return checkLiteral(input, value);
}

function checkLiteral(input: InputSpec, value: unknown): Fault {
  const wrong = (wanted: string): Fault => ({
    kind: "wrong_type",
    text: `takes ${wanted}, not ${JSON.stringify(value)}`,
  });
  switch (input.type) {
    case "STRING":
      return typeof value === "string" ? undefined : wrong("text");
    case "BOOLEAN":
      return typeof value === "boolean" ? undefined : wrong("true or false");
    case "INT":
    case "FLOAT": {
      if (typeof value !== "number") return wrong("a number");
      if (input.type === "INT" && !Number.isInteger(value)) return wrong("a whole number");
      const { min = -Infinity, max = Infinity, step } = input;
      if (value < min || value > max) {
        return { kind: "out_of_range", text: `${value} is outside ${min} to ${max}` };
      }
      const steps = step ? (value - (Number.isFinite(min) ? min : 0)) / step : 0;
      const isOff = input.type === "INT" && Math.abs(steps - Math.round(steps)) > 1e-6;
      return isOff
        ? { kind: "off_step", text: `${value} is not ${min} plus a multiple of ${step}` }
        : undefined;
    }
    case "COMBO":
    case "*":
      return undefined;
    default:
      return input.isDynamic ? undefined : wrong(`a link to ${input.type}`);
  }
}

/** Types are equal, or unions ("STRING,INT") that share a member; what a "*" input takes, its node decides. */
function accepts(wanted: string, given: string): boolean {
  if (wanted === "*" || wanted === "COMBO" || wanted.startsWith("COMFY_") || given.startsWith("COMFY_")) {
    return true;
  }
  const members = given.split(",");
  return wanted.split(",").some((type) => members.includes(type));
}

function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
