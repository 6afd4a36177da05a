import * as z from "zod/mini";
import { AppError, type FieldError } from "#server/core/errors.ts";
import "#server/core/field_sentence.ts";
import { findUnknownKeys } from "./unknown_keys.ts";

type Schema = z.core.$ZodType;
export type InputPart = "params" | "query" | "body" | "reply";

/** A JSON body larger than this is refused unless the endpoint takes it raw. */
export const MAX_JSON_BYTES = 1024 * 1024;
const MAX_JSON_DEPTH = 64;
const MAX_FIELDS = 20;

/** `value` as `schema` makes it. Throws AppError("invalid") that names each wrong field, unknown keys included. */
export function parseInput<S extends Schema>(schema: S, value: unknown, part: InputPart): z.output<S> {
  const result = z.safeParse(schema, value);
  const unknown = findUnknownKeys(schema, value);
  if (result.success && unknown.length === 0) return result.data;
  throw invalid([
    ...(result.error?.issues ?? []).map((issue) => ({
      field: pointer(part, issue.path),
      message: issue.message,
    })),
    ...unknown.map((path) => ({ field: pointer(part, path), message: "Unknown field: leave it out" })),
  ]);
}

/** Throws AppError("invalid") when `value` does not fit; for checks of replies. */
export function invalid(fields: readonly FieldError[]): AppError {
  const [first] = fields;
  const rest = fields.length > 1 ? ` (and ${fields.length - 1} more, see fields)` : "";
  const { field, message } = first ?? { field: "it", message: "is wrong" };
  const fault = `${field}${/^[a-z]/.test(message) ? " " : ": "}${message}`;
  return new AppError("invalid", `Cannot accept the request: ${fault}${rest}`, {
    fields: fields.slice(0, MAX_FIELDS),
  });
}

/** "/body/items/0/title": a JSON pointer below the part of the request. */
export function pointer(part: InputPart, path: readonly PropertyKey[]): string {
  return [part, ...path].map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The query as an object: lists where the schema wants lists or a key is repeated, else strings. */
export function queryObject(schema: Schema | undefined, url: string): Record<string, unknown> {
  if (!url.includes("?")) return {};
  const search = new URL(url).searchParams;
  const entries = [...new Set(search.keys())].map((key) => {
    const values = search.getAll(key);
    return [key, values.length > 1 || wantsList(schema, key) ? values : values[0]] as const;
  });
  return Object.fromEntries(entries);
}

function wantsList(schema: Schema | undefined, key: string): boolean {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (def?.type !== "object" || !Object.hasOwn(def.shape, key)) return false;
  let field = (def.shape[key] as z.core.$ZodTypes | undefined)?._zod.def;
  while (field && "innerType" in field) field = (field.innerType as z.core.$ZodTypes)._zod.def;
  return field?.type === "array";
}

/** Refuses NUL, which PostgreSQL can't keep, anywhere in params and query. */
export function refuseNul(values: Record<string, unknown>, part: InputPart): void {
  const found = Object.entries(values).find(([key, value]) =>
    key.includes("\0") || String(value).includes("\0")
  );
  if (found) {
    throw invalid([{ field: pointer(part, [found[0].replaceAll("\0", "\\0")]), message: NUL_MESSAGE }]);
  }
}

const NUL_MESSAGE = "Cannot hold the NUL character: remove it";

/** The JSON body, or undefined where there is none. Throws AppError invalid, unsupported or too_large. */
export async function readJson(request: Request, maxBytes: number = MAX_JSON_BYTES): Promise<unknown> {
  const text = await readText(request, maxBytes);
  if (text === "") return undefined;
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "none";
  if (type !== "application/json" && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw new AppError("unsupported", `Cannot read a body of type ${type}: send application/json`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it is broken";
    throw new AppError("invalid", `Cannot read the body as JSON: ${reason}`, {
      fields: [{ field: "/body", message: "Must be JSON" }],
      cause: error,
    });
  }
  inspectJson(value, []);
  return value;
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () =>
    new AppError("too_large", `Cannot accept the body: it is larger than ${maxBytes} bytes`, {
      details: { maxBytes },
    });
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  if (!request.body) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let read = 0;
  try {
    for await (const chunk of request.body) {
      read += chunk.length;
      if (read > maxBytes) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AppError("invalid", "Cannot read the body: it is cut short or not UTF-8; send it again", {
      cause: error,
    });
  }
}

/** Refuses depth (a later recursion would overflow), NUL and `__proto__`. Recursion ends at the depth limit. */
function inspectJson(value: unknown, path: PropertyKey[]): void {
  const refuse = (message: string) => invalid([{ field: pointer("body", path.slice(0, 8)), message }]);
  if (typeof value === "string" && value.includes("\0")) throw refuse(NUL_MESSAGE);
  if (typeof value !== "object" || value === null) return;
  if (path.length >= MAX_JSON_DEPTH) throw refuse(`Must not be nested deeper than ${MAX_JSON_DEPTH} levels`);
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__" || key.includes("\0")) throw refuse("Must not hold a field of this name");
    path.push(key);
    inspectJson(item, path);
    path.pop();
  }
}
