import type { AnyNode, Folders, InputSpec } from "./nodes/node_spec.ts";
import { isRecord } from "./json_text.ts";

/** Node types by class_type. */
export type Registry = ReadonlyMap<string, AnyNode>;

/** One node of a graph. `inputs` is the object of the request itself: validation coerces literals in place. */
export interface GraphNode {
  readonly id: string;
  readonly classType: string;
  readonly spec: AnyNode;
  readonly inputs: Record<string, unknown>;
}

/** A graph whose node types are all known, in the order of the request. */
export type Graph = ReadonlyMap<string, GraphNode>;

/** `[source node id, output index]`. */
export type Link = readonly [string, number];

/** True for what ComfyUI takes for a link: a list of two whose first is a string and second an integer. */
export function isLink(value: unknown): value is Link {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" &&
    typeof value[1] === "number";
}

/** The links into `node`, by input name, in the order of the request. */
export function linksOf(node: GraphNode): [name: string, link: Link][] {
  const links: [string, Link][] = [];
  for (const [name, value] of Object.entries(node.inputs)) if (isLink(value)) links.push([name, value]);
  return links;
}

/** The spec of a named input and whether it must be given; undefined for an input that the node lacks. */
export function inputSpec(spec: AnyNode, name: string): { spec: InputSpec; required: boolean } | undefined {
  const required = spec.required[name];
  if (required) return { spec: required, required: true };
  const optional = spec.optional?.[name];
  return optional && { spec: optional, required: false };
}

/** Type and options of an input, as `/object_info` shows them. */
export interface ResolvedInput {
  readonly type: string | readonly string[];
  readonly options: Readonly<Record<string, unknown>> & {
    readonly min?: number | bigint;
    readonly max?: number | bigint;
    readonly options?: readonly string[];
  };
}

/** An input's spec with the lists made that are made on asking. */
export function resolveInput(spec: InputSpec, folders: Folders): ResolvedInput {
  const [type, given = {}] = spec;
  const { options: list, ...rest } = given;
  const options = list === undefined
    ? rest
    : { ...given, options: typeof list === "function" ? list(folders) : list };
  return { type: typeof type === "function" ? type(folders) : type, options };
}

/** What a request's `prompt` holds, or the first node that can't be known. */
export type ParsedGraph =
  | { readonly graph: Graph }
  | {
    readonly problem: "no_class_type" | "unknown_class";
    readonly nodeId: string;
    readonly classType: string;
    readonly title: string;
  };

/** Reads the `prompt` of a request. Throws a TypeError when it is no object of objects. */
export function parseGraph(prompt: unknown, registry: Registry): ParsedGraph {
  if (!isRecord(prompt)) throw new TypeError("The prompt is not an object of nodes");
  const graph = new Map<string, GraphNode>();
  for (const [id, raw] of Object.entries(prompt)) {
    const node = isRecord(raw) ? raw : {};
    const classType = node["class_type"];
    const title = titleOf(node) ?? (typeof classType === "string" ? classType : "");
    if (typeof classType !== "string") return { problem: "no_class_type", nodeId: id, classType: "", title };
    const spec = registry.get(classType);
    if (!spec) return { problem: "unknown_class", nodeId: id, classType, title };
    const inputs = node["inputs"];
    if (!isRecord(inputs)) node["inputs"] = {};
    graph.set(id, { id, classType, spec, inputs: isRecord(inputs) ? inputs : {} });
  }
  return { graph };
}

function titleOf(node: Record<string, unknown>): string | undefined {
  const meta = node["_meta"];
  return isRecord(meta) && typeof meta["title"] === "string" ? meta["title"] : undefined;
}

/** Every node from which `ids` can be reached, and `ids` themselves. */
export function ancestorsOf(graph: Graph, ids: Iterable<string>): Set<string> {
  const seen = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = graph.get(id);
    if (!node || seen.has(id)) continue;
    seen.add(id);
    for (const [, [source]] of linksOf(node)) open.push(source);
  }
  return seen;
}
