import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { checkValue } from "./check_value.ts";
import { type InputSpec, type NodeSpec, readNodeSpec } from "./node_spec.ts";

/** One thing that keeps a graph from running on a worker. */
export interface Problem {
  readonly kind:
    | "missing_node" // the worker lacks the class: a custom node pack is to be installed
    | "missing_model" // the worker lacks the file
    | "missing_input"
    | "bad_link"
    | "bad_value"
    | "no_output";
  readonly nodeId: string;
  readonly className: string;
  readonly input: string | undefined;
  /** Names the node, what is wrong with it and the mend; a clause without a full stop. */
  readonly message: string;
}

type Graph = ApiGraph;
type Specs = ReadonlyMap<string, NodeSpec>;

/**
 * Everything that the worker described by `objectInfo` (its `/object_info`) would refuse in `graph`, all at
 * once; empty when it would run. Lenient where the worker decides by code of its own.
 */
export function checkGraph(graph: Graph, objectInfo: Readonly<Record<string, unknown>>): Problem[] {
  const specs = new Map<string, NodeSpec>();
  for (const node of Object.values(graph)) {
    const spec = readNodeSpec(objectInfo[node.class_type]);
    if (spec !== undefined) specs.set(node.class_type, spec);
  }
  const reached = feedingOutputs(graph, specs);
  const problems = Object.keys(graph).flatMap((id) => checkNode(graph, id, specs))
    .filter((problem) => problem.kind === "missing_node" || reached.has(problem.nodeId));
  problems.push(...findCycle(graph));
  const unknown = problems.some((problem) => problem.kind === "missing_node");
  const saves = Object.values(graph).some((node) => specs.get(node.class_type)?.isOutput === true);
  if (!saves && !unknown) {
    const message = "the graph has no output node: add one that saves or previews the result";
    problems.push({ kind: "no_output", nodeId: "", className: "", input: undefined, message });
  }
  return problems;
}

/** `graph` with model names spelled as the worker spells them: Windows workers write sub-folders with "\". */
export function spellForWorker(graph: Graph, objectInfo: Readonly<Record<string, unknown>>): Graph {
  return Object.fromEntries(
    Object.entries(graph).map(([id, node]) => {
      const spec = readNodeSpec(objectInfo[node.class_type]);
      if (spec === undefined) return [id, node];
      const inputs = Object.entries(node.inputs).map((
        [name, value],
      ) => [name, spell(spec.inputs.get(name), value)]);
      return [id, { ...node, inputs: Object.fromEntries(inputs) }];
    }),
  );
}

function spell(spec: InputSpec | undefined, value: unknown): unknown {
  const options = spec?.options;
  if (typeof value !== "string" || options === undefined || options.includes(value)) return value;
  const plain = (name: unknown) => typeof name === "string" ? name.replaceAll("\\", "/") : undefined;
  return options.find((option) => plain(option) === plain(value)) ?? value;
}

function checkNode(graph: Graph, id: string, specs: Specs): Problem[] {
  const node = graph[id];
  if (node === undefined) return [];
  const spec = specs.get(node.class_type);
  const title = node._meta?.title;
  const name = `${title === undefined ? "" : `“${title}”, `}${node.class_type} (node ${id})`;
  const problem = (kind: Problem["kind"], input: string | undefined, text: string): Problem => {
    return { kind, nodeId: id, className: node.class_type, input, message: `${name}: ${text}` };
  };
  if (spec === undefined) {
    const text = node.class_type.startsWith("Seedloop")
      ? "only the studio's own CPU engine has this class; choose another workflow for this worker"
      : "the worker doesn't know this class; install the node pack that has it and restart the worker";
    return [problem("missing_node", undefined, text)];
  }
  return [...spec.inputs.values()].flatMap((input) => {
    const value = node.inputs[input.name];
    if (value === undefined) {
      const given = input.isDynamic &&
        Object.keys(node.inputs).some((key) => key.startsWith(`${input.name}.`));
      return input.isRequired && !given
        ? [problem("missing_input", input.name, `input ${input.name} is missing`)]
        : [];
    }
    if (Array.isArray(value)) {
      const text = checkLink(graph, value, input, specs);
      return text === undefined ? [] : [problem("bad_link", input.name, text)];
    }
    const bad = checkValue(input, value);
    return bad === undefined
      ? []
      : [problem(bad.isModel ? "missing_model" : "bad_value", input.name, bad.text)];
  });
}

function checkLink(
  graph: Graph,
  link: readonly unknown[],
  input: InputSpec,
  specs: Specs,
): string | undefined {
  const [from, slot] = link;
  // Some inputs take lists; only [node, slot] is a link.
  if (link.length !== 2 || typeof from !== "string" || typeof slot !== "number") {
    return `input ${input.name} must be a link [node id as text, output number]`;
  }
  const source = graph[from];
  if (source === undefined) {
    return `input ${input.name} is linked to node ${from}, which is not in the graph`;
  }
  const outputs = specs.get(source.class_type)?.outputs;
  if (outputs === undefined) return undefined; // reported as a missing node
  if (slot < 0 || slot >= outputs.length) {
    return `input ${input.name} is linked to output ${slot} of node ${from}, which has ${outputs.length}`;
  }
  const given = outputs[slot];
  if (given === undefined || matches(given, input.type)) return undefined;
  return `input ${input.name} wants ${input.type}, but output ${slot} of node ${from} gives ${given}`;
}

/** Types are words or unions of words. Where either may be anything, or is decided on the worker, it decides. */
function matches(given: string, wanted: string | undefined): boolean {
  if (wanted === undefined || wanted.includes("*") || given.includes("*")) return true;
  if (wanted.startsWith("COMFY_") || given.startsWith("COMFY_") || wanted === "COMBO" || given === "COMBO") {
    return true;
  }
  const accepted = new Set(wanted.split(",").map((one) => one.trim()));
  return given.split(",").some((one) => accepted.has(one.trim()));
}

function findCycle(graph: Graph): Problem[] {
  const state = new Map<string, "open" | "done">();
  const cycle: string[] = [];
  for (const start of Object.keys(graph)) {
    const stack: { id: string; sources: string[] }[] = [{ id: start, sources: sourcesOf(graph, start) }];
    if (state.has(start)) continue;
    state.set(start, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!; // not empty, by the loop's condition
      const next = top.sources.pop();
      if (next === undefined) {
        state.set(top.id, "done");
        stack.pop();
      } else if (state.get(next) === "open") {
        cycle.push(next);
      } else if (!state.has(next)) {
        state.set(next, "open");
        stack.push({ id: next, sources: sourcesOf(graph, next) });
      }
    }
  }
  return [...new Set(cycle)].map((id) => {
    const className = graph[id]?.class_type ?? "";
    const message =
      `${className} (node ${id}): its input depends on its own output; remove one link of the circle`;
    return { kind: "bad_link", nodeId: id, className, input: undefined, message };
  });
}

/** The nodes that will run. A worker doesn't look at the others, except that it must know their classes. */
function feedingOutputs(graph: Graph, specs: Specs): Set<string> {
  const isOutput = (id: string) => specs.get(graph[id]?.class_type ?? "")?.isOutput !== false;
  const reached = new Set(Object.keys(graph).filter(isOutput));
  for (const id of reached) {
    for (const source of sourcesOf(graph, id)) reached.add(source);
  }
  return reached;
}

function sourcesOf(graph: Graph, id: string): string[] {
  return Object.values(graph[id]?.inputs ?? {}).flatMap((value) =>
    Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && value[0] in graph
      ? [value[0]]
      : []
  );
}
