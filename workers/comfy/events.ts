import { type NodeOutput, readNodeOutput } from "./history.ts";
import { asNumber, asRecord, asText, asTexts, parseJson } from "./json.ts";

/** How far one node is; `max` 0 when it told nothing. */
export interface NodeProgress {
  readonly node: string;
  readonly value: number;
  readonly max: number;
  readonly finished: boolean;
}

/** What a ComfyUI tells about one prompt. Every one is a hint: truth is in `/history`. */
export type PromptEvent =
  | { readonly type: "started"; readonly promptId: string }
  | { readonly type: "cached"; readonly promptId: string; readonly nodes: readonly string[] }
  | { readonly type: "executing"; readonly promptId: string; readonly node: string }
  | { readonly type: "progress"; readonly promptId: string; readonly nodes: readonly NodeProgress[] }
  | {
    readonly type: "executed";
    readonly promptId: string;
    readonly node: string;
    readonly output: NodeOutput;
  }
  /** An ExecutionBlocker spoke: a branch will not run, the prompt goes on. */
  | { readonly type: "blocked"; readonly promptId: string; readonly message: string }
  /** Succeeded, failed or was interrupted: time to read the truth. */
  | { readonly type: "ending"; readonly promptId: string }
  /** The last word on a prompt; its history is written. */
  | { readonly type: "ended"; readonly promptId: string };

/** Any text frame, read. */
export type ComfyEvent =
  | { readonly type: "prompt"; readonly event: PromptEvent }
  | { readonly type: "status"; readonly queueRemaining: number | undefined; readonly sid: string | undefined }
  | { readonly type: "features"; readonly flags: Readonly<Record<string, unknown>> }
  | { readonly type: "other"; readonly name: string; readonly data: Readonly<Record<string, unknown>> };

/** A picture or text out of a binary frame. Previews of the old kind name no prompt. */
export type BinaryEvent =
  | {
    readonly type: "preview";
    readonly mediaType: string;
    /** A view of the frame: not a copy. */
    readonly image: Uint8Array;
    readonly promptId: string | undefined;
    readonly node: string | undefined;
  }
  | { readonly type: "text"; readonly node: string; readonly text: string };

/** Reads a text frame; undefined when it isn't an event at all. Never throws. */
export function readEvent(frame: string): ComfyEvent | undefined {
  let message: Record<string, unknown> | undefined;
  try {
    message = asRecord(parseJson(frame));
  } catch {
    return undefined;
  }
  const name = asText(message?.type);
  if (name === undefined) return undefined;
  const data = asRecord(message?.data) ?? {};
  if (name === "status") {
    const info = asRecord(asRecord(data.status)?.exec_info);
    return { type: "status", queueRemaining: asNumber(info?.queue_remaining), sid: asText(data.sid) };
  }
  if (name === "feature_flags") return { type: "features", flags: data };
  const event = readPromptEvent(name, data);
  return event === undefined ? { type: "other", name, data } : { type: "prompt", event };
}

/** Reads a binary frame; undefined for frames that are too short, of an unknown type or inconsistent. */
export function readBinary(frame: ArrayBuffer): BinaryEvent | undefined {
  if (frame.byteLength < 8) return undefined;
  const view = new DataView(frame);
  const type = view.getUint32(0);
  const second = view.getUint32(4);
  if (type === 1) {
    const mediaType = second === 2 ? "image/png" : "image/jpeg";
    return {
      type: "preview",
      mediaType,
      image: new Uint8Array(frame, 8),
      promptId: undefined,
      node: undefined,
    };
  }
  if ((type !== 3 && type !== 4) || second > frame.byteLength - 8) return undefined;
  const head = new TextDecoder().decode(new Uint8Array(frame, 8, second));
  const rest = new Uint8Array(frame, 8 + second);
  if (type === 3) return { type: "text", node: head, text: new TextDecoder().decode(rest) };
  return readPreviewWithMetadata(head, rest);
}

function readPreviewWithMetadata(head: string, image: Uint8Array): BinaryEvent | undefined {
  try {
    const data = asRecord(parseJson(head));
    const mediaType = asText(data?.image_type) ?? "image/jpeg";
    const node = asText(data?.display_node_id) ?? asText(data?.node_id);
    return { type: "preview", mediaType, image, promptId: asText(data?.prompt_id), node };
  } catch {
    return undefined;
  }
}

function readPromptEvent(name: string, data: Record<string, unknown>): PromptEvent | undefined {
  const promptId = asText(data.prompt_id);
  if (promptId === undefined) return undefined;
  switch (name) {
    case "execution_start":
      return { type: "started", promptId };
    case "execution_cached":
      return { type: "cached", promptId, nodes: asTexts(data.nodes) };
    case "executing": {
      const node = asText(data.display_node) ?? asText(data.node);
      return node === undefined ? { type: "ended", promptId } : { type: "executing", promptId, node };
    }
    case "progress":
      return { type: "progress", promptId, nodes: readProgress(data) };
    case "progress_state":
      return { type: "progress", promptId, nodes: readProgressState(data) };
    case "executed": {
      const node = asText(data.display_node) ?? asText(data.node);
      if (node === undefined) return undefined;
      return { type: "executed", promptId, node, output: readNodeOutput(data.output) };
    }
    case "execution_error":
      if (asText(data.exception_type) === "ExecutionBlocked") {
        return { type: "blocked", promptId, message: asText(data.exception_message) ?? "" };
      }
      return { type: "ending", promptId };
    case "execution_success":
    case "execution_interrupted":
      return { type: "ending", promptId };
    default:
      return undefined;
  }
}

function readProgress(data: Record<string, unknown>): NodeProgress[] {
  const node = asText(data.node);
  const value = asNumber(data.value) ?? 0;
  const max = asNumber(data.max) ?? 0;
  return node === undefined ? [] : [{ node, value, max, finished: false }];
}

function readProgressState(data: Record<string, unknown>): NodeProgress[] {
  return Object.entries(asRecord(data.nodes) ?? {}).flatMap(([id, item]) => {
    const state = asRecord(item);
    if (state === undefined) return [];
    const value = asNumber(state.value) ?? 0;
    const max = asNumber(state.max) ?? 0;
    const node = asText(state.display_node_id) ?? id;
    // A node expanded into others shows as several entries of one display node: only its own may end it.
    const own = (asText(state.node_id) ?? id) === node;
    return [{
      node,
      value: own ? value : 0,
      max: own ? max : 0,
      finished: own && state.state === "finished",
    }];
  });
}
