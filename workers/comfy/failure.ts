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

/** What an exception's type and message tell, first match counts. */
const EXCEPTIONS: readonly {
  readonly pattern: RegExp;
  readonly failureClass: FailureClass;
  readonly retry: boolean;
  /** What could not be done; the node's own words follow. */
  readonly because: string;
}[] = [
  {
    // Before the others: a full disk shows as whatever was being written.
    pattern: /No space left on device|ENOSPC|Errno 28\b|StorageFull|Disk quota exceeded|Errno 122\b/i,
    failureClass: "worker_storage_full",
    retry: true,
    because: "Cannot finish the prompt: the worker's disk is full",
  },
  {
    pattern: /OutOfMemoryError|out of memory|Allocation on device|DefaultCPUAllocator: can't allocate/i,
    failureClass: "out_of_memory",
    retry: true,
    because: "Cannot finish the prompt: the worker ran out of memory",
  },
  {
    // Looks like a fault of the GPU, but a restart mends nothing.
    pattern: /no kernel image is available|not compiled with CUDA/i,
    failureClass: "missing_requirement",
    retry: false,
    because: "Cannot use the worker's GPU: its PyTorch was not built for it",
  },
  {
    pattern:
      /AcceleratorError|illegal memory access|device-side assert|unspecified launch failure|(CUDA|HIP)( driver)? error|device[ _]lost|ECC error/i,
    failureClass: "worker_poisoned",
    retry: true,
    because: "Cannot use the worker's GPU until ComfyUI is restarted",
  },
  {
    pattern:
      /UnidentifiedImageError|DecompressionBomb|av\.error\.InvalidDataError|cannot identify image|unsupported image format/i,
    failureClass: "bad_input",
    retry: false,
    because: "Cannot read an input",
  },
  {
    pattern:
      /SafetensorError|UnpicklingError|PytorchStreamReader|Could not detect model type|Model in folder .* not found/i,
    failureClass: "missing_requirement",
    retry: false,
    because: "Cannot load a model: it is missing or broken on the worker",
  },
];

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
  const message = `${node} failed: ${type}${said === "" ? "" : `: ${said}`}`;
  const known = EXCEPTIONS.find(({ pattern }) => pattern.test(`${type} ${said}`));
  if (known === undefined) return { failureClass: "internal", retry: true, message };
  const { failureClass, retry, because } = known;
  return { failureClass, retry, message: `${because}; ${message}` };
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

/** An upload that the worker could not keep: a full disk as far as it says anything, else its bare "500". */
export function uploadFailure(problem: unknown): unknown {
  if (!(problem instanceof ComfyError) || problem.reason !== "refused") return problem;
  const isFull = problem.status === 507 || EXCEPTIONS[0]?.pattern.test(problem.message);
  if (!isFull && problem.status !== 500) return problem;
  const because = isFull ? "its disk is full" : "its disk may be full, or its input folder closed to it";
  const message = `Cannot send an input: the worker did not keep it, ${because}; ${problem.message}`;
  return new Retry(message, "worker_storage_full", { cause: problem });
}

/** True for trouble on the way to the worker: worth another try at the same place. */
export function isPassing(problem: unknown): problem is ComfyError {
  return problem instanceof ComfyError &&
    (problem.reason === "unreachable" || problem.reason === "late" || problem.reason === "not_json" ||
      problem.reason === "redirected" || (problem.reason === "refused" && problem.status >= 500));
}
