import type { FailureClass } from "#workers/kit/handle.ts";
import { GiveUp, Retry } from "#workers/kit/handle.ts";
import { ComfyError } from "./comfy_error.ts";
import type { HistoryEntry } from "./history.ts";
import { asList, asRecord, asText } from "./json.ts";

/** Why a prompt failed while it ran, as its record says. */
export interface RunFailure {
  readonly failureClass: FailureClass;
  readonly retry: boolean;
  readonly message: string;
}

const OUT_OF_MEMORY =
  /OutOfMemoryError|out of memory|Allocation on device|DefaultCPUAllocator: can't allocate/i;
const POISONED = /illegal memory access|AcceleratorError|device-side assert|CUDA error|HIP error/i;
const BAD_MEDIA =
  /UnidentifiedImageError|DecompressionBomb|av\.error\.InvalidDataError|cannot identify image/i;
const BAD_MODEL = /SafetensorError|UnpicklingError|PytorchStreamReader|Could not detect model type/i;

/** Reads why a prompt ended badly out of its history. */
export function runFailure(entry: HistoryEntry): RunFailure {
  if (entry.ended === "interrupted") {
    const message = "Cannot use the prompt: somebody interrupted it on the worker; it is run again";
    return { failureClass: "worker_gone", retry: true, message };
  }
  const data = entry.messages.findLast((message) => message.name === "execution_error")?.data ?? {};
  const type = asText(data.exception_type) ?? "";
  const said = asText(data.exception_message)?.trim() ?? "";
  const node = `${asText(data.node_type) ?? "a node"} (node ${asText(data.node_id) ?? "?"})`;
  const text = `${type} ${said}`;
  const because = `${node} failed: ${type}${said === "" ? "" : `: ${said}`}`;
  if (OUT_OF_MEMORY.test(text)) {
    return {
      failureClass: "out_of_memory",
      retry: true,
      message: `Cannot finish the prompt: the worker ran out of memory; ${because}`,
    };
  }
  if (POISONED.test(text)) {
    const message = `Cannot use the worker's GPU until ComfyUI is restarted: ${because}`;
    return { failureClass: "worker_gone", retry: true, message };
  }
  if (BAD_MEDIA.test(text)) return { failureClass: "bad_input", retry: false, message: because };
  if (BAD_MODEL.test(text)) return { failureClass: "missing_requirement", retry: false, message: because };
  return { failureClass: "internal", retry: true, message: because };
}

/** The error to throw for a failed run. */
export function asThrown(failure: RunFailure): GiveUp | Retry {
  return failure.retry
    ? new Retry(failure.message, failure.failureClass)
    : new GiveUp(failure.message, failure.failureClass);
}

/** What a refused or half-accepted submit says, one sentence per error of each node. */
export function rejectionLines(answer: unknown): string[] {
  const body = asRecord(answer);
  const error = asRecord(body?.error);
  const lines: string[] = [];
  for (const [node, item] of Object.entries(asRecord(body?.node_errors) ?? {})) {
    const className = asText(asRecord(item)?.class_type) ?? "";
    for (const one of asList(asRecord(item)?.errors)) {
      const { message, details } = asRecord(one) ?? {};
      const extra = asText(details);
      lines.push(`${className} (node ${node}): ${asText(message) ?? "error"}${extra ? `: ${extra}` : ""}`);
    }
  }
  const details = asText(error?.details);
  const head = asText(error?.message);
  if (head !== undefined && (lines.length === 0 || error?.type !== "prompt_outputs_failed_validation")) {
    lines.unshift(details ? `${head} ${details}` : head);
  }
  return lines.length > 0 ? lines : ["no reason was given"];
}

/** The failure of a graph that the worker refused, all reasons in one message. */
export function rejection(answer: unknown): GiveUp {
  const type = asText(asRecord(asRecord(answer)?.error)?.type);
  const message = asText(asRecord(asRecord(answer)?.error)?.message) ?? "";
  const missing = type === "missing_node_type" ||
    (type === "invalid_prompt" && /does not exist|not found/i.test(message));
  const lines = rejectionLines(answer).join("; ");
  return new GiveUp(
    `Cannot run the graph: the worker refused it: ${lines}`,
    missing ? "missing_requirement" : "rejected",
  );
}

/** True for trouble on the way to the worker: worth another try at the same place. */
export function isPassing(problem: unknown): problem is ComfyError {
  return problem instanceof ComfyError &&
    (problem.reason === "unreachable" || problem.reason === "late" || problem.reason === "not_json" ||
      problem.reason === "redirected" || (problem.reason === "refused" && problem.status >= 500));
}
