import { assert, assertEquals } from "@std/assert/mod.js";
import * as z from "zod/mini";
import type { EventKind } from "#server/core/event.ts";
import { type AnyJobKind, Lane } from "#server/core/job_kind.ts";
import * as permissions from "#server/core/permissions.ts";
import { dumpSchema } from "#server/db/catalog.ts";
import type { Db } from "#server/db/db.ts";
import { allSettlements } from "#server/settlements.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { LocalStore } from "#server/files/local_store.ts";
import { WorkflowRole } from "#server/workflows/manifest.ts";
import { comfyHandlers } from "#workers/comfy/handlers.ts";
import { FailureClass, type Handler } from "#workers/kit/handle.ts";
import { mediaHandlers } from "#workers/media/handlers.ts";
import { visionHandlers } from "#workers/vision/handlers.ts";
import { jobKinds } from "#workers/queue/kinds.ts";

/** Enums whose table has another name than the enum. */
const TABLES: Readonly<Record<string, string>> = { RoleCode: "role" };

/** Lookups whose numbers are taken from the enum's order by SQL of their slice. */
const ORDERED = ["job_status"];

/** Lookups on which no program branches: their rows are for people, or are read as data. */
const WITHOUT_ENUM = [
  "audit_action",
  "event_kind",
  "hash_algorithm",
  "log_level",
  "media_kind",
  "setting_kind",
  "subject_kind",
  "worker_kind",
  "worker_status",
];

async function importSlices(file: string): Promise<Map<string, unknown>> {
  const exported = new Map<string, unknown>();
  for await (const slice of Deno.readDir(new URL(".", import.meta.url))) {
    const path = new URL(`./${slice.name}/${file}`, import.meta.url);
    if (!slice.isDirectory || !await Deno.stat(path).then(() => true, () => false)) continue;
    for (const [name, value] of Object.entries(await import(path.href))) {
      exported.set(`${slice.name}.${name}`, value);
    }
  }
  return exported;
}

/** Every exported enum of a contract, by its name. */
async function exportedEnums(): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const all = [
    ...await importSlices("contract.ts"),
    ...await importSlices("job_kinds.ts"),
    ...Object.entries(permissions),
    ...Object.entries({ Lane, FailureClass, WorkflowRole }),
  ];
  for (const [path, value] of all) {
    if (value instanceof z.ZodMiniEnum) found.set(path.split(".").at(-1) ?? path, value.options.map(String));
  }
  return found;
}

const snake = (name: string) => name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();

