/**
 * Parses JSON as Python's server does: integers beyond 2^53 (seeds go to 2^64 − 1) become bigint, so that two
 * different seeds stay different. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(
    text,
    function (this: unknown, _key: string, value: unknown, context?: { source?: string }) {
      const source = context?.source;
      if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined) return value;
      return /^-?\d+$/.test(source) ? BigInt(source) : value;
    },
  );
}

/** JSON text of `value`; a bigint is written as the integer it is. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? rawJson(String(item)) : item);
}

/** JSON with every character beyond ASCII escaped, as Python's json.dumps writes metadata into files. */
export function toAsciiJson(value: unknown): string {
  return toJson(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function rawJson(text: string): unknown {
  // JSON.rawJSON is in the runtime but not yet in TypeScript's library.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

/** True for a JSON object: not null, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
