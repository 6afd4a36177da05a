import { resolveInput } from "#workers/engine/graph.ts";
import type { AnyNode, Folders, InputSpecs } from "#workers/engine/nodes/node_spec.ts";

/** A node as `/object_info` shows it, in the order and with the keys of its schema's generation. */
export function describeNode(spec: AnyNode, folders: Folders): Record<string, unknown> {
  const input: Record<string, Record<string, unknown>> = { required: describeInputs(spec.required, folders) };
  if (spec.optional) input["optional"] = describeInputs(spec.optional, folders);
  if (spec.hidden) input["hidden"] = spec.hidden;
  const v3 = spec.schema === "v3";
  return {
    input,
    input_order: Object.fromEntries(Object.entries(input).map(([key, inputs]) => [key, Object.keys(inputs)])),
    output: spec.outputs.map((output) => output.type),
    output_is_list: spec.outputs.map((output) => output.list ?? false),
    output_name: spec.outputs.map((output) => output.name ?? output.type),
    name: spec.classType,
    display_name: spec.displayName === undefined ? spec.classType : spec.displayName,
    description: spec.description ?? "",
    python_module: spec.module ?? "seedloop",
    category: spec.category,
    output_node: spec.outputNode ?? false,
    ...(v3 || spec.deprecated ? { deprecated: spec.deprecated ?? false } : {}),
    ...(v3 || spec.experimental ? { experimental: spec.experimental ?? false } : {}),
    ...(v3 ? { api_node: false } : {}),
  };
}

function describeInputs(specs: InputSpecs, folders: Folders): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const { type, options } = resolveInput(spec, folders);
      // Stock nodes without options show a list of one.
      return [name, spec.length === 1 ? [type] : [type, options]];
    }),
  );
}
