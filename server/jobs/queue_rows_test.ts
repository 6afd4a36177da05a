import { assertEquals } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { newId } from "#server/core/id.ts";
import { transact } from "#server/db/db.ts";
import { givenTake } from "#server/testing/clip_fixtures.ts";
import { givenMember, givenProject } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { holdJob, listQueueJobs, moveJob, pauseQueue } from "./contract.ts";
import { type JobSubmission, submitJobs } from "./service.ts";

const INPUT = { file: { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" }, fileName: "a.png" };

Deno.test("listQueueJobs() tells the order, what each job is for, by whom, and why it waits", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const artist = await studio.as("creator");
  const take = await givenTake(studio, {});
  const [row] = await studio.db<{ projectId: string; name: string }[]>`
    select c.project_id, c.name from takes t join segments s on s.id = t.segment_id join clips c on c.id = s.clip_id
     where t.id = ${take.id}`;
  await givenMember(studio, { id: row!.projectId }, artist.user!, "creator");
  const make = (more: Partial<JobSubmission> = {}) =>
    ({
      kind: inspectMedia,
      input: INPUT,
      projectId: row!.projectId,
      userId: artist.user!.id,
      id: newId(),
      ...more,
    }) as unknown as JobSubmission;
  const first = make({ subject: { takeId: take.id } });
  const second = make();
  const third = make({ needs: [first.id!] });
  await transact(studio.db, (tx) => submitJobs(tx, [first, second, third]));

  const { items, total } = await artist.call(listQueueJobs);
  const queued = items.filter(({ status }) => status === "queued");
  assertEquals([total, queued.map(({ id }) => id), queued.map(({ place }) => place)], [
    3,
    [first.id, second.id],
    [1, 2],
  ]);
  const found = queued[0]!;
  assertEquals([found.subject, found.dependents], [`${row!.name} · V1`, 1]);
  assertEquals([found.userName !== null, found.projectName !== null, found.waitsFor], [true, true, null]);
  assertEquals(
    items.find(({ id }) => id === third.id)?.waitsFor,
    'It waits for "Inspect media" to be done',
  );

  await artist.call(moveJob, {
    params: { jobId: second.id as never },
    body: { beforeJobId: first.id as never },
  });
  await admin.call(pauseQueue, { body: { lane: "cpu" } });
  const { items: moved } = await artist.call(listQueueJobs, { query: { status: "queued" } });
  assertEquals(moved.map(({ id }) => id), [second.id, first.id]);
  assertEquals(moved[0]?.wait?.code, "lane_paused");
  assertEquals(moved[0]?.waitsFor?.startsWith("The cpu lane is paused by "), true, moved[0]?.waitsFor ?? "");
  await artist.call(holdJob, { params: { jobId: second.id as never } });
  const { items: held } = await artist.call(listQueueJobs, { query: { ids: `${second.id},${third.id}` } });
  assertEquals(held.map(({ status }) => status).sort(), ["blocked", "held"]);
});

Deno.test("listQueueJobs() shows strangers nothing and who runs the queue all", async () => {
  await using studio = await testStudio();
  const project = await givenProject(studio);
  const job = {
    kind: inspectMedia,
    input: INPUT,
    projectId: project.id,
    userId: null,
  } as unknown as JobSubmission;
  const ids = await transact(studio.db, (tx) => submitJobs(tx, [job]));
  const stranger = await studio.as("creator");
  assertEquals(await stranger.call(listQueueJobs), { items: [], total: 0 });
  assertEquals(await stranger.call(listQueueJobs, { query: { ids: ids.join() } }), { items: [], total: 0 });
  assertEquals((await (await studio.as("admin")).call(listQueueJobs)).total, 1);
  assertEquals((await stranger.get("/api/queue/jobs?ids=none")).status, 400);
});
