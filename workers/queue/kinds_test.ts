import { assertEquals } from "@std/assert/mod.js";
import { AttemptOutcome, JobStatus } from "#server/jobs/contract.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { FailureClass } from "#workers/kit/handle.ts";
import { jobKinds } from "./kinds.ts";

Deno.test("jobKinds and the codes that the queue branches on equal the lookups", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const kinds = await db<{ code: string; lane: string }[]>`
    select k.code, l.code as lane from job_kind k join lane l on l.id = k.lane_id order by k.code`;
  const declared = jobKinds.map(({ code, lane }) => ({ code, lane: lane as string }));
  assertEquals([...kinds], declared.toSorted((a, b) => a.code < b.code ? -1 : 1));
  const codes = async (table: string) =>
    (await db<{ code: string }[]>`select code from ${db(table)} order by id`).map((row) => row.code);
  assertEquals(await codes("job_status"), [...JobStatus.options]);
  assertEquals(await codes("attempt_outcome"), [...AttemptOutcome.options]);
  assertEquals(await codes("failure_class"), [...FailureClass.options]);
});
