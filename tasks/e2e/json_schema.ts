/** What in `value` is not as a JSON Schema says, as paths with sentences; a keyword it doesn't know is a fault too. */
export function findFaults(schema: unknown, value: unknown): string[] {
  const faults: string[] = [];
  check(schema, value, "$", { root: schema, faults });
  return faults;
}

interface Walk {
  readonly root: unknown;
  readonly faults: string[];
}

type Check = (
  rule: unknown,
  value: unknown,
  path: string,
  walk: Walk,
  schema: Record<string, unknown>,
) => void;

/** Nothing is checked for these. */
const SILENT = new Set([
  "$schema",
  "$id",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "id",
  "format",
]);

const CHECKS: Readonly<Record<string, Check>> = {
  type: (rule, value, path, walk) => {
    const wanted = Array.isArray(rule) ? rule : [rule];
    const isFit = wanted.some((type) =>
      type === typeName(value) || (type === "number" && typeof value === "number")
    );
    if (!isFit) walk.faults.push(`${path} is ${typeName(value)}, not ${wanted.join(" or ")}`);
  },
  enum: (rule, value, path, walk) => {
    if (!(rule as unknown[]).includes(value)) walk.faults.push(`${path} is none of ${JSON.stringify(rule)}`);
  },
  const: (rule, value, path, walk) => {
    if (rule !== value) walk.faults.push(`${path} is not ${JSON.stringify(rule)}`);
  },
  pattern: (rule, value, path, walk) => {
    if (typeof value === "string" && !new RegExp(String(rule), "u").test(value)) {
      walk.faults.push(`${path} does not match ${rule}`);
    }
  },
  minimum: (rule, value, path, walk) => limit(Number(value) >= Number(rule), path, "too small", value, walk),
  maximum: (rule, value, path, walk) => limit(Number(value) <= Number(rule), path, "too large", value, walk),
  exclusiveMinimum: (rule, value, path, walk) =>
    limit(Number(value) > Number(rule), path, "too small", value, walk),
  minLength: (rule, value, path, walk) => {
    if (typeof value === "string" && value.length < Number(rule)) walk.faults.push(`${path} is too short`);
  },
  maxLength: (rule, value, path, walk) => {
    if (typeof value === "string" && value.length > Number(rule)) walk.faults.push(`${path} is too long`);
  },
  required: (rule, value, path, walk) => {
    if (!isObject(value)) return;
    for (const name of rule as string[]) {
      if (!Object.hasOwn(value, name)) walk.faults.push(`${path}.${name} is missing`);
    }
  },
  properties: (rule, value, path, walk) => {
    if (!isObject(value)) return;
    for (const [name, part] of Object.entries(rule as object)) {
      if (Object.hasOwn(value, name)) check(part, value[name], `${path}.${name}`, walk);
    }
  },
  additionalProperties: (rule, value, path, walk, schema) => {
    if (!isObject(value)) return;
    const known = Object.keys(schema.properties ?? {});
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) check(rule, value[name], `${path}.${name}`, walk);
    }
  },
  propertyNames: (rule, value, path, walk) => {
    if (!isObject(value)) return;
    for (const name of Object.keys(value)) check(rule, name, `${path} name ${name}`, walk);
  },
  items: (rule, value, path, walk, schema) => {
    if (!Array.isArray(value)) return;
    const first = Array.isArray(schema.prefixItems) ? schema.prefixItems.length : 0;
    value.slice(first).forEach((each, index) => check(rule, each, `${path}[${first + index}]`, walk));
  },
  prefixItems: (rule, value, path, walk) => {
    if (!Array.isArray(value)) return;
    (rule as unknown[]).forEach((part, index) => check(part, value[index], `${path}[${index}]`, walk));
  },
  minItems: (rule, value, path, walk) => {
    if (Array.isArray(value) && value.length < Number(rule)) walk.faults.push(`${path} has too few items`);
  },
  maxItems: (rule, value, path, walk) => {
    if (Array.isArray(value) && value.length > Number(rule)) walk.faults.push(`${path} has too many items`);
  },
  anyOf: (rule, value, path, walk) => {
    const tries = (rule as unknown[]).map((part) => {
      const faults: string[] = [];
      check(part, value, path, { ...walk, faults });
      return faults;
    });
    if (tries.every((faults) => faults.length > 0)) walk.faults.push(...tries.flat());
  },
  $ref: (rule, value, path, walk) => {
    const parts = String(rule).replace(/^#\/?/, "").split("/").filter(Boolean);
    const target = parts.reduce<unknown>((at, part) => isObject(at) ? at[part] : undefined, walk.root);
    check(target, value, path, walk);
  },
};

function check(schema: unknown, value: unknown, path: string, walk: Walk): void {
  if (schema === true) return;
  if (!isObject(schema)) return void walk.faults.push(`${path} may not be there`);
  for (const [keyword, rule] of Object.entries(schema)) {
    if (SILENT.has(keyword)) continue;
    const run = CHECKS[keyword];
    if (run) run(rule, value, path, walk, schema);
    else walk.faults.push(`${path}: the schema's keyword ${keyword} is not known here`);
  }
}

function limit(isFit: boolean, path: string, reason: string, value: unknown, walk: Walk): void {
  if (typeof value === "number" && !isFit) walk.faults.push(`${path} is ${reason}: ${value}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
