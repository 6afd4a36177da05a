import { assert } from "@std/assert/mod.js";
import * as fc from "fast-check";
import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { id } from "#server/core/id.ts";
import { PageQuery } from "#server/core/page.ts";
import { createApp } from "./create_app.ts";
import { serve } from "./serve.ts";

const Node = z.object({
  name: z.string(),
  get children() {
    return z.optional(z.array(Node));
  },
});
const change = endpoint({
  method: "PUT",
  path: "/things/:thingId",
  can: "anyone",
  summary: "Change a thing",
  params: z.object({ thingId: id("thing") }),
  query: PageQuery,
  body: z.object({
    title: z.string().check(z.trim(), z.minLength(1)),
    tree: z.optional(Node),
    choice: z.optional(z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("a"), size: z.int() }),
      z.object({ kind: z.literal("b"), at: z.nullable(z.tuple([z.number(), z.number()])) }),
    ])),
    facts: z._default(z.record(z.string(), z.json()), {}),
    both: z.optional(z.intersection(z.object({ x: z.number() }), z.object({ y: z.number() }))),
  }),
  reply: z.object({ title: z.string() }),
});

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom("__proto__", "constructor", "\0", "\ud800", -0, 1e308, 2 ** 53, "", " ", [], {}, null),
);
const body = fc.record({
  title: fc.oneof(fc.string({ unit: "binary" }), value),
  tree: fc.oneof(value, fc.constant({ name: "a", children: [{ name: "b", children: [] }] })),
  choice: fc.oneof(
    value,
    fc.constantFrom({ kind: "a", size: 1 }, { kind: "b", at: [1, 2] }, { kind: "b", extra: 1 }),
  ),
  facts: fc.dictionary(fc.string(), value),
  both: fc.oneof(value, fc.constantFrom({ x: 1, y: 2 }, { x: 1, y: 2, z: 3 })),
  [`extra`]: value,
}, { requiredKeys: [] });

Deno.test("serve() answers whatever is sent, valid or not, and is never at fault itself", async () => {
  const app = createApp({ rate: { capacity: 1e9, perSecond: 1e9 } });
  serve(app, change, ({ body }) => ({ title: body.title }));
  const seen = new Set<number>();
  const text = fc.oneof(body.map((sent) => JSON.stringify(sent)), fc.json(), fc.string({ unit: "binary" }));
  const thing = fc.oneof(
    fc.constant("0197a2c4-0000-7000-8000-000000000001"),
    fc.string({ unit: "binary" }),
    fc.string(),
  );
  const query = fc.oneof(
    fc.constant(""),
    fc.webQueryParameters().map((found) => `?${found}`),
    fc.constant("?limit=3"),
  );
  await fc.assert(
    fc.asyncProperty(text, thing, query, async (sent, thingId, search) => {
      const url = `http://x/api/things/${encodeURIComponent(thingId.toWellFormed())}${search}`;
      const headers = { "content-type": "application/json" };
      const response = await app.request(url, { method: "PUT", body: sent, headers });
      await response.body?.cancel();
      seen.add(response.status);
      return response.status < 500;
    }),
    // One that is right in all, so that the run reaches the handler whatever chance brings.
    { numRuns: 3000, examples: [['{"title":"a"}', "0197a2c4-0000-7000-8000-000000000001", "?limit=3"]] },
  );
  assert(seen.has(200) && seen.has(400), [...seen].join());
});
