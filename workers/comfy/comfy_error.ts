import { connectionProblem } from "#server/core/connection_problem.ts";
import { asRecord, asText } from "./json.ts";

/** Why a call to a ComfyUI server brought no usable answer. */
export type ComfyFailure =
  | "unreachable" // no connection, or it broke
  | "late" // no whole answer within the deadline
  | "refused" // an HTTP status of 400 or more
  | "redirected" // never followed: a worker's address is where it is
  | "not_json" // 200, but not the promised JSON
  | "too_large";

/** A call to a ComfyUI server that failed. `body` is the parsed answer when it was JSON. */
export class ComfyError extends Error {
  override readonly name = "ComfyError";
  constructor(
    readonly reason: ComfyFailure,
    message: string,
    readonly status = 0,
    readonly body?: unknown,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function notJson(url: string, route: string): ComfyError {
  return new ComfyError(
    "not_json",
    `Cannot read ${url}${route}: the answer isn't ComfyUI's; is a proxy in between?`,
  );
}

/** An answer of 400 or more; `body` is its JSON, or the start of its text when it was none. */
export function refusal(url: string, route: string, status: number, body: unknown): ComfyError {
  const message = asText(asRecord(asRecord(body)?.error)?.message) ?? asText(body);
  const said = message === undefined ? "" : `: ${message}`;
  return new ComfyError(
    "refused",
    `Cannot go on with ${url}${route}: it answered ${status}${said}`,
    status,
    body,
  );
}

export function stalled(url: string): ComfyError {
  return new ComfyError("late", `Cannot read on from ${url}: it stopped in the middle of a file`);
}

/** What went wrong with a connection, as a ComfyError; an abort stays what it is. */
export function brokenCall(problem: unknown, url: string, route: string): unknown {
  if (problem instanceof ComfyError || !(problem instanceof Error) || problem.name === "AbortError") {
    return problem;
  }
  const where = url + route.replace(/\?.*/, "");
  if (problem.name === "TimeoutError") {
    const message = `Cannot reach ${where}: it gave no whole answer in time`;
    return new ComfyError("late", message, 0, undefined, { cause: problem });
  }
  const message = `Cannot reach ${where}: ${connectionProblem(problem)}`;
  return new ComfyError("unreachable", message, 0, undefined, { cause: problem });
}
