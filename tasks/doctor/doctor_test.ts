import { assert, assertEquals } from "@std/assert/mod.js";
import { readConfig } from "#server/config.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { compareVersions, examine, examineRuntime, judgeDisk } from "./examine.ts";

const TASK = new URL("../doctor.ts", import.meta.url).pathname;

async function runDoctor(args: string[]): Promise<{ code: number; text: string; errors: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", TASK, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

Deno.test("doctor tells of every part, as JSON and for people, and changes nothing", async () => {
  const data = await Deno.makeTempDir();
  const { code, text, errors } = await runDoctor([
    "--json",
    "--data",
    `${data}/not_yet`,
    "--media-backend",
    "wasm",
  ]);
  assertEquals(errors, "");
  const { isFit, findings } = JSON.parse(text);
  assertEquals([code, isFit], [0, true]);
  assertEquals(
    findings.map((finding: { name: string }) => finding.name),
    ["runtime", "database", "media", "workers", "faces", "disk", "store", "browser"],
  );
  for (const { name, state, found, mend } of findings) {
    assert(found.length > 5, name);
    assertEquals(mend === undefined, state === "ok", `${name} is ${state} with the mend ${mend}`);
  }
  assertEquals(findings[2].facts.kind, "wasm");
  assertEquals([...Deno.readDirSync(data)], []);
  await Deno.remove(data, { recursive: true });
});

Deno.test("doctor refuses options that it does not know", async () => {
  const { code, errors } = await runDoctor(["--nonsense"]);
  assertEquals(code, 2);
  assert(errors.includes("there is no option --nonsense"), errors);
});

Deno.test("examine() asks the database of DATABASE_URL for its version and its workers", async () => {
  await using database = await openTestDatabase();
  await database.db`
    insert into workers (id, name, kind_id, status_id, url)
    select gen_random_uuid(), 'Worker ' || n, 2, s.id, 'http://127.0.0.1:9'
      from worker_status s, generate_series(1, 3) n where s.code = case when n < 3 then 'online' else 'offline' end`;
  const config = readConfig(["--database-url", database.url, "--media-backend", "wasm"], () => undefined);
  const found = new Map((await examine(config)).map((finding) => [finding.name, finding]));
  assertEquals([found.get("database")?.state, found.get("database")?.facts.mode], ["ok", "external"]);
  assertEquals([found.get("workers")?.state, found.get("workers")?.found], ["ok", "2 of 3 workers online"]);
});

Deno.test("examine() names a database that does not answer, without its password", async () => {
  const url = "postgres://ada:secret@127.0.0.1:1/studio";
  const config = readConfig(["--database-url", url, "--media-backend", "wasm"], () => undefined);
  const finding = (await examine(config)).find(({ name }) => name === "database");
  assertEquals(finding?.state, "missing");
  assert(finding?.found.startsWith("No PostgreSQL at 127.0.0.1:1/studio"), finding?.found);
  assert(!JSON.stringify(finding).includes("secret"));
  assert(finding?.mend);
});

Deno.test("examineRuntime() refuses a Deno that is too old", () => {
  assertEquals(examineRuntime("2.9.5").state, "missing");
  assert(examineRuntime("2.9.6").state !== "missing");
  assertEquals(examineRuntime("3.0.0").found.startsWith("Deno 3.0.0"), true);
});

Deno.test("compareVersions() compares numbers, not text", () => {
  assert(compareVersions("2.10.0", "2.9.6") > 0);
  assert(compareVersions("2.9.6+abc", "2.9.6") === 0);
  assert(compareVersions("1.99", "2.0.0") < 0);
});

Deno.test("judgeDisk() warns early and refuses late", () => {
  assertEquals([0.5, 5, 50].map((gb) => judgeDisk(gb * 1e9).state), ["missing", "degraded", "ok"]);
});
