import { isImageBatch } from "./image_batch.ts";
import type { NodeInputs } from "./map_lists.ts";

/** The part of `execution_error` that tells what went wrong. */
export interface Failure {
  readonly exception_message: string;
  readonly exception_type: string;
  readonly traceback: readonly string[];
  readonly current_inputs: Readonly<Record<string, readonly unknown[]>>;
}

/** What a node threw, in ComfyUI's words. A plain Error is Python's Exception. */
export function describeFailure(error: unknown, inputs: NodeInputs): Failure {
  const cause = error instanceof Error ? error : new Error(String(error));
  const outOfMemory = cause instanceof RangeError && /allocation failed|array length/i.test(cause.message);
  return {
    // Clients look for these words to retry with less.
    exception_message: outOfMemory ? `Out of memory: ${cause.message}\n` : `${cause.message}\n`,
    exception_type: outOfMemory ? "MemoryError" : cause.name === "Error" ? "Exception" : cause.name,
    traceback: (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)),
    current_inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, values]) => [name, values.map(showValue)]),
    ),
  };
}

/** Numbers and texts as they are; what is too big to show by its shape. */
function showValue(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (["number", "string", "boolean"].includes(typeof value)) return value;
  if (isImageBatch(value)) {
    return `IMAGE[${value.length}, ${value.height}, ${value.width}, ${value.channels}]`;
  }
  return Object.prototype.toString.call(value);
}
