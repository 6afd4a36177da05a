import { isImageBatch } from "#workers/engine/image_batch.ts";
import { pythonRepr } from "#workers/engine/python_text.ts";
import { defineNode } from "./node_spec.ts";

const shared = { category: "utils/primitive", module: "comfy_extras.nodes_primitive", schema: "v3" } as const;
const INT64 = 2n ** 63n - 1n;

/** An integer. */
export const primitiveInt = defineNode({
  ...shared,
  classType: "PrimitiveInt",
  displayName: "Int",
  required: { value: ["INT", { min: -INT64, max: INT64, control_after_generate: true }] },
  outputs: [{ type: "INT" }],
  run: ({ value }) => ({ outputs: [value] }),
});

/** A number. */
export const primitiveFloat = defineNode({
  ...shared,
  classType: "PrimitiveFloat",
  displayName: "Float",
  required: { value: ["FLOAT", { min: -INT64, max: INT64 }] },
  outputs: [{ type: "FLOAT" }],
  run: ({ value }) => ({ outputs: [value] }),
});

/** A text of one line. */
export const primitiveString = defineNode({
  ...shared,
  classType: "PrimitiveString",
  displayName: "String",
  required: { value: ["STRING", { multiline: false }] },
  outputs: [{ type: "STRING" }],
  run: ({ value }) => ({ outputs: [value] }),
});

/** A text of several lines. */
export const primitiveStringMultiline = defineNode({
  ...shared,
  classType: "PrimitiveStringMultiline",
  displayName: "String (Multiline)",
  required: { value: ["STRING", { multiline: true }] },
  outputs: [{ type: "STRING" }],
  run: ({ value }) => ({ outputs: [value] }),
});

/** Yes or no. */
export const primitiveBoolean = defineNode({
  ...shared,
  classType: "PrimitiveBoolean",
  displayName: "Boolean",
  required: { value: ["BOOLEAN", {}] },
  outputs: [{ type: "BOOLEAN" }],
  run: ({ value }) => ({ outputs: [value] }),
});

/** Two texts with a delimiter between. */
export const stringConcatenate = defineNode({
  classType: "StringConcatenate",
  displayName: "Concatenate",
  category: "utils/string",
  module: "comfy_extras.nodes_string",
  schema: "v3",
  required: {
    string_a: ["STRING", { multiline: true }],
    string_b: ["STRING", { multiline: true }],
    delimiter: ["STRING", { default: "", multiline: false }],
  },
  outputs: [{ type: "STRING" }],
  run: ({ string_a, string_b, delimiter }) => ({ outputs: [string_a + delimiter + string_b] }),
});

/** Any value, as a text. */
export const previewAny = defineNode({
  classType: "PreviewAny",
  displayName: "Preview Any",
  category: "utils",
  module: "comfy_extras.nodes_preview_any",
  required: { source: ["*", {}] },
  outputs: [],
  outputNode: true,
  run: ({ source }) => ({ outputs: [], ui: { text: [textOf(source)] } }),
});

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (isImageBatch(value)) {
    return `IMAGE[${value.length}, ${value.height}, ${value.width}, ${value.channels}]`;
  }
  return typeof value === "object" && value !== null ? JSON.stringify(value) : pythonRepr(value);
}
