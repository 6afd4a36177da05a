import * as z from "zod/mini";

const Graph = z.record(
  z.string(),
  z.object({ class_type: z.string(), inputs: z._default(z.record(z.string(), z.unknown()), {}) }),
);
const NodeInfo = z.object({
  input: z.optional(z.record(z.string(), z.nullable(z.record(z.string(), z.unknown())))),
});
const MODEL_FILE = /\.(?:safetensors|sft|ckpt|pth?|bin|gguf|onnx)$/i;

/**
 * The node classes and model files that a server described by `nodes` (its `/object_info`) lacks for `graph`, each
 * once, as a clause with its mend. The bridge checks a graph far more closely before it sends one; this tells a
 * person, before a server is registered, what to install.
 */
export function listLacks(graph: unknown, nodes: Readonly<Record<string, unknown>>): string[] {
  const parsed = Graph.safeParse(graph);
  if (!parsed.success) return ["Its graph can't be read: import the workflow again"];
  const lacks = Object.values(parsed.data).flatMap(({ class_type, inputs }) => {
    const info = NodeInfo.safeParse(nodes[class_type]);
    if (!info.success) return [describeNode(class_type)];
    const specs = Object.values(info.data.input ?? {}).flatMap((group) => Object.entries(group ?? {}));
    return specs.flatMap(([name, spec]) => {
      const value = inputs[name];
      if (typeof value !== "string" || !MODEL_FILE.test(value)) return [];
      const offered = readOptions(spec);
      return offered === undefined || offered.has(plain(value))
        ? []
        : [`the model ${value}: put it where ${class_type} looks`];
    });
  });
  return [...new Set(lacks)];
}

function describeNode(className: string): string {
  return className.startsWith("Seedloop")
    ? `the node ${className}: only the studio's own CPU engine has it`
    : `the node ${className}: install the pack that has it`;
}

/** The values that an input takes, in its old or new form; undefined where it takes others too. */
function readOptions(spec: unknown): Set<string> | undefined {
  if (!Array.isArray(spec)) return undefined;
  const [type, extra] = spec;
  const options = Array.isArray(type) ? type : extra?.options;
  return Array.isArray(options) ? new Set(options.map((option) => plain(String(option)))) : undefined;
}

/** Windows writes sub-folders the other way. */
function plain(name: string): string {
  return name.replaceAll("\\", "/");
}
