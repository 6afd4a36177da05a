export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = "debug" | "info" | "warn" | "error";

const RANK: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };

/**
 * JSON lines: a constant message in the past tense and lower case, the facts in fields.
 * error = someone must look; warn = we coped; info = worth having later; debug = off by default.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with `fields` bound to every line. */
  with(fields: LogFields): Log;
}

export type LogSink = (
  line: { at: string; level: LogLevel; message: string } & Record<string, unknown>,
) => void;

/** A log that hands each line at or above `level` to `sink`. */
export function createLog(sink: LogSink, level: LogLevel = "info", bound: LogFields = {}): Log {
  const write = (at: LogLevel, message: string, fields: LogFields = {}) => {
    if (RANK[at] < RANK[level]) return;
    sink({ at: new Date().toISOString(), level: at, message, ...flatten({ ...bound, ...fields }) });
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
    with: (fields) => createLog(sink, level, { ...bound, ...fields }),
  };
}

/** Errors become their message, stack and causes, so that a line is plain JSON. */
function flatten(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? describe(value) : value]),
  );
}

function describe(error: Error): Record<string, unknown> {
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error
      ? { cause: describe(error.cause) }
      : error.cause === undefined
      ? {}
      : { cause: String(error.cause) }),
  };
}

/** Swallows everything: for tests and tools that print on their own. */
export const silentLog: Log = createLog(() => {});
