import { assert, assertEquals } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { type Db, transact } from "#server/db/db.ts";
import { givenProject } from "#server/testing/fixtures.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { jobChanged } from "./contract.ts";
import { submitJobs } from "./service.ts";

const INPUT = {
  file: { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" },
  fileName: "a.png",
};

async function submit(db: Db, projectIds: readonly (string | null)[]): Promise<string[]> {
  return await transact(
    db,
    (tx) =>
      submitJobs(
        tx,
        projectIds.map((projectId) => ({ kind: inspectMedia, input: INPUT, projectId, userId: null })),
      ),
  );
}

/** What was told of jobs since the last call. */
async function takeTold(db: Db) {
  const rows = await db<{ topic: string; projectId: string | null; data: unknown }[]>`
    with taken as (delete from events returning *)
    select topic, project_id, data from taken where kind_id = (select id from event_kind where code = 'job.changed')`;
  return rows.map(({ topic, projectId, data }) => ({ topic, projectId, ...jobChanged.data.parse(data) }));
}

Deno.test("jobs that one statement changes are told together, by project, a hundred in an event", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  const { id: projectId } = await givenProject({ db });
  const ids = await submit(db, Array.from({ length: 250 }, (_, n) => n % 5 === 0 ? projectId : null));
  for (const status of ["queued", "cancelled"] as const) {
    if (status === "cancelled") await db`update jobs set status_id = 7, finished_at = now()`;
    const told = await takeTold(db);
    assertEquals(
      told.flatMap(({ jobs }) => jobs.map(({ jobId }) => String(jobId))).toSorted(),
      ids.toSorted(),
    );
    assert(told.length < 10, `${told.length} events`);
    for (const event of told) {
      assert(event.jobs.length <= 100);
      assertEquals(event.topic, event.projectId === null ? "jobs" : `project:${projectId}`);
      for (const job of event.jobs) assertEquals([job.status, job.projectId], [status, event.projectId]);
    }
  }
});

Deno.test("a statement that changes nothing of a job tells nothing", async () => {
  await using database = await openTestDatabase();
  const { db } = database;
  await submit(db, [null]);
  await takeTold(db);
  await db`update jobs set status_id = status_id`;
  assertEquals(await takeTold(db), []);
});
