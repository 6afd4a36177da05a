import * as z from "zod/mini";
import { AppError, type ErrorCode, type Problem } from "#server/core/errors.ts";
import type { HttpContext } from "./http_env.ts";

/** What each code means, for people: titles of problem details and the page behind their `type`. */
export const PROBLEM_TITLES: Readonly<Record<ErrorCode, string>> = {
  invalid: "The request can't be read as it is",
  unauthenticated: "Nobody is signed in",
  forbidden: "Not allowed",
  not_found: "Not there",
  method_not_allowed: "Not done to this address",
  conflict: "The present state does not allow it",
  gone: "No longer there",
  too_large: "Too large",
  unsupported: "A kind of content that is not taken here",
  limited: "Too many requests",
  internal: "A fault in the studio",
  busy: "Busy for the moment",
  storage_full: "The disk is full",
};

/** Any thrown thing as the answer: AppErrors as they say, everything else 500 with the request's id only. */
export function answerError(thrown: unknown, context: HttpContext): Response {
  const { translateError } = context.var.http;
  const error = asAppError(translateError(thrown));
  const fields = { method: context.req.method, path: context.req.path, status: error.status };
  if (error.code === "internal") context.var.log.error("request failed", { ...fields, error: thrown });
  else if (error.status >= 500) context.var.log.warn("request refused", { ...fields, error: thrown });
  return problemResponse(error, context.var.requestId);
}

function asAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  // A contract that is parsed inside a service: the input was wrong, whoever looked.
  if (thrown instanceof z.core.$ZodError) {
    return new AppError("invalid", "Cannot accept the request: some fields are wrong", {
      fields: thrown.issues.map((issue) => ({
        field: `/${issue.path.map(String).join("/")}`,
        message: issue.message,
      })),
      cause: thrown,
    });
  }
  return new AppError("internal", "Cannot answer: the studio has a fault; tell an admin the request id", {
    cause: thrown,
  });
}

/** RFC 9457 problem details of `error`; `instance` is the request's id, which the log lines carry too. */
export function problemOf(error: AppError, requestId: string): Problem {
  return {
    type: `/problems/${error.code}`,
    title: PROBLEM_TITLES[error.code],
    status: error.status,
    code: error.code,
    detail: error.code === "internal"
      ? "Cannot answer: the studio has a fault; tell an admin the request id"
      : error.message,
    instance: `urn:uuid:${requestId}`,
    ...(error.fields.length > 0 ? { fields: [...error.fields] } : {}),
    ...(error.code !== "internal" && Object.keys(error.details).length > 0 ? { details: error.details } : {}),
  };
}

/** `error` as an HTTP answer, with Retry-After where it says when to come back. */
export function problemResponse(error: AppError, requestId: string): Response {
  const headers = new Headers({ "content-type": "application/problem+json; charset=utf-8" });
  if (error.retryAfterMs !== undefined) {
    headers.set("retry-after", String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))));
  } else if (error.code === "busy" || error.code === "limited") headers.set("retry-after", "5");
  if (error.code === "unauthenticated") headers.set("www-authenticate", 'Bearer realm="seedloop"');
  return new Response(JSON.stringify(problemOf(error, requestId)), { status: error.status, headers });
}
