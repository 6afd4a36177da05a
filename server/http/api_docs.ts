import type { AnyEndpoint } from "#server/core/endpoint.ts";
import { ERROR_STATUS, type ErrorCode } from "#server/core/errors.ts";
import { escapeHtml, htmlPage } from "./html_page.ts";
import type { App } from "./http_env.ts";
import { PROBLEM_TITLES } from "./on_error.ts";
import { type JsonObject, jsonSchema, openApiDocument, operationId, tagOf } from "./openapi.ts";
import { endpointsOf } from "./serve.ts";

/**
 * Adds `/api/openapi.json`, the readable `/api/docs`, and the pages that the `type` of a problem names. They
 * tell of every endpoint bound to `app`, whether before or after.
 */
export function serveApiDocs(app: App, version: string): void {
  let known: { endpoints: readonly AnyEndpoint[]; text: string } | undefined;
  app.get("/api/openapi.json", () => {
    const endpoints = endpointsOf(app);
    if (known?.endpoints !== endpoints) {
      known = { endpoints, text: JSON.stringify(openApiDocument(endpoints, version)) };
    }
    return new Response(known.text, { headers: { "content-type": "application/json; charset=utf-8" } });
  });
  app.get("/api/docs", () => htmlPage("Seedloop API", docsBody(endpointsOf(app), version)));
  app.get("/problems/:code", (context) => {
    const code = context.req.param("code");
    if (!Object.hasOwn(ERROR_STATUS, code)) return context.notFound();
    return htmlPage(PROBLEM_TITLES[code as ErrorCode], problemBody(code as ErrorCode));
  });
}

function problemBody(code: ErrorCode): string {
  return `<h1>${escapeHtml(PROBLEM_TITLES[code])}</h1>
<p>HTTP ${
    ERROR_STATUS[code]
  }, code <code>${code}</code>. The answer's <code>detail</code> says what could not be
done, why, and the mend; <code>fields</code> names each wrong field.</p>`;
}

function docsBody(endpoints: readonly AnyEndpoint[], version: string): string {
  const tags = [...new Set(endpoints.map(tagOf))].sort();
  return `<h1>Seedloop API</h1>
<p>Version ${escapeHtml(version)} · ${endpoints.length} endpoints ·
<a href="/api/openapi.json">OpenAPI 3.1 document</a> · <a href="#live">Live events</a></p>
<p>Send JSON. Scripts send a personal token: <code>Authorization: Bearer …</code>. Every error is
<code>application/problem+json</code>, with a <code>code</code> from this list:</p>
<table><tr><th>Status</th><th>Code</th><th>Meaning</th></tr>${errorRows()}</table>
${tags.map((tag) => section(tag, endpoints.filter((endpoint) => tagOf(endpoint) === tag))).join("\n")}
${LIVE}`;
}

/** The one address that OpenAPI can't describe. */
const LIVE = `<h2 id="live">Live events</h2>
<p><code>/api/live</code> is a WebSocket for JSON messages. Scripts open it with their API token in the
<code>Authorization</code> header; browsers as <code>/api/live?ticket=…</code>, with a ticket from
<a href="#postAuthSocketTicket"><code>POST /api/auth/socket-ticket</code></a>. Ask for topics, and hear what
happens there:</p>
<pre>→ { "t": "subscribe", "topics": ["project:&lt;id&gt;", "fleet"], "after": 120 }
← { "t": "hello", "seq": 131, "userId": "…" }
← { "t": "subscribed", "topics": ["project:&lt;id&gt;"], "refused": ["fleet"], "seq": 131 }
← { "t": "event", "seq": 132, "code": "take.changed", "topic": "project:&lt;id&gt;", "at": "…", "data": { "takeId": "…" } }
← { "t": "progress", "jobId": "…", "ratio": 0.3, "note": "Sample 6/20" }
← { "t": "resync", "reason": "…" }</pre>
<table><tr><th>Topic</th><th>Heard by</th></tr>
<tr><td><code>project:&lt;id&gt;</code></td><td>Its members: everything made in it, and progress and previews of its jobs</td></tr>
<tr><td><code>user:&lt;id&gt;</code></td><td>The user</td></tr>
<tr><td><code>fleet</code></td><td>Who holds <code>worker.read</code></td></tr>
<tr><td><code>jobs</code></td><td>Who holds <code>queue.admin</code></td></tr>
<tr><td><code>studio</code></td><td>Everyone</td></tr></table>
<p>An event names what changed; ask its address for what it is now. <code>seq</code> counts up: after a broken
connection give the last one as <code>after</code>, and what was missed comes first. On <code>resync</code> it
can't be made up event by event: read everything anew. A binary message is a preview picture: four bytes with the
length of a JSON header (big-endian), the header with <code>jobId</code> and <code>mediaType</code>, the picture.
<code>unsubscribe</code> (with topics) and <code>ping</code> are understood too.</p>`;

