/**
 * Parses JSON as Python writes it: bare `NaN` and `Infinity` become null, and an integer that a double can't
 * hold becomes a bigint, so that bounds like 2⁶⁴−1 compare exactly. Throws SyntaxError on anything else.
 */
export function parseJson(text: string): unknown {
  const reviver = /\d{16}/.test(text) ? keepBigIntegers : undefined;
  try {
    return JSON.parse(text, reviver);
  } catch (problem) {
    if (!/NaN|Infinity/.test(text)) throw problem;
    return JSON.parse(withoutNonNumbers(text), reviver);
  }
}

/** JSON for the wire; bigints are written as the integers they are. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? rawJson(item.toString()) : item);
}

/** The value as a plain object, or undefined when it is something else. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown> // any non-null, non-array object can be read by key
    : undefined;
}

export function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A finite number; bigints are narrowed, since counts and times on the wire are small. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The strings of a list; anything else in it is dropped. */
export function asTexts(value: unknown): string[] {
  return asList(value).filter((item): item is string => typeof item === "string");
}

/** The same value with bigints narrowed to doubles: for documents that are stored or posted to a thread. */
export function withoutBigIntegers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(withoutBigIntegers);
  const record = asRecord(value);
  if (record === undefined) return value;
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, withoutBigIntegers(item)]));
}

function keepBigIntegers(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { source?: string },
): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function rawJson(digits: string): unknown {
  // `JSON.rawJSON` is in the engine but not yet in TypeScript's library.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
}

/** Replaces non-numbers that stand outside strings; a regular expression would overflow on long strings. */
function withoutNonNumbers(text: string): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    const end = quote < 0 ? text.length : quote;
    out += text.slice(at, end).replace(/-?Infinity|NaN/g, "null");
    if (quote < 0) break;
    at = endOfString(text, quote);
    out += text.slice(quote, at);
  }
  return out;
}

function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return text.length;
}
