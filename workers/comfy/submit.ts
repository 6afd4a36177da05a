import { delay } from "#server/core/time.ts";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { GiveUp, type JobContext, Retry } from "#workers/kit/handle.ts";
import { untilAborted } from "./abort.ts";
import { ComfyError } from "./comfy_error.ts";
import { isPassing, rejection, rejectionLines } from "./failure.ts";
import { asList, asRecord, withoutBigIntegers } from "./json.ts";
import { fillGraph, type GenerateInput } from "./prepare.ts";
import { checkGraph, spellForWorker } from "./validate.ts";
import type { WorkerLink } from "./worker_link.ts";

/** Sends the job's inputs to the worker and returns the graph that names them. */
export async function prepareGraph(
  link: WorkerLink,
  input: GenerateInput,
  job: JobContext,
): Promise<ApiGraph> {
  const { maxUploadBytes } = await link.features(job.signal);
  const names = await Promise.all(
    input.uploads.map(({ file, extension }) =>
      link.uploads.ensure(job.store, file, extension, maxUploadBytes, job.signal)
    ),
  );
  const graph = fillGraph(input.graph, input.promptId, input.uploads, names);
  return await acceptable(link, graph, job.signal);
}

/**
 * Queues the graph. Throws GiveUp with every reason when the worker refuses it or would run only a part, and
 * Retry("worker_gone") when it is not known to have been queued.
 */
export async function submitGraph(
  link: WorkerLink,
  promptId: string,
  clientId: string,
  graph: ApiGraph,
): Promise<void> {
  try {
    const { nodeErrors } = await link.client.submit({ promptId, clientId, graph });
    if (Object.keys(nodeErrors).length === 0) {
      link.socket.expectFrame(link.timings.statusMs);
      return;
    }
    await link.cancel(promptId);
    const lines = rejectionLines({ node_errors: nodeErrors }).join("; ");
    throw new GiveUp(`Cannot run the graph: the worker would run only a part of it: ${lines}`, "rejected");
  } catch (problem) {
    if (isPassing(problem)) return await confirmQueued(link, promptId, problem);
    if (problem instanceof ComfyError && problem.reason === "refused") throw rejected(problem);
    throw problem;
  }
}

/** True when the worker says that a file we sent is not there: it must be sent again. */
export function lacksUpload(problem: unknown, input: GenerateInput): boolean {
  if (!(problem instanceof GiveUp) || !(problem.cause instanceof ComfyError)) return false;
  const errors = asRecord(asRecord(problem.cause.body)?.node_errors) ?? {};
  return input.uploads.some(({ places }) =>
    places.some(({ node }) => asList(asRecord(errors[node])?.errors).length > 0)
  );
}

/** The graph in the worker's spelling, after a check against what it says it has. */
async function acceptable(link: WorkerLink, graph: ApiGraph, signal: AbortSignal): Promise<ApiGraph> {
  let objectInfo = await link.objectInfo(signal);
  let problems = checkGraph(graph, objectInfo);
  if (problems.length > 0) {
    // A model or a pack may have come since it was asked.
    objectInfo = await link.objectInfo(signal, true);
    problems = checkGraph(graph, objectInfo);
  }
  if (problems.length > 0) {
    const missing = problems.some(({ kind }) => kind === "missing_node" || kind === "missing_model");
    const all = problems.map((problem) => problem.message).join("; ");
    const message = `Cannot run this graph on ${link.client.url}: ${all}`;
    throw new GiveUp(message, missing ? "missing_requirement" : "rejected");
  }
  const spelled = withoutBigIntegers(spellForWorker(graph, objectInfo));
  return spelled as ApiGraph; // same shape: only names and numbers were narrowed
}

function rejected(problem: ComfyError): GiveUp {
  if (asRecord(problem.body) === undefined) {
    return new GiveUp(`Cannot run the graph: ${problem.message}`, "rejected", { cause: problem });
  }
  const { message, failureClass } = rejection(problem.body);
  return new GiveUp(message, failureClass, { cause: problem });
}

/** The answer was lost, not necessarily the prompt: the worker itself is asked. */
async function confirmQueued(link: WorkerLink, promptId: string, problem: ComfyError): Promise<void> {
  for (let asked = 0; asked < 2; asked++) {
    try {
      const truth = await link.truth(promptId);
      if (truth.state !== "unknown") return;
    } catch (again) {
      if (!isPassing(again)) throw again;
    }
    await delay(link.timings.hintMs);
  }
  throw new Retry(`Cannot hand the prompt to the worker: ${problem.message}`, "worker_gone", {
    cause: problem,
  });
}

/** `work`, given up with the signal's reason; it goes on to its own end. */
export async function leaveOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {}); // when nobody waits any more
  return await untilAborted(work, signal);
}
