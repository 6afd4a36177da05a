import { type Graph, type GraphNode, inputSpec, isLink, resolveInput } from "./graph.ts";
import type { AnyNode, Folders } from "./nodes/node_spec.ts";
import { pythonRepr, pythonText } from "./python_text.ts";
import { type InputConfig, judgeLiteral } from "./validate_literal.ts";

/** One thing wrong with a node, in ComfyUI's shape. */
export interface Reason {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: Readonly<Record<string, unknown>>;
}

/** What `node_errors` says of a node. */
export interface NodeErrors {
  readonly errors: readonly Reason[];
  readonly dependent_outputs: string[];
  readonly class_type: string;
}

/** Which outputs may run, and what is wrong with the nodes of the others. */
export interface Validation {
  readonly goodOutputs: readonly string[];
  readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
  /** "message: details" of the bad outputs' own errors, one a line. */
  readonly summary: string;
}

interface Verdict {
  readonly valid: boolean;
  readonly reasons: readonly Reason[];
}

interface Check {
  readonly graph: Graph;
  readonly folders: Folders;
  readonly verdicts: Map<string, Verdict>;
  /** Nodes being judged now, outermost first. */
  readonly path: string[];
}

/** What Python would throw while it looks at a graph; caught one level up and shown with its type. */
class GraphFault extends Error {
  constructor(message: string, readonly exceptionType: "KeyError" | "IndexError" | "TypeError") {
    super(message);
  }
}

/**
 * Judges `outputs` and all that they need, coercing literals in place. An output is good when nothing it
 * needs is wrong. Nodes that are only downstream of a wrong one are not listed.
 */
export async function validateOutputs(
  graph: Graph,
  outputs: readonly string[],
  folders: Folders,
): Promise<Validation> {
  const check: Check = { graph, folders, verdicts: new Map(), path: [] };
  const goodOutputs: string[] = [];
  const nodeErrors: Record<string, NodeErrors> = {};
  const lines: string[] = [];
  for (const output of outputs) {
    const verdict = await judgeOutput(output, check);
    if (verdict.valid) {
      goodOutputs.push(output);
      continue;
    }
    lines.push(...verdict.reasons.map((reason) => `${reason.message}: ${reason.details}`));
    for (const [id, { valid, reasons }] of check.verdicts) {
      if (valid || reasons.length === 0) continue;
      const classType = graph.get(id)?.classType ?? "";
      nodeErrors[id] ??= { errors: reasons, dependent_outputs: [], class_type: classType };
      nodeErrors[id].dependent_outputs.push(output);
    }
  }
  return { goodOutputs, nodeErrors, summary: lines.join("\n") };
}

async function judgeOutput(id: string, check: Check): Promise<Verdict> {
  try {
    return await judgeNode(id, check);
  } catch (error) {
    if (!(error instanceof GraphFault)) throw error;
    const verdict = {
      valid: false,
      reasons: [{
        type: "exception_during_validation",
        message: "Exception when validating node",
        details: error.message,
        extra_info: { exception_type: error.exceptionType, traceback: [] },
      }],
    };
    check.verdicts.set(id, verdict);
    return verdict;
  } finally {
    check.path.length = 0;
  }
}

async function judgeNode(id: string, check: Check): Promise<Verdict> {
  const known = check.verdicts.get(id);
  if (known) return known;
  const node = check.graph.get(id);
  if (!node) throw new GraphFault(pythonRepr(id), "KeyError");
  if (check.path.includes(id)) return cycle(id, check);
  check.path.push(id);
  const reasons: Reason[] = [];
  let valid = true;
  for (const name of [...Object.keys(node.spec.required), ...Object.keys(node.spec.optional ?? {})]) {
    const outcome = await judgeInput(node, name, check);
    if (outcome === "upstream") valid = false;
    else if (outcome) reasons.push(outcome);
  }
  reasons.push(...await judgeByNode(node, check.folders));
  check.path.pop();
  const verdict = check.verdicts.get(id) ?? { valid: valid && reasons.length === 0, reasons };
  check.verdicts.set(id, verdict);
  return verdict;
}

function cycle(id: string, check: Check): Verdict {
  const nodes = check.path.slice(check.path.indexOf(id));
  const verdict: Verdict = {
    valid: false,
    reasons: [{
      type: "dependency_cycle",
      message: "Dependency cycle detected",
      details: [...nodes, id].join(" -> "),
      extra_info: { cycle_nodes: nodes },
    }],
  };
  check.verdicts.set(id, verdict);
  return verdict;
}