function errorRows(): string {
  return Object.entries(ERROR_STATUS).map(([code, status]) =>
    `<tr><td>${status}</td><td><code>${code}</code></td><td>${
      escapeHtml(PROBLEM_TITLES[code as ErrorCode])
    }</td></tr>`
  ).join("");
}

function section(tag: string, endpoints: readonly AnyEndpoint[]): string {
  return `<h2 id="${escapeHtml(tag)}">${escapeHtml(tag)}</h2>\n${endpoints.map(entry).join("\n")}`;
}

function entry(endpoint: AnyEndpoint): string {
  const parts: (readonly [string, string])[] = [["May call", who(endpoint.can)]];
  for (const part of ["params", "query", "body", "reply"] as const) {
    const schema = endpoint[part];
    if (schema) {
      parts.push([
        capitals[part],
        `<pre>${escapeHtml(typeText(jsonSchema(schema, {}, capitals[part])))}</pre>`,
      ]);
    }
  }
  if (endpoint.raw?.body) parts.push(["Body", `<code>${escapeHtml(endpoint.raw.body)}</code>`]);
  if (endpoint.raw?.reply) parts.push(["Reply", `<code>${escapeHtml(endpoint.raw.reply)}</code>`]);
  return `<details id="${operationId(endpoint)}"><summary><b>${endpoint.method}</b><code>/api${
    escapeHtml(endpoint.path)
  }</code><span>${escapeHtml(endpoint.summary)}</span></summary>
<table>${
    parts.map(([name, text]) => `<tr><th>${name}</th><td>${text}</td></tr>`).join("")
  }</table></details>`;
}

const capitals = { params: "In the path", query: "Query", body: "Body", reply: "Reply" } as const;

function who(can: string): string {
  if (can === "anyone") return "Anyone";
  if (can === "signed_in") return "Anyone who is signed in";
  return `Who holds <code>${escapeHtml(can)}</code>`;
}

/** A JSON Schema as a person would write the type: `{ title: string (1–40 characters), tags?: string[] }`. */
export function typeText(schema: unknown, indent = ""): string {
  if (!isObject(schema)) return schema === false ? "nothing" : "anything";
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (Array.isArray(options)) {
    return options.map((option) => typeText(option, indent)).join(schema.allOf ? " & " : " | ");
  }
  if ("not" in schema) return "nothing";
  if (typeof schema.$ref === "string") return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (Array.isArray(schema.prefixItems)) {
    return `[${schema.prefixItems.map((item) => typeText(item, indent)).join(", ")}]`;
  }
  if (schema.type === "array") {
    const item = typeText(schema.items, indent);
    const isChoice = isObject(schema.items) &&
      (schema.items.enum ?? schema.items.anyOf ?? schema.items.oneOf);
    return isChoice ? `(${item})[]` : `${item}[]`;
  }
  if (schema.type === "object") return objectText(schema, indent);
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type;
  return `${schema.title ?? schema.format ?? type ?? "anything"}${limitsText(schema)}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectText(schema: JsonObject, indent: string): string {
  const required = (schema.required ?? []) as string[];
  const fields = Object.entries((schema.properties ?? {}) as Record<string, JsonObject>);
  if (fields.length === 0) {
    const rest = schema.additionalProperties;
    return typeof rest === "object" ? `{ [name]: ${typeText(rest, indent)} }` : "{ [name]: anything }";
  }
  const lines = fields.map(([name, field]) =>
    `${indent}  ${name}${required.includes(name) ? "" : "?"}: ${typeText(field, `${indent}  `)}`
  );
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function limitsText(schema: JsonObject): string {
  const low = schema.minimum ?? schema.minLength;
  const high = schema.maximum ?? schema.maxLength;
  const isSafe = (value: unknown) => typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const facts = [
    isSafe(low) ? `from ${low}` : "",
    isSafe(high) ? `to ${high}` : "",
    schema.default === undefined ? "" : `else ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
  return facts.length > 0 ? ` (${facts.join(", ")})` : "";
}
