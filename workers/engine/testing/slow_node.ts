import { defineNode } from "#workers/engine/nodes/node_spec.ts";

/** A node that waits for the test: `started` tells which runs began, `release` lets the oldest go on. */
export interface SlowNode {
  readonly spec: ReturnType<typeof defineNode>;
  started(): Promise<string>;
  release(): void;
}

/** Shows progress 1/2 with a picture, waits to be released (or interrupted, if it may be), then 2/2. */
export function givenSlowNode(
  options: { readonly interruptible: boolean } = { interruptible: true },
): SlowNode {
  const begun: string[] = [];
  let noticed = () => {};
  const gates: (() => void)[] = [];
  const spec = defineNode({
    classType: "TestSlow",
    category: "test",
    required: { label: ["STRING", {}] },
    outputs: [{ type: "STRING" }],
    outputNode: true,
    async run({ label }, context) {
      context.preview({ width: 4, height: 2, rgb: new Uint8Array(24).fill(200) });
      context.progress(1, 2);
      const gate = Promise.withResolvers<void>();
      gates.push(gate.resolve);
      if (options.interruptible) context.signal.addEventListener("abort", () => gate.resolve());
      begun.push(label);
      noticed();
      await gate.promise;
      if (options.interruptible) context.progress(2, 2);
      return { outputs: [label], ui: { text: [label] } };
    },
  });
  return {
    spec,
    async started() {
      while (begun.length === 0) await new Promise<void>((resolve) => noticed = resolve);
      return begun.shift() ?? "";
    },
    release: () => gates.shift()?.(),
  };
}

/** A prompt of one slow node. */
export function slow(label: string): Record<string, unknown> {
  return { 1: { class_type: "TestSlow", inputs: { label } } };
}
