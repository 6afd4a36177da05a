import { assertEquals } from "@std/assert/mod.js";
import { housePath, whyNotImport } from "./boundaries.ts";
import house from "./house.ts";

/** Ids of the rules that complain about `source` at `path`. */
function complaints(path: string, source: string): string[] {
  return Deno.lint.runPlugin(house, path, source).map((found) => found.id.replace("house/", ""));
}

Deno.test("whyNotImport keeps the table of ARCHITECTURE §2", () => {
  const allowed = [
    ["server/core/page.ts", "./id.ts"],
    ["server/clips/contract.ts", "#server/core/id.ts"],
    ["server/clips/contract.ts", "#server/seeds/contract.ts"],
    ["server/clips/job_kinds.ts", "#server/assets/job_kinds.ts"],
    ["server/clips/queries.ts", "#server/db/connect.ts"],
    ["server/clips/service.ts", "./queries.ts"],
    ["server/clips/service.ts", "./planner.ts"],
    ["server/clips/service.ts", "#server/jobs/service.ts"],
    ["server/clips/routes.ts", "./service.ts"],
    ["server/clips/routes.ts", "#server/http/serve.ts"],
    ["server/http/upload.ts", "#workers/media/sniff.ts"],
    ["server/main.ts", "#workers/kit/host.ts"],
    ["client/clips/clip_page.ts", "#server/clips/contract.ts"],
    ["client/clips/clip_page.ts", "./clip_store.ts"],
    ["workers/media/jobs/proxy.ts", "#server/clips/job_kinds.ts"],
    ["workers/media/jobs/proxy.ts", "#server/files/local_store.ts"],
    ["workers/media/main.ts", "./jobs/proxy.ts"],
    ["workers/vision/jobs/faces.ts", "#workers/media/decode.ts"],
    ["workers/queue/claim.ts", "#server/jobs/queries.ts"],
    ["tasks/start.ts", "#server/main.ts"],
    ["tasks/e2e/path_test.ts", "#server/http/serve.ts"],
    ["server/core/id.ts", "zod/mini"],
  ] as const;
  for (const [from, specifier] of allowed) {
    assertEquals(whyNotImport(from, specifier), undefined, `${from} ${specifier}`);
  }
  const refused = [
    ["server/core/id.ts", "#server/db/connect.ts"],
    ["server/core/id.ts", "node:crypto"],
    ["server/clips/contract.ts", "./service.ts"],
    ["server/clips/contract.ts", "./queries.ts"],
    ["server/clips/contract.ts", "#server/db/connect.ts"],
    ["server/clips/planner.ts", "#server/db/connect.ts"],
    ["server/clips/planner.ts", "./queries.ts"],
    ["server/clips/queries.ts", "./service.ts"],
    ["server/clips/queries.ts", "#server/http/serve.ts"],
    ["server/clips/service.ts", "#server/jobs/queries.ts"],
    ["server/clips/service.ts", "#server/http/serve.ts"],
    ["server/clips/service.ts", "#workers/media/probe.ts"],
    ["server/clips/routes.ts", "./queries.ts"],
    ["server/clips/routes.ts", "#server/jobs/service.ts"],
    ["client/clips/clip_page.ts", "#server/clips/service.ts"],
    ["client/clips/clip_page.ts", "#server/http/serve.ts"],
    ["client/clips/clip_page.ts", "#workers/media/sniff.ts"],
    ["workers/media/jobs/proxy.ts", "#server/db/connect.ts"],
    ["workers/media/jobs/proxy.ts", "#server/jobs/service.ts"],
    ["workers/vision/jobs/faces.ts", "#workers/media/jobs/proxy.ts"],
    ["workers/vision/faces.ts", "#workers/queue/claim.ts"],
    ["workers/queue/claim.ts", "#server/http/serve.ts"],
    ["tasks/start.ts", "#server/http/serve.ts"],
    ["tasks/start.ts", "#server/clips/routes.ts"],
    ["server/clips/service.ts", "#server/testing/test_studio.ts"],
  ] as const;
  for (const [from, specifier] of refused) {
    assertEquals(typeof whyNotImport(from, specifier), "string", `${from} ${specifier}`);
  }
});

