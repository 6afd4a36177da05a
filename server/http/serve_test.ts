import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { AppError, Problem } from "#server/core/errors.ts";
import { id } from "#server/core/id.ts";
import { createLog } from "#server/core/log.ts";
import { page, PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import type { Actor } from "./actor.ts";
import { createApp } from "./create_app.ts";
import type { App } from "./http_env.ts";
import { endpointsOf, serve } from "./serve.ts";

const Clip = z.object({ id: id("clip"), title: z.string(), tags: z.optional(z.array(z.string())) });
const CLIP_ID = "0197a2c4-0000-7000-8000-000000000001";

const addClip = endpoint({
  method: "POST",
  path: "/scenes/:sceneId/clips",
  can: "clip.edit",
  summary: "Add a clip",
  params: z.object({ sceneId: id("scene") }),
  body: z.object({
    title: z.string().check(z.minLength(1), z.maxLength(40)),
    rate: z.optional(z.object({ num: z.int(), den: z.int() })),
    extra: z.optional(z.record(z.string(), z.unknown())),
    size: z.optional(z.pipe(z.object({ w: z.int() }), z.transform(({ w }) => w))),
    source: z.optional(z.union([z.object({ a: z.string() }), z.object({ b: z.int() })])),
  }),
  reply: Clip,
  status: 201,
});
const listClips = endpoint({
  method: "GET",
  path: "/clips",
  can: "signed_in",
  summary: "List clips",
  query: z.extend(PageQuery, { tag: z.optional(z.array(z.string())) }),
  reply: page(Clip),
});
const signOut = endpoint({ method: "POST", path: "/sign-out", can: "anyone", summary: "Sign out" });

function actor(...permissions: Permission[]): Actor {
  return { userId: CLIP_ID, roleCode: "creator", permissions: new Set(permissions), ip: "127.0.0.1" };
}

function appFor(who: Actor | undefined, bind: (app: App) => void): App {
  const app = createApp();
  app.use(async (context, next) => {
    context.set("actor", who);
    await next();
  });
  bind(app);
  return app;
}

function clipApp(who: Actor | "nobody" = actor("clip.edit")): App {
  return appFor(who === "nobody" ? undefined : who, (app) => {
    serve(app, addClip, ({ body }) => ({ id: CLIP_ID, title: body.title }));
    serve(app, listClips, ({ query }) => ({
      items: [{ id: CLIP_ID, title: `${query.limit}`, ...(query.tag ? { tags: query.tag } : {}) }],
    }));
    serve(app, signOut, () => {});
  });
}

async function send(
  app: App,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  const response = await app.request(path, {
    method,
    body: text,
    headers: { ...(text === null ? {} : { "content-type": "application/json" }), ...headers },
  });
  const replyText = await response.text();
  // Tests look into whatever came back.
  // deno-lint-ignore no-explicit-any
  const reply: any = replyText.startsWith("{") ? JSON.parse(replyText) : replyText;
  if (response.status >= 400) Problem.parse(reply);
  return { status: response.status, headers: response.headers, reply };
}

const CLIPS = `/api/scenes/${CLIP_ID}/clips`;

Deno.test("serve() parses, answers with the declared status and lists what was bound", async () => {
  const app = clipApp();
  const added = await send(app, "POST", CLIPS, { title: "Run" });
  assertEquals([added.status, added.reply], [201, { id: CLIP_ID, title: "Run" }]);
  assertEquals(added.headers.get("content-type"), "application/json; charset=utf-8");
  const listed = await send(app, "GET", "/api/clips?limit=7&tag=a");
  assertEquals(listed.reply.items, [{ id: CLIP_ID, title: "7", tags: ["a"] }]);
  assertEquals((await send(app, "POST", "/api/sign-out")).status, 204);
  assertEquals(endpointsOf(app).map((bound) => bound.path), [
    "/scenes/:sceneId/clips",
    "/clips",
    "/sign-out",
  ]);
});

Deno.test("serve() asks the gate before it reads anything", async () => {
  assertEquals((await send(clipApp("nobody"), "POST", "/api/scenes/x/clips", "{")).status, 401);
  assertEquals((await send(clipApp(actor("project.read")), "POST", "/api/scenes/x/clips", "{")).status, 403);
  assertEquals((await send(clipApp("nobody"), "POST", "/api/sign-out")).status, 204);
});

Deno.test("serve() names each wrong field of a request", async () => {
  const app = clipApp();
  const cases: readonly (readonly [string, string, unknown, readonly string[]])[] = [
    ["POST", "/api/scenes/nonsense/clips", { title: "x" }, ["/params/sceneId"]],
    ["GET", "/api/clips?limit=0", undefined, ["/query/limit"]],
    ["GET", "/api/clips?limit=1&limit=2", undefined, ["/query/limit"]],
    ["GET", "/api/clips?lmit=1", undefined, ["/query/lmit"]],
    ["POST", "/api/sign-out?x=1", undefined, ["/query/x"]],
    ["POST", CLIPS, undefined, ["/body"]],
    ["POST", CLIPS, "{", ["/body"]],
    ["POST", CLIPS, "[]", ["/body"]],
    ["POST", CLIPS, { title: "", rate: { num: 1.5, den: 1 } }, ["/body/title", "/body/rate/num"]],
    ["POST", CLIPS, { title: "x", titel: "y" }, ["/body/titel"]],
    ["POST", CLIPS, { title: "x", rate: { num: 1, den: 1, "a/b": 1 } }, ["/body/rate/a~1b"]],
    ["POST", CLIPS, { title: "x", source: { a: "1", b: 2, c: 3 } }, ["/body/source/b", "/body/source/c"]],
    ["POST", CLIPS, { title: "x", size: { w: 1, h: 2 } }, ["/body/size/h"]],
    ["POST", CLIPS, '{"title":"x","__proto__":{"admin":true}}', ["/body"]],
    ["POST", CLIPS, '{"title":"a\\u0000b"}', ["/body/title"]],
    ["GET", "/api/clips?cursor=%00", undefined, ["/query/cursor"]],
    ["POST", CLIPS, `{"title":"x","extra":{"a":${"[".repeat(70)}${"]".repeat(70)}}}`, [
      "/body/extra/a/0/0/0/0/0/0",
    ]],
  ];
  for (const [method, path, body, fields] of cases) {
    const { status, reply } = await send(app, method, path, body);
    assertEquals(status, 400, `${method} ${path} ${JSON.stringify(body)}`);
    assertEquals(reply.fields.map((field: { field: string }) => field.field), fields, JSON.stringify(body));
  }
  assertEquals((await send(app, "POST", CLIPS, { title: "x", extra: { any: { thing: 1 } } })).status, 201);
});

Deno.test("serve() refuses bodies of another type, too large ones and broken UTF-8", async () => {
  const app = clipApp();
  const typed = await send(app, "POST", CLIPS, { title: "x" }, { "content-type": "text/plain" });
  assertEquals([typed.status, typed.reply.code], [415, "unsupported"]);
  const large = await send(app, "POST", CLIPS, { title: "x".repeat(1024 * 1024) });
  assertEquals(large.status, 413);
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  const headers = { "content-type": "application/json" };
  const streamed = await app.request(CLIPS, { method: "POST", body: endless, headers });
  assertEquals(streamed.status, 413);
  const broken = await app.request(CLIPS, {
    method: "POST",
    body: new Uint8Array([0x22, 0xff, 0x22]),
    headers,
  });
  assertEquals(broken.status, 400);
});

Deno.test("serve() takes a reply that breaks its schema, or says more, for a fault of ours", async () => {
  const lines: Record<string, unknown>[] = [];
  const bad = { id: CLIP_ID, title: "Run", secret: 1 };
  const app = createApp({ log: createLog((line) => lines.push(line)) });
  app.use(async (context, next) => (context.set("actor", actor("clip.edit")), await next()));
  serve(app, addClip, () => bad);
  const { status, reply } = await send(app, "POST", CLIPS, { title: "x" });
  assertEquals(status, 500);
  assert(!JSON.stringify(reply).includes("secret"), "a fault tells the caller nothing but the request id");
  assertStringIncludes(JSON.stringify(lines), "/reply/secret");
  assertEquals(`urn:uuid:${lines[0]?.requestId}`, reply.instance);
});

Deno.test("an AppError is answered as problem details, anything else as 500 with the request id only", async () => {
  const thrown: unknown[] = [
    new AppError("conflict", "Cannot add a clip: the scene is locked", { details: { sceneId: CLIP_ID } }),
    new AppError("busy", "Cannot answer: the database restarts", { retryAfterMs: 1500 }),
    new Error("password is hunter2"),
    new AppError("internal", "hunter2 again", { details: { hunter2: true } }),
  ];
  const app = appFor(actor(), (app) =>
    serve(app, signOut, () => {
      throw thrown.shift();
    }));
  const conflict = await send(app, "POST", "/api/sign-out");
  assertEquals([conflict.status, conflict.reply.type, conflict.reply.details], [409, "/problems/conflict", {
    sceneId: CLIP_ID,
  }]);
  assertEquals(conflict.headers.get("content-type"), "application/problem+json; charset=utf-8");
  const busy = await send(app, "POST", "/api/sign-out");
  assertEquals([busy.status, busy.headers.get("retry-after")], [503, "2"]);
  for (let i = 0; i < 2; i++) {
    const fault = await send(app, "POST", "/api/sign-out");
    assertEquals(fault.status, 500);
    assert(!JSON.stringify(fault.reply).includes("hunter2"));
    assertEquals(fault.reply.instance, `urn:uuid:${fault.headers.get("x-request-id")}`);
  }
});

Deno.test("unknown routes and odd spellings of known ones are problems or meet the gate", async () => {
  const app = clipApp("nobody");
  for (
    const path of [
      "/api/nothing",
      "/api//clips",
      "/api/clips%2F",
      "/api/CLIPS",
      "/api/clips;x",
      "/api/%2e%2e/clips",
      "/api/clips/",
    ]
  ) {
    const { status } = await send(app, "GET", path);
    assert(status === 404 || status === 401, `${path} answered ${status}`);
  }
  assertEquals((await send(app, "GET", "/api/%zz")).status, 404);
});

Deno.test("serve() sends the headers and cookies that a handler sets on its context", async () => {
  const app = appFor(undefined, (app) =>
    serve(app, signOut, ({ context }) => {
      context.header("set-cookie", "a=1", { append: true });
      context.header("set-cookie", "b=2", { append: true });
    }));
  const { headers, status } = await app.request("/api/sign-out", { method: "POST" });
  assertEquals([status, headers.getSetCookie()], [204, ["a=1", "b=2"]]);
});

Deno.test("every answer carries the security headers, and API answers are not stored", async () => {
  const app = clipApp();
  for (const path of ["/api/clips", "/api/nothing", "/page"]) {
    const { headers } = await send(app, "GET", path);
    assertStringIncludes(headers.get("content-security-policy") ?? "", "object-src 'none'");
    assert(!headers.get("content-security-policy")?.includes("unsafe-inline"));
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assert(headers.get("referrer-policy"));
    assertEquals(headers.get("cache-control"), path === "/page" ? null : "no-store");
  }
});

Deno.test("checkOrigin() refuses changes from other sites and lets scripts and own pages through", async () => {
  const app = clipApp();
  const statuses = async (headers: Record<string, string>) =>
    (await send(app, "POST", "http://studio.lan/api/sign-out", undefined, { host: "studio.lan", ...headers }))
      .status;
  assertEquals(await statuses({ origin: "http://evil.example" }), 403);
  assertEquals(await statuses({ origin: "null" }), 403);
  assertEquals(await statuses({ origin: "http://studio.lan:8080" }), 403);
  assertEquals(await statuses({ "sec-fetch-site": "cross-site" }), 403);
  assertEquals(await statuses({ "sec-fetch-site": "same-site", origin: "http://studio.lan" }), 403);
  assertEquals(await statuses({ origin: "http://studio.lan", "sec-fetch-site": "same-origin" }), 204);
  assertEquals(await statuses({ origin: "http://evil.example", authorization: "Bearer token" }), 204);
  assertEquals(await statuses({}), 204);
});

Deno.test("a known address answers a method that it does not take with 405 and those that it takes", async () => {
  const app = createApp();
  serve(app, listClips, () => ({ items: [] }));
  serve(app, addClip, () => ({ id: CLIP_ID as z.infer<typeof Clip>["id"], title: "x" }));
  serve(app, signOut, () => undefined);
  const ask = async (method: string, path: string) => {
    const response = await app.request(path, { method });
    return { status: response.status, allow: response.headers.get("allow"), text: await response.text() };
  };
  const wrong = await ask("DELETE", "/api/clips");
  assertEquals([wrong.status, wrong.allow], [405, "GET, HEAD"]);
  assertEquals(Problem.parse(JSON.parse(wrong.text)).code, "method_not_allowed");
  assertStringIncludes(wrong.text, "Cannot DELETE /api/clips: this address takes GET, HEAD");
  assertEquals((await ask("GET", "/api/scenes/anything/clips")).allow, "POST");
  assertEquals([(await ask("PUT", "/api/sign-out")).status, (await ask("PUT", "/api/sign-out")).allow], [
    405,
    "POST",
  ]);
  for (const path of ["/api/clipsx", "/api/scenes//clips", "/api/scenes/a/b/clips", "/api/clips/", "/"]) {
    assertEquals([(await ask("POST", path)).status, (await ask("POST", path)).allow], [404, null], path);
  }
});
