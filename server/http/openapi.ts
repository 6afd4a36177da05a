import * as z from "zod/mini";
import type { AnyEndpoint } from "#server/core/endpoint.ts";
import { AppError, ERROR_STATUS, type ErrorCode, Problem } from "#server/core/errors.ts";
import { PROBLEM_TITLES, problemOf } from "./on_error.ts";

/** A JSON value: what an OpenAPI document is made of. */
export type JsonObject = { [key: string]: unknown };

const JSON_TYPE = "application/json";
const PROBLEM_TYPE = "application/problem+json";
const EXAMPLE_REQUEST_ID = "0197a2c4-0000-7000-8000-000000000000";
const ERROR_CODES = Object.keys(ERROR_STATUS) as ErrorCode[];

/** The OpenAPI 3.1 document of `endpoints`; the same endpoints give the same bytes. */
export function openApiDocument(endpoints: readonly AnyEndpoint[], version: string): JsonObject {
  const schemas: JsonObject = {};
  const paths: Record<string, JsonObject> = {};
  for (const endpoint of endpoints) {
    const path = `/api${endpoint.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint, schemas) };
  }
  const problem = jsonSchema(Problem, schemas, "Problem");
  return {
    openapi: "3.1.1",
    info: {
      title: "Seedloop",
      version,
      description:
        "Everything that the studio's own pages do. Errors are RFC 9457 problem details throughout.",
    },
    servers: [{ url: "/" }],
    tags: [...new Set(endpoints.map(tagOf))].sort().map((name) => ({ name })),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { ...sorted(schemas), Problem: problem },
      responses: Object.fromEntries(ERROR_CODES.map((code) => [code, problemAnswer(code)])),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A personal API token or a short-lived access token",
        },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-seedloop_access",
          description: "The browser's session; without the prefix on plain HTTP",
        },
      },
    },
  };
}

/** "getClipsByClipIdTakes": unique for a method and path, and steady. */
export function operationId(endpoint: AnyEndpoint): string {
  const words = endpoint.path.split("/").filter(Boolean).map((part) =>
    part.startsWith(":") ? `By${capital(part.slice(1))}` : part.split(/[-_.]/).map(capital).join("")
  );
  return endpoint.method.toLowerCase() + words.join("");
}

/** The first word of the path: how the API is grouped for people. */
export function tagOf(endpoint: AnyEndpoint): string {
  return endpoint.path.split("/")[1] ?? "";
}

function operation(endpoint: AnyEndpoint, schemas: JsonObject): JsonObject {
  const body = requestBody(endpoint, schemas);
  const parameters = [
    ...pathParameters(endpoint, schemas),
    ...fieldsOf(endpoint, "query", schemas).map((field) => ({ in: "query", ...field })),
  ];
  return {
    operationId: operationId(endpoint),
    tags: [tagOf(endpoint)],
    summary: endpoint.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      [String(statusOf(endpoint))]: success(endpoint, schemas),
      ...Object.fromEntries(
        ERROR_CODES.map((code) => [String(ERROR_STATUS[code]), { $ref: `#/components/responses/${code}` }]),
      ),
      ...Object.fromEntries(
        Object.entries(endpoint.otherStatuses ?? {}).map((
          [status, description],
        ) => [status, { description }]),
      ),
    },
    security: endpoint.can === "anyone" ? [] : [{ bearer: [] }, { cookie: [] }],
    "x-can": endpoint.can,
  };
}

function statusOf(endpoint: AnyEndpoint): number {
  return endpoint.status ?? (endpoint.reply || endpoint.raw?.reply ? 200 : 204);
}

function success(endpoint: AnyEndpoint, schemas: JsonObject): JsonObject {
  if (endpoint.raw?.reply) {
    return { description: "The content", content: { [endpoint.raw.reply]: { schema: {} } } };
  }
  if (!endpoint.reply) return { description: "Done" };
  return {
    description: "The answer",
    content: {
      [JSON_TYPE]: { schema: jsonSchema(endpoint.reply, schemas, `${operationId(endpoint)}Reply`) },
    },
  };
}

function requestBody(endpoint: AnyEndpoint, schemas: JsonObject): JsonObject | undefined {
  if (endpoint.raw?.body) return { required: true, content: { [endpoint.raw.body]: { schema: {} } } };
  if (!endpoint.body) return undefined;
  return {
    required: true,
    content: { [JSON_TYPE]: { schema: jsonSchema(endpoint.body, schemas, `${operationId(endpoint)}Body`) } },
  };
}

/** Every name in the path, declared or not: OpenAPI wants them all. */
function pathParameters(endpoint: AnyEndpoint, schemas: JsonObject): JsonObject[] {
  const declared = fieldsOf(endpoint, "params", schemas);
  return [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    in: "path",
    name,
    schema: declared.find((field) => field.name === name)?.schema ?? { type: "string" },
    required: true,
  }));
}

function fieldsOf(endpoint: AnyEndpoint, part: "params" | "query", schemas: JsonObject) {
  if (!endpoint[part]) return [];
  const { properties = {}, required = [] } = jsonSchema(
    endpoint[part],
    schemas,
    operationId(endpoint) + part,
  ) as {
    properties?: Record<string, JsonObject>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    schema: field,
    required: required.includes(name),
  }));
}

/**
 * The JSON Schema of what travels. Schemas registered with an `id` become shared components under it, those that
 * contain themselves under `name`. The wire carries the input side of requests and replies alike: transforms
 * happen inside.
 */
export function jsonSchema(schema: z.core.$ZodType, schemas: JsonObject, name: string): JsonObject {
  const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  // zod counts nameless definitions from zero in every schema; across endpoints they must not meet.
  const nameOf = (key: string) => key.replace(/^__schema/, name);
  for (const [key, definition] of Object.entries($defs)) {
    schemas[nameOf(key)] = rewriteRefs(definition, name, nameOf);
  }
  const root = rewriteRefs(rest, name, nameOf) as JsonObject;
  if (!JSON.stringify(rest).includes('"$ref":"#"')) return root;
  schemas[name] = root;
  return { $ref: componentRef(name) };
}

function rewriteRefs(value: unknown, name: string, nameOf: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => rewriteRefs(item, name, nameOf));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (key !== "$ref" || typeof item !== "string") return [key, rewriteRefs(item, name, nameOf)];
      return [key, componentRef(item === "#" ? name : nameOf(item.replace("#/$defs/", "")))];
    }),
  );
}

function componentRef(name: string): string {
  return `#/components/schemas/${name}`;
}

function problemAnswer(code: ErrorCode): JsonObject {
  const fields = code === "invalid" ? [{ field: "/body/title", message: "Unknown field: leave it out" }] : [];
  const error = new AppError(code, PROBLEM_TITLES[code], { fields });
  const hasRetry = code === "busy" || code === "limited";
  return {
    description: PROBLEM_TITLES[code],
    ...(hasRetry
      ? { headers: { "Retry-After": { description: "Seconds to wait", schema: { type: "integer" } } } }
      : {}),
    content: {
      [PROBLEM_TYPE]: {
        schema: { $ref: "#/components/schemas/Problem" },
        example: problemOf(error, EXAMPLE_REQUEST_ID),
      },
    },
  };
}

function sorted(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