Deno.test("house rules complain about what the house refuses", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["boundaries", "server/core/a.ts", 'import { connect } from "#server/db/connect.ts"; connect();'],
    ["boundaries", "server/core/a.ts", 'export { connect } from "#server/db/connect.ts";'],
    ["boundaries", "workers/media/a.ts", 'const db = await import("#server/db/connect.ts"); db;'],
    ["no-parent-import", "server/clips/a.ts", 'import { a } from "../seeds/contract.ts"; a;'],
    ["zod-mini", "server/clips/a.ts", 'import { z } from "zod/mini"; z;'],
    ["zod-mini", "server/clips/a.ts", 'import * as z from "zod"; z;'],
    ["no-console", "server/clips/a.ts", 'console.log("x");'],
    ["no-env", "server/clips/a.ts", 'Deno.env.get("HOME");'],
    ["browser-safe", "server/clips/contract.ts", "Deno.cwd();"],
    ["no-unsafe-sql", "server/clips/queries.ts", 'db.unsafe("select 1");'],
    ["no-default-export", "server/clips/a.ts", "export default 1;"],
    ["no-barrel", "server/clips/a.ts", 'export * from "./b.ts";'],
    ["one-declaration", "server/clips/a.ts", "export const a = 1, b = 2;"],
    ["no-private-keyword", "server/clips/a.ts", "export class A { private b = 1; }"],
    ["no-private-keyword", "server/clips/a.ts", "export class A { private b() {} }"],
    ["no-raw-html", "client/clips/a.ts", 'element.innerHTML = "<b>";'],
    ["no-raw-html", "client/clips/a.ts", 'import { unsafeHTML } from "lit/x.js";'],
    ["no-colour-literal", "client/clips/a.ts", 'const ink = "#ff00aa"; ink;'],
    ["no-colour-literal", "client/clips/a.ts", "css`a { color: #fff; }`;"],
    ["no-colour-literal", "client/clips/a.ts", "css`a { color: white; }`;"],
    ["no-colour-literal", "client/clips/a.ts", "css`a { color: rgb(1 2 3); }`;"],
    ["no-colour-literal", "client/clips/a.ts", 'html`<p style="color:#123456">`;'],
    ["error-sentence", "server/clips/a.ts", 'throw new AppError("invalid", "bad time");'],
    ["error-sentence", "workers/media/a.ts", 'throw new GiveUp("Cannot read the file.");'],
    ["file-name", "server/clips/clipThings.ts", "1;"],
    ["file-name", "server/clips/utils.ts", "1;"],
  ];
  for (const [rule, path, source] of cases) {
    assertEquals([...new Set(complaints(path, source))].includes(rule), true, `${rule}: ${source}`);
  }
});

Deno.test("house rules are silent where the house agrees", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["server/clips/contract.ts", 'import * as z from "zod/mini"; export const A = z.string();'],
    ["server/clips/contract.ts", 'import type * as z from "zod/mini"; export type A = z.ZodMiniType;'],
    ["tasks/start.ts", 'console.log("ready"); Deno.env.get("HOME");'],
    ["server/config.ts", 'Deno.env.get("HOME");'],
    ["server/db/migrate.ts", 'db.unsafe("select 1");'],
    ["server/clips/service.ts", 'throw new AppError("conflict", "Cannot add a take: the clip is locked");'],
    [
      "client/clips/a.ts",
      'const link = "#later"; const id = "#server/x.ts"; html`<a href="#face">x</a>`; link; id;',
    ],
    ["client/clips/a.ts", "css`a { color: var(--color-text); background: transparent; }`;"],
    ["client/design/tokens.ts", 'export const ink = "#ffffff";'],
    ["server/clips/a.ts", "for (let i = 0, at = 3; i < at; i++);"],
    ["server/clips/a.ts", "export class A { private constructor() {} }"],
    ["server/clips/a.ts", 'throw new Error("late");'],
    ["server/clips/a.ts", "export class A { #b = 1; read() { return this.#b; } }"],
  ];
  for (const [path, source] of cases) assertEquals(complaints(path, source), [], source);
});

Deno.test("housePath is the path inside the repository", () => {
  const root = new URL("../../", import.meta.url).pathname;
  assertEquals(housePath(`${root}server/core/id.ts`), "server/core/id.ts");
});

Deno.test("no-size-literal wants tokens in styles, and lets queries and parts be", () => {
  const of = (style: string) => complaints("client/clips/clip_page.ts", "const a = css`" + style + "`;");
  for (
    const bad of [
      "a { width: 12px; }",
      "a { margin: 0 1.5rem; }",
      "a { transition: all .2s; }",
      "a{top:-4px}",
    ]
  ) {
    assertEquals(of(bad), ["no-size-literal"], bad);
  }
  const good = "a { width: 40%; margin: 0; max-width: 60ch; flex: 1 1 0; gap: var(--space-2); } " +
    "@container (width < 40rem) { a { color: var(--color-p3s); } } /* 2px */";
  assertEquals(of(good), []);
});

Deno.test("button-has-command wants st-action in pages, and lets steps of a dialog be", () => {
  const of = (html: string, path = "client/clips/clip_page.ts") =>
    complaints(path, "const a = html`" + html + "`;");
  assertEquals(of("<button @click=${b}>Go</button>"), ["button-has-command"]);
  assertEquals(of("<st-icon-button icon='x' @click=${b}></st-icon-button>"), ["button-has-command"]);
  assertEquals(of('<st-dialog><st-button slot="actions" @click=${b}>No</st-button></st-dialog>'), []);
  assertEquals(
    of("<st-error .error=${e}><st-button @click=${b}>Again</st-button></st-error>"),
    [],
  );
  assertEquals(of("<st-error x></st-error><st-button>Go</st-button>"), ["button-has-command"]);
  assertEquals(of("<button>x</button>", "client/ui/tabs.ts"), []);
  assertEquals(of('<st-action command="clips.generate"></st-action>'), []);
});

Deno.test("no-style-attribute refuses what the content security policy would drop", () => {
  const page = (html: string) => complaints("client/clips/lane.ts", `export const page = ${html};\n`);
  assertEquals(page('html`<div class="a" style="top: 0"></div>`'), ["no-style-attribute"]);
  assertEquals(page("html`<div title=${1 > 0} style=${styleMap({})}></div>`"), ["no-style-attribute"]);
  assertEquals(page("svg`<g\n  style=${text}></g>`"), ["no-style-attribute"]);
  assertEquals(page("html`<div .style=${`top: ${at}`}></div><p>style=</p>`"), []);
});