async function lookupCodes(db: Db): Promise<Map<string, string[]>> {
  const tables = await db<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
     where c.relkind = 'r' and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'retired_at')
       and exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'sort')`;
  const codes = new Map<string, string[]>();
  for (const { name } of tables) {
    const rows = await db<{ code: string }[]>`select code from ${db(name)} order by sort, id`;
    codes.set(name, rows.map((row) => row.code));
  }
  return codes;
}

Deno.test("enums of contracts are the rows of their lookups", async () => {
  await using database = await openTestDatabase();
  const lookups = await lookupCodes(database.db);
  const enums = await exportedEnums();
  assert(enums.size >= 25, `only ${enums.size} enums were found`);
  const matched = new Set<string>();
  for (const [name, options] of enums) {
    const table = TABLES[name] ?? snake(name);
    const codes = lookups.get(table) ?? [];
    assert(
      codes.length > 0,
      `The enum ${name} has no lookup ${table}: every status, role and kind is a table`,
    );
    const [left, right] = ORDERED.includes(table)
      ? [options, codes]
      : [[...options].sort(), [...codes].sort()];
    assertEquals(left, right, `${name} and the rows of ${table}`);
    matched.add(table);
  }
  const loose = [...lookups.keys()].filter((table) => !matched.has(table) && !WITHOUT_ENUM.includes(table));
  // job_kind and media_type are checked by their own tests and by the store.
  assertEquals(loose.sort(), ["job_kind", "media_type"]);
});

Deno.test("every status has a way in and ways out that lead somewhere", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const tables = [...(await lookupCodes(db)).keys()].filter((name) => name.endsWith("_status"));
  const lonely: string[] = [];
  for (const table of tables) {
    const rows = await db<{ code: string }[]>`
      select s.code from ${db(table)} s where s.sort > 1 and not exists (
        select 1 from ${db(`${table}_transition`)} t where t.to_id = s.id)`;
    lonely.push(...rows.map((row) => `${table} ${row.code}`));
  }
  assertEquals(lonely, []);
});

Deno.test("every job kind has a row, one handler on its thread and one settlement", async () => {
  await using database = await openTestDatabase();
  const declared = [...(await importSlices("job_kinds.ts")).values()].filter(isJobKind);
  const rows = await database.db<{ code: string; lane: string }[]>`
    select k.code, l.code as lane from job_kind k join lane l on l.id = k.lane_id order by k.code`;
  const facts = declared.map(({ code, lane }) => ({ code, lane })).sort((a, b) => (a.code < b.code ? -1 : 1));
  assertEquals([...rows], facts);
  const codes = facts.map((kind) => kind.code);
  assertEquals(jobKinds.map((kind) => kind.code).sort(), codes, "workers/queue/kinds.ts");
  const settled = allSettlements(new LocalStore("/nowhere")).map((one) => one.kind.code);
  assertEquals(settled.sort(), codes, "server/settlements.ts");
  const handlers: Record<string, Handler[]> = {
    comfy: comfyHandlers(),
    // Binding a handler only keeps its tools for later, so none are needed to read which kinds there are.
    media: mediaHandlers({} as Parameters<typeof mediaHandlers>[0]),
    vision: visionHandlers({} as Parameters<typeof visionHandlers>[0]),
  };
  for (const kind of declared) {
    const places = Object.entries(handlers).flatMap(([thread, list]) =>
      list.filter((handler) => handler.jobKind.code === kind.code).map(() => thread)
    );
    assertEquals(places, [kind.thread], kind.code);
  }
});

function isJobKind(value: unknown): value is AnyJobKind {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "job";
}

Deno.test("every event that contracts declare has a row, and its code is declared once", async () => {
  await using database = await openTestDatabase();
  const codes = [...(await importSlices("contract.ts")).values()].filter(isEventKind).map((event) =>
    event.code
  );
  assert(codes.length >= 10, `only ${codes.length} events were found`);
  assertEquals(codes.length, new Set(codes).size, codes.join(" "));
  const rows = (await lookupCodes(database.db)).get("event_kind") ?? [];
  assertEquals(codes.filter((code) => !rows.includes(code)), []);
});

function isEventKind(value: unknown): value is EventKind {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "event";
}

Deno.test("every action and subject that the code audits has a row", async () => {
  await using database = await openTestDatabase();
  const lookups = await lookupCodes(database.db);
  const sources = await readSources();
  const used = (pattern: RegExp) =>
    [...new Set([...sources.matchAll(pattern)].map((match) => match.groups?.code ?? ""))].sort();
  const actions = used(/\baudit\((?:[^;]{0,400}?)"(?<code>[a-z_]+\.[a-z_]+)"/g);
  assert(actions.length > 35, `only ${actions.length} actions were found`);
  assertEquals(actions.filter((code) => !lookups.get("audit_action")?.includes(code)), []);
  const subjects = used(/subject: \["(?<code>[a-z_]+)"/g);
  assertEquals(subjects.filter((code) => !lookups.get("subject_kind")?.includes(code)), []);
});

async function readSources(folder = new URL(".", import.meta.url)): Promise<string> {
  const texts: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) texts.push(await readSources(new URL(`${entry.name}/`, folder)));
    else if (/(?<!_test)\.ts$/.test(entry.name)) {
      texts.push(await Deno.readTextFile(new URL(entry.name, folder)));
    }
  }
  return texts.join("\n");
}

Deno.test("schema.sql is the schema", async () => {
  await using database = await openTestDatabase();
  const written = (await Deno.readTextFile(new URL("../sql/schema.sql", import.meta.url))).split("\n");
  const real = (await dumpSchema(database.db)).split("\n");
  const only = (here: string[], there: string[]) => here.filter((line) => !there.includes(line));
  // The lines that differ say it shorter; then all, for the order.
  assertEquals(only(written, real), only(real, written), "run `deno task schema`");
  assert(written.join("\n") === real.join("\n"), "The order differs: run `deno task schema`");
});
