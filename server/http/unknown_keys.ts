import type * as z from "zod/mini";

type Schema = z.core.$ZodType;

/**
 * Keys in `value` that `schema` does not know, as paths. zod drops them silently; the API refuses them, so that
 * a misspelt field is an error rather than a change that didn't happen.
 */
export function findUnknownKeys(
  schema: Schema,
  value: unknown,
  path: readonly PropertyKey[] = [],
): PropertyKey[][] {
  // zod's own discriminated union of everything a schema can be.
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case "object":
      return findInObject(def, value, path);
    case "array":
      return Array.isArray(value)
        ? value.flatMap((item, index) => findUnknownKeys(def.element, item, [...path, index]))
        : [];
    case "tuple":
      return Array.isArray(value)
        ? value.flatMap((item, index) => {
          const element = def.items[index] ?? def.rest;
          return element ? findUnknownKeys(element, item, [...path, index]) : [];
        })
        : [];
    case "record":
      return isRecord(value)
        ? Object.entries(value).flatMap(([key, item]) => findUnknownKeys(def.valueType, item, [...path, key]))
        : [];
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return value === undefined || value === null ? [] : findUnknownKeys(def.innerType, value, path);
    case "pipe":
      return findUnknownKeys(def.in, value, path);
    case "lazy":
      return findUnknownKeys(def.getter(), value, path);
    case "union":
      return findInUnion(def.options, value, path);
    case "intersection": {
      const right = new Set(findUnknownKeys(def.right, value, path).map(String));
      return findUnknownKeys(def.left, value, path).filter((key) => right.has(String(key)));
    }
    default:
      return [];
  }
}

function findInObject(
  def: z.core.$ZodObjectDef,
  value: unknown,
  path: readonly PropertyKey[],
): PropertyKey[][] {
  if (!isRecord(value)) return [];
  return Object.keys(value).flatMap((key) => {
    const known = Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
    if (known) return findUnknownKeys(known, value[key], [...path, key]);
    return def.catchall ? findUnknownKeys(def.catchall, value[key], [...path, key]) : [[...path, key]];
  });
}

/** The keys that are unknown to the option that fits best. */
function findInUnion(
  options: readonly Schema[],
  value: unknown,
  path: readonly PropertyKey[],
): PropertyKey[][] {
  let fewest: PropertyKey[][] | undefined;
  for (const option of options) {
    if (option._zod.run({ value, issues: [] }, { async: false }) instanceof Promise) continue;
    if (!fits(option, value)) continue;
    const unknown = findUnknownKeys(option, value, path);
    if (!fewest || unknown.length < fewest.length) fewest = unknown;
  }
  return fewest ?? [];
}

function fits(schema: Schema, value: unknown): boolean {
  const result = schema._zod.run({ value, issues: [] }, { async: false });
  return !(result instanceof Promise) && result.issues.length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
