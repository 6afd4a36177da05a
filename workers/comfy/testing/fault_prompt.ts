/** A prompt as the stand-in has it. */
export interface FakePrompt {
  readonly promptId: string;
  readonly clientId: string;
  readonly graph: Record<string, { readonly class_type: string; readonly inputs: Record<string, unknown> }>;
  state: "pending" | "running" | "done";
  history: Record<string, unknown> | undefined;
}

/** The history of a prompt that succeeded: one file for each SaveImage. */
export function successOf(prompt: FakePrompt): Record<string, unknown> {
  const saves = Object.entries(prompt.graph).filter(([, node]) => node.class_type === "SaveImage");
  const outputs = Object.fromEntries(saves.map(([id]) => [id, {
    images: [{ filename: `${prompt.promptId}.png`, subfolder: "seedloop", type: "output" }],
  }]));
  return historyOf(prompt, outputs, "success", [
    ["execution_start", { prompt_id: prompt.promptId, timestamp: 1000 }],
    ["execution_cached", { nodes: [], prompt_id: prompt.promptId, timestamp: 1000 }],
    ["execution_success", { prompt_id: prompt.promptId, timestamp: 1500 }],
  ]);
}

export function historyOf(
  prompt: FakePrompt,
  outputs: Record<string, unknown>,
  status: "success" | "error",
  messages: readonly unknown[],
): Record<string, unknown> {
  return {
    prompt: [0, prompt.promptId, prompt.graph, {}, []],
    outputs,
    status: { status_str: status, completed: status === "success", messages },
    meta: {},
  };
}

/** The history of a prompt whose node "1" raised an exception. */
export function failureOf(prompt: FakePrompt, type: string, message: string): Record<string, unknown> {
  const data = {
    prompt_id: prompt.promptId,
    node_id: "1",
    node_type: prompt.graph["1"]?.class_type ?? "EmptyImage",
    exception_type: type,
    exception_message: message,
  };
  return historyOf(prompt, {}, "error", [["execution_error", { ...data, timestamp: 1 }]]);
}
