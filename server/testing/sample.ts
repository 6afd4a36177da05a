import * as z from "zod/mini";

/** What a sample is made of where a value must exist: an id by what it identifies ("clip", "api token"). */
export type FindId = (kind: string) => string;

interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

/** The smallest value that `schema` takes, ids by `findId`; text is "sample", repeated until it is long enough. */
export function sampleOf(schema: z.core.$ZodType, findId: FindId): unknown {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return sample(root, root, findId);
}

/** The kind of thing that an id schema identifies, or undefined when it is no id. */
export function idKindOf(schema: z.core.$ZodType): string | undefined {
  const { title } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return title?.endsWith(" id") ? title.slice(0, -" id".length) : undefined;
}

function sample(schema: JsonSchema, root: JsonSchema, findId: FindId): unknown {
  if (schema.$ref) return sample(root.$defs?.[schema.$ref.replace("#/$defs/", "")] ?? {}, root, findId);
  if (schema.title?.endsWith(" id")) return findId(schema.title.slice(0, -" id".length));
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const options = schema.anyOf ?? schema.oneOf;
  if (options?.[0]) return sample(options[0], root, findId);
  if (schema.allOf) {
    return Object.assign({}, ...schema.allOf.map((part) => sample(part, root, findId)));
  }
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        (schema.required ?? []).map((
          name,
        ) => [name, sample(schema.properties?.[name] ?? {}, root, findId)]),
      );
    case "array":
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}, root, findId));
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 1, -1_000_000) || schema.multipleOf || 0;
    case "boolean":
      return false;
    case "null":
      return null;
  }
  return "sample".repeat(Math.ceil((schema.minLength ?? 1) / 6));
}
