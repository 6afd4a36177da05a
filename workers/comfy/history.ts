import { ApiGraph } from "#server/fleet/job_kinds.ts";
import type { FileOnWorker } from "./client.ts";
import { asList, asNumber, asRecord, asText, asTexts, withoutBigIntegers } from "./json.ts";

/** What a node of a finished prompt left: files, whatever key they came under, and texts. */
export interface NodeOutput {
  readonly files: readonly FileOnWorker[];
  readonly texts: readonly string[];
}

/** One line of a prompt's record: "execution_start", "execution_cached", "execution_error" … */
export interface HistoryMessage {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A finished prompt as ComfyUI remembers it, in memory only. */
export interface HistoryEntry {
  /** The graph as the worker has it: literals coerced to their inputs' types. */
  readonly graph: ApiGraph | undefined;
  readonly outputs: ReadonlyMap<string, NodeOutput>;
  readonly ended: "success" | "error" | "interrupted";
  readonly messages: readonly HistoryMessage[];
}

export function readHistoryEntry(entry: Record<string, unknown>): HistoryEntry {
  const status = asRecord(entry.status);
  const messages = asList(status?.messages).flatMap((item) => {
    const [name, data] = asList(item);
    return typeof name === "string" ? [{ name, data: asRecord(data) ?? {} }] : [];
  });
  // Seeds beyond 2^53 were doubles when they were sent: as such they read back the same.
  const graph = ApiGraph.safeParse(withoutBigIntegers(asList(entry.prompt)[2]));
  return {
    graph: graph.success ? graph.data : undefined,
    outputs: readOutputs(asRecord(entry.outputs) ?? {}, asRecord(entry.meta) ?? {}),
    ended: howItEnded(asText(status?.status_str), messages),
    messages,
  };
}

/** Reads a node's output, in history or in an `executed` event; unknown shapes hold nothing. */
export function readNodeOutput(output: unknown): NodeOutput {
  const files: FileOnWorker[] = [];
  const texts: string[] = [];
  for (const [key, items] of Object.entries(asRecord(output) ?? {})) {
    if (key === "text") texts.push(...asTexts(items));
    for (const item of asList(items)) {
      const file = readFile(item);
      if (file !== undefined) files.push(file);
    }
  }
  return { files, texts };
}

/** Outputs by the node of the graph that shows them: a node that expands into others speaks for all of them. */
function readOutputs(
  outputs: Record<string, unknown>,
  meta: Record<string, unknown>,
): Map<string, NodeOutput> {
  const byNode = new Map<string, NodeOutput>();
  for (const [id, value] of Object.entries(outputs)) {
    const node = asText(asRecord(meta[id])?.display_node) ?? id;
    const { files, texts } = readNodeOutput(value);
    const before = byNode.get(node) ?? { files: [], texts: [] };
    byNode.set(node, { files: [...before.files, ...files], texts: [...before.texts, ...texts] });
  }
  return byNode;
}

/** Milliseconds on the worker's clock at which `name` was noted, or undefined. */
export function messageTime(entry: HistoryEntry, name: string | RegExp): number | undefined {
  const message = entry.messages.find((one) =>
    typeof name === "string" ? one.name === name : name.test(one.name)
  );
  return asNumber(message?.data.timestamp);
}

/** Files are recognised by shape, not by key: savers of other packs use keys of their own ("gifs"). */
function readFile(item: unknown): FileOnWorker | undefined {
  const record = asRecord(item);
  const filename = asText(record?.filename);
  const type = asText(record?.type);
  if (filename === undefined || (type !== "output" && type !== "temp" && type !== "input")) return undefined;
  return { filename, subfolder: asText(record?.subfolder) ?? "", type };
}

/** A cancelled prompt has the status "error" too; only its last message tells it from a failure. */
function howItEnded(status: string | undefined, messages: readonly HistoryMessage[]): HistoryEntry["ended"] {
  if (messages.some((message) => message.name === "execution_interrupted")) return "interrupted";
  if (status === "error" || messages.some(isFinalError)) return "error";
  return "success";
}

/** A blocked branch reports an "error" after which the prompt goes on and succeeds. */
function isFinalError(message: HistoryMessage): boolean {
  return message.name === "execution_error" && asText(message.data.exception_type) !== "ExecutionBlocked";
}
