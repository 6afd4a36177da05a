import postgres from "postgres";
import { AppError } from "#server/core/errors.ts";

/**
 * PostgreSQL's error as one a caller can act on, or undefined when it is a bug of ours.
 * Codes: PostgreSQL manual, appendix A.
 */
export function fromSqlError(thrown: unknown): AppError | undefined {
  if (!(thrown instanceof postgres.PostgresError)) return connectionError(thrown);
  const options = { details: thrown.constraint_name ? { rule: thrown.constraint_name } : {}, cause: thrown };
  switch (thrown.code) {
    case "23505":
      return new AppError("conflict", `Cannot save this: ${uniqueSentence(thrown)}`, options);
    case "23503":
      return thrown.detail?.includes("is still referenced")
        ? new AppError("conflict", "Cannot delete this: something still depends on it", options)
        : new AppError("not_found", "Cannot save this: something it refers to is not there", options);
    case "23514":
    case "23001":
      return new AppError(
        "conflict",
        thrown.message.includes("violates") ? ruleSentence(thrown) : thrown.message,
        options,
      );
    case "23502":
    case "22001":
    case "22003":
    case "22P02":
    case "22021":
    case "22P05":
      return new AppError("invalid", "Cannot save this: a value has the wrong form or is too large", options);
    case "40001":
    case "40P01":
      return new AppError("busy", "Someone else changed the same thing at the same moment: try again", {
        ...options,
        retryAfterMs: 200,
      });
    case "55P03":
    case "57014":
      return new AppError("busy", "The database is busy: try again in a moment", {
        ...options,
        retryAfterMs: 1000,
      });
    case "53100":
      return new AppError(
        "storage_full",
        "The disk of the database is full: free some space, nothing was changed",
        options,
      );
    case "53300":
    case "57P01":
    case "57P02":
    case "57P03":
      return new AppError("busy", "The database is starting or stopping: try again in a moment", {
        ...options,
        retryAfterMs: 1000,
      });
  }
  return undefined;
}

/** Whether a transaction that failed so may simply be run again: nothing is wrong with it, and a full disk has space later. */
export function isPassing(thrown: unknown): boolean {
  const code = fromSqlError(thrown)?.code;
  return code === "busy" || code === "storage_full";
}

const LOST = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
]);

function connectionError(thrown: unknown): AppError | undefined {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  // A socket file that is not there, a socket that nobody reads any more. Of a file that was to be read the code means
  // something else, and what writes to a child throws Deno's own error.
  const isSocketGone = thrown instanceof Error &&
    (code === "ENOENT"
      ? "syscall" in thrown && thrown.syscall === "connect"
      : code === "EPIPE" && !(thrown instanceof Deno.errors.BrokenPipe));
  if (!LOST.has(code) && !isSocketGone) return undefined;
  return new AppError("busy", "The database can't be reached: try again in a moment", {
    retryAfterMs: 1000,
    cause: thrown,
  });
}

function uniqueSentence(error: postgres.PostgresError): string {
  const columns = /Key \((.+?)\)=/.exec(error.detail ?? "")?.[1]?.replaceAll(/[a-z]+\(|::text|\)/g, "");
  return columns
    ? `another one with the same ${columns.replaceAll("_", " ")} is there already`
    : "it is there already";
}

function ruleSentence(error: postgres.PostgresError): string {
  return `Cannot save this: the rule "${
    (error.constraint_name ?? "of the table").replaceAll("_", " ")
  }" does not allow it`;
}
