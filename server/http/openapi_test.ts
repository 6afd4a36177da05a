import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { ERROR_STATUS } from "#server/core/errors.ts";
import { id } from "#server/core/id.ts";
import { page, PageQuery } from "#server/core/page.ts";
import { serveApiDocs } from "./api_docs.ts";
import { createApp } from "./create_app.ts";
import { escapeHtml } from "./html_page.ts";
import { openApiDocument } from "./openapi.ts";
import { serve } from "./serve.ts";

const Take = z.object({ id: id("take"), note: z.nullable(z.string()), "<b>": z.optional(z.string()) });
const listTakes = endpoint({
  method: "GET",
  path: "/clips/:clipId/takes",
  can: "project.read",
  summary: "List <takes> & more",
  params: z.object({ clipId: id("clip") }),
  query: PageQuery,
  reply: page(Take),
});
const addTake = endpoint({
  method: "POST",
  path: "/clips/:clipId/takes",
  can: "generate",
  summary: "Add a take",
  params: z.object({ clipId: id("clip") }),
  body: z.object({ seed: z.int() }),
  reply: Take,
  status: 201,
});
const Node = z.object({
  name: z.string(),
  get children() {
    return z.array(Node);
  },
});
const Leaf = z.object({
  size: z.int(),
  get inner() {
    return z.optional(Leaf);
  },
});
const putTree = endpoint({
  method: "PUT",
  path: "/trees",
  can: "signed_in",
  summary: "Change a tree",
  body: z.object({
    tree: Node,
    at: z.tuple([z.int(), z.int()]),
    none: z.optional(z.never()),
    any: z.unknown(),
    kinds: z.optional(z.array(z.enum(["a", "b"]))),
  }),
  reply: Node,
});
const getLeaf = endpoint({
  method: "GET",
  path: "/leaf",
  can: "signed_in",
  summary: "A leaf",
  reply: z.object({ leaf: Leaf }),
});
const getFile = endpoint({
  method: "GET",
  path: "/files/:hash",
  can: "anyone",
  summary: "A file",
  raw: { reply: "application/octet-stream" },
});

Deno.test("openApiDocument tells of every endpoint, gate, field and error", () => {
  // deno-lint-ignore no-explicit-any -- the test walks a document
  const document: any = openApiDocument([listTakes, addTake, getFile], "1.2.3");
  const { get, post } = document.paths["/api/clips/{clipId}/takes"];
  assertEquals([get.operationId, post.operationId], ["getClipsByClipIdTakes", "postClipsByClipIdTakes"]);
  assertEquals(
    get.parameters.map((
      parameter: { in: string; name: string; required: boolean },
    ) => [parameter.in, parameter.name, parameter.required]),
    [
      ["path", "clipId", true],
      ["query", "limit", false],
      ["query", "cursor", false],
    ],
  );
  assertEquals([get["x-can"], get.security.length], ["project.read", 2]);
  assertEquals(Object.keys(post.responses), ["201", ...Object.values(ERROR_STATUS).map(String)].sort());
  assertEquals(post.requestBody.content["application/json"].schema.required, ["seed"]);
  const file = document.paths["/api/files/{hash}"].get;
  assertEquals([file.security, Object.keys(file.responses["200"].content)], [[], [
    "application/octet-stream",
  ]]);
  const invalid = document.components.responses.invalid.content["application/problem+json"];
  assertEquals([invalid.example.status, invalid.example.code], [400, "invalid"]);
  assert(!JSON.stringify(document).includes("$defs"));
});

Deno.test("openApiDocument is the same each time and every reference in it leads somewhere", () => {
  const all = [listTakes, addTake, getFile, putTree, getLeaf];
  const first = JSON.stringify(openApiDocument(all, "1"));
  assertEquals(JSON.stringify(openApiDocument(all, "1")), first);
  const document = JSON.parse(first);
  const { schemas, responses } = document.components;
  for (const [, reference = ""] of first.matchAll(/"\$ref":"([^"]+)"/g)) {
    const name = reference.slice(reference.lastIndexOf("/") + 1);
    assert(reference === `#/components/schemas/${name}` ? schemas[name] : responses[name], reference);
  }
  const tree =
    document.paths["/api/trees"].put.requestBody.content["application/json"].schema.properties.tree;
  const leaf =
    document.paths["/api/leaf"].get.responses["200"].content["application/json"].schema.properties.leaf;
  const target = ({ $ref }: { $ref: string }) => schemas[$ref.slice($ref.lastIndexOf("/") + 1)];
  assertEquals(Object.keys(target(tree).properties), ["name", "children"]);
  assertEquals(Object.keys(target(leaf).properties), ["size", "inner"]);
});

Deno.test("serveApiDocs() gives a page with no script, nothing from elsewhere, and escaped text", async () => {
  const app = createApp();
  serveApiDocs(app, "1.2.3");
  serve(app, listTakes, () => ({ items: [] }));
  serve(app, putTree, () => ({ name: "a", children: [] }));
  serve(app, getLeaf, () => ({ leaf: { size: 1 } }));
  const response = await app.request("/api/docs");
  const html = await response.text();
  assertStringIncludes(html, "List &lt;takes&gt; &amp; more");
  assertStringIncludes(html, "project.read");
  assertStringIncludes(html, "at: [integer, integer]");
  assertStringIncludes(html, "none?: nothing");
  assertStringIncludes(html, `kinds?: (${escapeHtml('"a" | "b"')})[]`);
  assertStringIncludes(html, "note: string | null");
  for (const said of ["/api/live", "subscribe", "resync"]) assertStringIncludes(html, said);
  assert(!/<script|https?:\/\//.test(html));
  assertEquals(
    await styleHash(html),
    /'(sha256-[^']+)'/.exec(response.headers.get("content-security-policy") ?? "")?.[1],
  );
  const document = await (await app.request("/api/openapi.json")).json();
  assertEquals(Object.keys(document.paths), ["/api/clips/{clipId}/takes", "/api/leaf", "/api/trees"]);
  assertEquals((await app.request("/problems/conflict")).status, 200);
  assertEquals((await app.request("/problems/nonsense")).status, 404);
});

async function styleHash(html: string): Promise<string> {
  const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
