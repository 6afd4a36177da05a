import { pythonRepr, pythonText } from "./python_text.ts";

/** A literal can't become the type that the input wants. The message is the one that Python would give. */
export class CoercionError extends Error {
  override readonly name = "CoercionError";
}

/**
 * The literal as Python's int(), float(), str() or bool() would make it; other types pass unchanged.
 * Integers beyond 2^53 stay bigint. Throws a CoercionError.
 */
export function coerce(type: unknown, value: unknown): unknown {
  if (type === "INT") return toInt(value);
  if (type === "FLOAT") return toFloat(value);
  if (type === "STRING") return pythonText(value);
  if (type === "BOOLEAN") return toBool(value);
  return value;
}

function toInt(value: unknown): number | bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new CoercionError("cannot convert float infinity to integer");
    return Math.trunc(value);
  }
  if (typeof value === "string") {
    if (!/^\s*[+-]?\d+\s*$/.test(value)) {
      throw new CoercionError(`invalid literal for int() with base 10: ${pythonRepr(value)}`);
    }
    const exact = BigInt(value.trim().replace(/^\+/, ""));
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  }
  throw new CoercionError(
    `int() argument must be a string, a bytes-like object or a real number, not '${pythonType(value)}'`,
  );
}

function toFloat(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  if (typeof value === "string") {
    if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) {
      throw new CoercionError(`could not convert string to float: ${pythonRepr(value)}`);
    }
    return Number(value);
  }
  throw new CoercionError(`float() argument must be a string or a real number, not '${pythonType(value)}'`);
}

function toBool(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function pythonType(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  return Array.isArray(value) ? "list" : "dict";
}