async function judgeInput(
  node: GraphNode,
  name: string,
  check: Check,
): Promise<Reason | "upstream" | undefined> {
  const declared = inputSpec(node.spec, name);
  if (!declared) return undefined;
  if (!(name in node.inputs)) {
    if (!declared.required) return undefined;
    return {
      type: "required_input_missing",
      message: "Required input is missing",
      details: name,
      extra_info: { input_name: name },
    };
  }
  const { type, options } = resolveInput(declared.spec, check.folders);
  const value = node.inputs[name];
  if (Array.isArray(value)) return await judgeLink(name, value, [type, options], check);
  return judgeLiteral(node, name, [type, options]);
}

async function judgeLink(
  name: string,
  value: readonly unknown[],
  config: InputConfig,
  check: Check,
): Promise<Reason | "upstream" | undefined> {
  if (value.length !== 2) {
    return {
      type: "bad_linked_input",
      message: "Bad linked input, must be a length-2 list of [node_id, slot_index]",
      details: name,
      extra_info: { input_name: name, input_config: config, received_value: value },
    };
  }
  const [sourceId, slot] = value;
  const source = typeof sourceId === "string" ? check.graph.get(sourceId) : undefined;
  if (!source || typeof sourceId !== "string") throw new GraphFault(pythonRepr(sourceId), "KeyError");
  const received = outputType(source, slot);
  if (!typesMatch(received, config[0])) {
    return {
      type: "return_type_mismatch",
      message: "Return type mismatch between linked nodes",
      details: `${name}, received_type(${received}) mismatch input_type(${pythonText(config[0])})`,
      extra_info: { input_name: name, input_config: config, received_type: received, linked_node: value },
    };
  }
  return await judgeSource(sourceId, name, value, config, check);
}

function outputType(source: GraphNode, slot: unknown): string {
  if (typeof slot !== "number" || !Number.isInteger(slot)) {
    throw new GraphFault("tuple indices must be integers or slices", "TypeError");
  }
  const output = source.spec.outputs[slot];
  if (!output) throw new GraphFault("tuple index out of range", "IndexError");
  return output.type;
}

async function judgeSource(
  sourceId: string,
  name: string,
  link: readonly unknown[],
  config: InputConfig,
  check: Check,
): Promise<"upstream" | undefined> {
  const depth = check.path.length;
  try {
    return (await judgeNode(sourceId, check)).valid ? undefined : "upstream";
  } catch (error) {
    if (!(error instanceof GraphFault)) throw error;
    check.path.length = depth;
    check.verdicts.set(sourceId, {
      valid: false,
      reasons: [{
        type: "exception_during_inner_validation",
        message: "Exception when validating inner node",
        details: error.message,
        extra_info: {
          input_name: name,
          input_config: config,
          exception_message: error.message,
          exception_type: error.exceptionType,
          traceback: [],
          linked_node: link,
        },
      }],
    });
    return "upstream";
  }
}

/** True when a wire of type `received` may feed an input of type `wanted`; both may be unions "A,B". */
export function typesMatch(received: string, wanted: string | readonly string[]): boolean {
  if (typeof wanted !== "string") return false;
  if (wanted === "*" || received === wanted) return true;
  const accepted = new Set(wanted.split(",").map((type) => type.trim()));
  return received.split(",").some((type) => accepted.has(type.trim()));
}

async function judgeByNode(node: GraphNode, folders: Folders): Promise<Reason[]> {
  const { validates = [], validate } = node.spec;
  if (!validate || validates.length === 0) return [];
  if (validates.some((name) => !(name in node.inputs) || isLink(node.inputs[name]))) return [];
  const verdict = await validate.call(node.spec, literalsOf(node.spec, node.inputs), folders);
  if (verdict === true) return [];
  return validates.map((name) => ({
    type: "custom_validation_failed",
    message: "Custom validation failed for node",
    details: `${name} - ${verdict}`,
    extra_info: { input_name: name },
  }));
}

/** The literal inputs that the node declares. */
export function literalsOf(
  spec: AnyNode,
  inputs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputs).filter(([name, value]) => inputSpec(spec, name) && !isLink(value)),
  );
}
