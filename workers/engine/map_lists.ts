import type { NodeRecord } from "./cache.ts";
import type { EngineContext } from "./node_context.ts";
import type { AnyNode, NodeResult } from "./nodes/node_spec.ts";

/** Every input as a list: one element for a plain value, more where an output fans out. */
export type NodeInputs = Readonly<Record<string, readonly unknown[]>>;

/**
 * Runs a node once per element of its longest input list (shorter lists repeat their last element), or once
 * with whole lists when it takes them; joins what the runs made. Checks for an interrupt before each run.
 */
export async function mapOverLists(
  spec: AnyNode,
  inputs: NodeInputs,
  context: EngineContext,
): Promise<NodeRecord> {
  const results: NodeResult[] = [];
  if (spec.inputIsList) {
    results.push(await runOnce(spec, inputs, context));
  } else {
    const length = Math.max(1, ...Object.values(inputs).map((list) => list.length));
    for (let index = 0; index < length; index++) {
      const slice = Object.fromEntries(
        Object.entries(inputs).map(([name, list]) => [name, index < list.length ? list[index] : list.at(-1)]),
      );
      results.push(await runOnce(spec, slice, context));
    }
  }
  return { outputs: joinOutputs(spec, results), ui: joinUi(results) };
}

async function runOnce(
  spec: AnyNode,
  inputs: Readonly<Record<string, unknown>>,
  context: EngineContext,
): Promise<NodeResult> {
  await context.begin();
  return await spec.run(inputs, context);
}

function joinOutputs(spec: AnyNode, results: readonly NodeResult[]): unknown[][] {
  return spec.outputs.map((output, index) =>
    results.flatMap((result) => {
      const value = result.outputs[index];
      return output.list && Array.isArray(value) ? value : [value];
    })
  );
}

function joinUi(results: readonly NodeResult[]): NodeRecord["ui"] {
  const shown = results.flatMap((result) => result.ui ? [result.ui] : []);
  const [first] = shown;
  if (!first) return undefined;
  return Object.fromEntries(Object.keys(first).map((key) => [key, shown.flatMap((ui) => ui[key] ?? [])]));
}
