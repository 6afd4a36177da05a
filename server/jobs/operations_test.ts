import { assertEquals } from "@std/assert/mod.js";
import { inspectMedia } from "#server/assets/job_kinds.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { type Db, transact } from "#server/db/db.ts";
import { generate } from "#server/fleet/job_kinds.ts";
import { givenTake } from "#server/testing/clip_fixtures.ts";
import {
  givenAsset,
  givenMember,
  givenProject,
  givenWorker,
  givenWorkflowVersion,
} from "#server/testing/fixtures.ts";
import { type TestClient, type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { claimJobs, finishAndClaim } from "./claim.ts";
import * as contract from "./contract.ts";
import { cancelWaiting, mapSettlements } from "./finish.ts";
import { enterNode } from "./lease.ts";
import { type JobSubmission, submitJobs } from "./service.ts";

interface Desk {
  readonly studio: TestStudio;
  readonly db: Db;
  readonly artist: TestClient;
  readonly projectId: string;
  readonly versionId: string;
  /** A picture of the project. */
  readonly file: { hash: string; sizeBytes: number; mediaType: string };
}

async function openDesk(studio: TestStudio): Promise<Desk> {
  const { db } = studio;
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const version = await givenWorkflowVersion(studio);
  const asset = await givenAsset(studio, { projectId: project.id });
  const [file] = await db<Desk["file"][]>`
    select f.hash, f.size_bytes::integer as size_bytes, t.code as media_type
      from assets a join files f on f.hash = a.file_hash join media_type t on t.id = f.media_type_id where a.id = ${asset.id}`;
  return { studio, db, artist, projectId: project.id, versionId: version.id, file: file! };
}

function shot({ versionId, file }: Desk, more: Record<string, unknown> = {}) {
  return {
    kind: "comfy.generate",
    workflowVersionId: versionId,
    values: { prompt: "a calm walk", seed: 1, frames: 25, rate: { num: 24, den: 1 }, width: 64, height: 64 },
    files: { image: file },
    ...more,
  };
}

async function submit(desk: Desk, jobs: unknown[], client = desk.artist) {
  return await client.post(`/api/projects/${desk.projectId}/jobs`, { jobs });
}

async function audited(db: Db, action: string): Promise<number> {
  const [row] = await db<{ count: number }[]>`
    select count(*)::integer as count from audit_entries e join audit_action a on a.id = e.action_id where a.code = ${action}`;
  return row?.count ?? 0;
}

async function givenNode(db: Db): Promise<string> {
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "a", pid: 1, version: "0" });
  return nodeId;
}

Deno.test("submitBatch queues a graph of jobs at once, and the same keys again give the same jobs", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const jobs = [
    {
      kind: "media.inspect",
      input: { file: desk.file },
      key: "look",
      needs: ["second"],
      idempotencyKey: "k3",
    },
    shot(desk, { key: "first", idempotencyKey: "k1", priority: -2 }),
    shot(desk, { key: "second", needs: ["first"], idempotencyKey: "k2", isHeld: true }),
  ];
  const made = await submit(desk, jobs);
  assertEquals(made.status, 201, JSON.stringify(made.body));
  const items = made.body.items as contract.Job[];
  assertEquals(items.map(({ status, priority }) => [status, priority]), [["blocked", 0], ["queued", -2], [
    "held",
    0,
  ]]);
  const detail = await desk.artist.call(contract.getJob, { params: { jobId: items[0]!.id } });
  assertEquals(detail.needs.map(({ jobId }) => jobId), [items[2]!.id]);
  assertEquals([detail.wait?.code, detail.waitsFor], ["needs_jobs", 'It waits for "Generate" to be done']);
  const again = await submit(desk, jobs);
  assertEquals(again.body.items.map(({ id }: contract.Job) => id), items.map(({ id }) => id));
  const both = await Promise.all([
    submit(desk, [shot(desk, { idempotencyKey: "x", key: "a" }), shot(desk, { needs: ["a"] })]),
    submit(desk, [shot(desk, { idempotencyKey: "x", key: "a" }), shot(desk, { needs: ["a"] })]),
  ]);
  assertEquals(both.map(({ status }) => status), [201, 201]);
  assertEquals(new Set(both.map(({ body }) => body.items[0].id)).size, 1);
  assertEquals(await audited(desk.db, "job.submit"), 3);
  const [row] = await desk.db<
    { work: number }[]
  >`select round(work::numeric, 4)::float8 as work from jobs where id = ${items[1]!.id}`;
  assertEquals(row?.work, 0.1024);
});

Deno.test("steerJobs does what each job allows, tells what one refuses, and is the error where all refuse", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const stranger = await studio.as("creator");
  const made = (await submit(desk, [shot(desk), shot(desk), shot(desk, { isHeld: true })])).body.items;
  const ids = (made as contract.Job[]).map(({ id }) => id);
  const steer = (body: unknown, client = desk.artist) => client.post("/api/jobs/steer", body);
  const nobodys = newId<"job">();

  const held = await steer({ jobIds: [...ids, ids[0], nobodys], verb: "hold" });
  assertEquals(held.status, 200, JSON.stringify(held.body));
  assertEquals(held.body.items.map(({ status }: contract.Job) => status), ["held", "held"]);
  assertEquals(held.body.refused.map(({ jobId }: { jobId: string }) => jobId), [ids[2], nobodys]);
  assertEquals(await audited(desk.db, "job.hold"), 2);
  assertEquals((await steer({ jobIds: ids, verb: "hold" })).status, 409);
  assertEquals((await steer({ jobIds: ids, verb: "release" }, stranger)).status, 404);
  assertEquals((await steer({ jobIds: ids, priority: 1 })).status, 403);
  assertEquals((await steer({ jobIds: ids, priority: -3 })).body.items.length, 3);
  assertEquals((await steer({ jobIds: ids, verb: "cancel" })).body.refused, []);
  for (
    const body of [
      { jobIds: [], verb: "hold" },
      { jobIds: ids },
      { jobIds: ids, verb: "explode" },
      { jobIds: Array.from({ length: 501 }, () => ids[0]), verb: "hold" },
    ]
  ) assertEquals((await steer(body)).status, 400, JSON.stringify(body).slice(0, 80));
});

Deno.test("submitBatch refuses all when one is wrong, and names each by its place", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const foreign = await givenAsset(studio, {});
  const [{ fileHash } = { fileHash: "" }] = await desk.db<
    { fileHash: string }[]
  >`select file_hash from assets where id = ${foreign.id}`;
  const answer = await submit(desk, [
    shot(desk, { key: "a", needs: ["b"] }),
    shot(desk, { key: "b", needs: ["a"] }),
    { kind: "clips.stitch", input: {} },
    { kind: "nonsense" },
    shot(desk, { values: { prompt: 7, frames: -1 } }),
    { kind: "media.inspect", input: { file: { ...desk.file, hash: fileHash } } },
    shot(desk, { priority: 1 }),
    {
      kind: "comfy.generate",
      input: { graph: { 1: { class_type: "Evil", inputs: {} } }, uploads: [], outputNodes: ["1"] },
    },
    shot(desk, { needs: [newId(), "nobody"] }),
    shot(desk, { pinnedWorkerId: newId() }),
    shot(desk, { files: { image: desk.file, other: desk.file } }),
  ]);
  assertEquals(answer.status, 400);
  const named = answer.body.fields.map(({ field }: { field: string }) => field.replace("/body/jobs/", ""));
  for (
    const field of [
      "0/needs",
      "1/needs",
      "2/kind",
      "3/kind",
      "4/values/prompt",
      "4/values/frames",
      "5/input/file",
      "6/priority",
      "7/workflowVersionId",
      "8/needs/0",
      "8/needs/1",
      "9/pinnedWorkerId",
      "10/files/other",
    ]
  ) assertEquals(named.includes(field), true, `${field} in ${named}`);
  const [row] = await desk.db<{ count: number }[]>`select count(*)::integer as count from jobs`;
  assertEquals(row?.count, 0);
  assertEquals((await submit(desk, [])).status, 400);
  assertEquals(
    (await submit(desk, Array.from({ length: 1001 }, () => ({ kind: "media.inspect" })))).status,
    400,
  );
  const reviewer = await studio.as("reviewer");
  await givenMember(studio, { id: desk.projectId }, reviewer.user!, "reviewer");
  assertEquals((await submit(desk, [shot(desk)], reviewer)).status, 403);
  assertEquals((await submit(desk, [shot(desk)], await studio.as("creator"))).status, 404);
});

Deno.test("changeJob edits a waiting job by its workflow's rules, and refuses one that runs", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const { db, artist } = desk;
  const worker = await givenWorker(studio);
  const [{ id } = { id: "" }] = (await submit(desk, [shot(desk)])).body.items as { id: string }[];
  const change = (body: unknown, client = artist) => client.patch(`/api/jobs/${id}`, body);
  const runAt = "2040-01-01T00:00:00.000Z";
  const changed = await change({ values: { seed: 9 }, pinnedWorkerId: worker.id, runAt, priority: -1 });
  assertEquals(changed.status, 200, JSON.stringify(changed.body));
  assertEquals([changed.body.pinnedWorkerId, changed.body.priority], [worker.id, -1]);
  const detail = await artist.call(contract.getJob, { params: { jobId: id as never } });
  const { values, uploads } = detail.input as { values: Record<string, unknown>; uploads: unknown[] };
  assertEquals([values.seed, uploads.length, detail.wait?.code], [9, 1, "scheduled"]);
  const [entry] = await db<{ facts: { before: unknown } }[]>`
    select e.facts from audit_entries e join audit_action a on a.id = e.action_id where a.code = 'job.change'`;
  assertEquals((entry?.facts.before as { values: unknown }).values, { seed: 1 });
  const wrong = await change({ values: { seed: "nine", nothing: 1 } });
  assertEquals(wrong.body.fields.map(({ field }: { field: string }) => field).sort(), [
    "/body/values/nothing",
    "/body/values/seed",
  ]);
  for (const body of [{}, { runAt: "soon" }, { pinnedWorkerId: newId() }, { priority: 99 }, { input: {} }]) {
    assertEquals((await change(body)).status, 400, JSON.stringify(body));
  }
  assertEquals((await change({ priority: 5 })).status, 403);
  assertEquals((await change({ priority: -2 }, await studio.as("creator"))).status, 404);
  await change({ pinnedWorkerId: null, runAt: "2020-01-01T00:00:00.000Z" });
  const nodeId = await givenNode(db);
  assertEquals((await claimJobs(db, { nodeId, lane: "gpu", kinds: ["comfy.generate"], limit: 1 })).length, 1);
  const late = await change({ values: { seed: 2 } });
  assertEquals([late.status, late.body.detail.includes("runs already")], [409, true]);
});

Deno.test("changeJob leaves to a take what is the take's, and to the studio what it made", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const { db, artist } = desk;
  const take = await givenTake(studio, {});
  const shared = { projectId: desk.projectId, userId: artist.user!.id };
  const [bound] = (await submit(desk, [shot(desk)])).body.items as { id: string }[];
  const { input } = await artist.call(contract.getJob, { params: { jobId: bound!.id as never } });
  const [ofTake = "", look = ""] = await transact(db, (tx) =>
    submitJobs(tx, [
      { ...shared, kind: generate, input, subject: { takeId: take.id }, workflowVersionId: desk.versionId },
      { ...shared, kind: inspectMedia, input: { file: desk.file } },
    ] as unknown as JobSubmission[]));
  const seed = await artist.patch(`/api/jobs/${ofTake}`, { values: { seed: 3 } });
  assertEquals([seed.status, seed.body.fields[0].field], [400, "/body/values/seed"]);
  assertEquals((await artist.patch(`/api/jobs/${look}`, { values: { prompt: "x" } })).status, 400);
  assertEquals((await artist.patch(`/api/jobs/${look}`, { pinnedWorkerId: newId() })).status, 400);
});

Deno.test("duplicateJobs copies jobs with their graph, and says why what belongs to a take is not copied", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const { artist } = desk;
  const made = (await submit(desk, [shot(desk, { key: "a" }), shot(desk, { needs: ["a"] })])).body.items as {
    id: string;
  }[];
  const jobIds = made.map(({ id }) => id);
  const copies = await artist.call(contract.duplicateJobs, {
    body: { jobIds: jobIds as never[], copies: 3 },
  });
  assertEquals(copies.items.length, 6);
  const last = await artist.call(contract.getJob, { params: { jobId: copies.items[5]!.id } });
  assertEquals([last.status, last.needs.map(({ jobId }) => jobId)], ["blocked", [copies.items[4]!.id]]);
  assertEquals(await audited(desk.db, "job.duplicate"), 2);
  const take = await givenTake(studio, {});
  const [ofTake = ""] = await transact(desk.db, (tx) =>
    submitJobs(tx, [{
      kind: inspectMedia,
      input: { file: desk.file },
      projectId: desk.projectId,
      userId: artist.user!.id,
      subject: { takeId: take.id },
    } as unknown as JobSubmission]));
  const refused = await artist.post("/api/jobs/duplicate", { jobIds: [jobIds[0], ofTake] });
  assertEquals([refused.status, refused.body.fields[0].field], [409, "/body/jobIds/1"]);
  assertEquals(refused.body.detail.includes("make another take"), true);
  assertEquals((await (await studio.as("creator")).post("/api/jobs/duplicate", { jobIds })).status, 404);
  for (const body of [{ jobIds: [] }, { jobIds, copies: 0 }, { jobIds, copies: 51 }, { jobIds: ["x"] }]) {
    assertEquals((await artist.post("/api/jobs/duplicate", body)).status, 400);
  }
});

Deno.test("a pause after a job lets others start until that job has ended, and nothing in the moment of its end", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const admin = await studio.as("admin");
  const one = {
    kind: inspectMedia,
    input: { file: { hash: "0".repeat(64), sizeBytes: 1, mediaType: "image/png" } },
    projectId: null,
    userId: admin.user!.id,
  };
  const ids = await transact(
    db,
    (tx) => submitJobs(tx, Array.from({ length: 5 }, () => one as unknown as JobSubmission)),
  );
  const request = { nodeId: await givenNode(db), lane: "cpu", kinds: ["media.inspect"], limit: 1 } as const;
  const claim = async () => (await claimJobs(db, request))[0];
  const [first, second] = [await claim(), await claim()];
  const state = await admin.call(contract.pauseQueue, {
    body: { lane: "cpu", afterJobId: second!.id as never },
  });
  assertEquals(state.paused.map(({ afterJobId, isInForce }) => [afterJobId, isInForce]), [[
    second!.id,
    false,
  ]]);
  assertEquals(state.lanes.find(({ lane }) => lane === "cpu")?.isPaused, false);
  const { claimed: [third] } = await finishAndClaim(db, [{ job: first!, output: {} }], request);
  assertEquals(third?.id, ids[2]);
  const last = await finishAndClaim(db, [{ job: second!, output: {} }], { ...request, ending: [second!.id] });
  assertEquals([last.ended, last.claimed], [[second!.id], []]);
  assertEquals(await claim(), undefined);
  assertEquals(
    (await admin.call(contract.getQueue)).lanes.find(({ lane }) => lane === "cpu")?.isPaused,
    true,
  );
  assertEquals((await admin.get(`/api/jobs/${ids[3]}`)).body.wait.code, "lane_paused");
  assertEquals((await admin.post("/api/queue/pause", { lane: "cpu", afterJobId: second!.id })).status, 409);
  assertEquals((await admin.post("/api/queue/pause", { lane: "gpu", afterJobId: ids[3] })).status, 400);
  await admin.call(contract.resumeQueue, { body: { lane: "cpu" } });
  await admin.call(contract.pauseQueue, { body: { lane: "cpu", afterJobId: ids[4] as never } });
  await admin.call(contract.pauseQueue, { body: { lane: "cpu" } });
  assertEquals(await claim(), undefined);
  assertEquals(
    (await (await studio.as("creator")).post("/api/queue/pause", { lane: "cpu", afterJobId: ids[4] })).status,
    403,
  );
});

Deno.test("importQueue takes in what exportQueue gave: new ids, the same graph of jobs, wrong ones by their place", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  const { artist, db } = desk;
  const worker = await givenWorker(studio);
  const take = await givenTake(studio, {});
  const before = (await submit(desk, [
    shot(desk, { key: "a", pinnedWorkerId: worker.id, priority: -3 }),
    shot(desk, { key: "b", needs: ["a"], isHeld: true }),
  ])).body.items as { id: string }[];
  const [ofTake = ""] = await transact(db, (tx) =>
    submitJobs(tx, [{
      kind: inspectMedia,
      input: { file: desk.file },
      projectId: desk.projectId,
      userId: artist.user!.id,
      subject: { takeId: take.id },
    } as unknown as JobSubmission]));
  const document = await artist.call(contract.exportQueue);
  assertEquals(document.jobs.map(({ key }) => key).sort(), [...before.map(({ id }) => id), ofTake].sort());
  // The take's job still waits: a second one for it is refused, and with it the whole document.
  const whole = await artist.post("/api/queue/import", { document });
  assertEquals([whole.status, whole.body.fields.length], [400, 1]);
  const dry = await artist.call(contract.importQueue, { body: { document, dryRun: true } });
  assertEquals([dry.made.length, dry.made[0]?.jobId, dry.refused.length], [2, null, 1]);
  const part = await artist.call(contract.importQueue, { body: { document, skipRefused: true } });
  const ids = part.made.map(({ jobId }) => String(jobId));
  assertEquals(ids.some((id) => before.some((job) => job.id === id)), false);
  const jobs = await Promise.all(
    ids.map((jobId) => artist.call(contract.getJob, { params: { jobId: jobId as never } })),
  );
  const held = jobs.find(({ status }) => status === "held");
  const first = jobs.find(({ status }) => status === "queued");
  assertEquals([held?.needs[0]?.jobId, first?.pinnedWorkerId, first?.priority], [first?.id, worker.id, -3]);
  const inputs = await Promise.all(
    [before[0]!.id, first!.id].map(async (jobId) =>
      (await artist.call(contract.getJob, { params: { jobId: jobId as never } })).input
    ),
  );
  assertEquals(inputs[0], inputs[1]);
  // Once its own has been cancelled, the take's step comes back as a new job.
  await artist.post(`/api/jobs/${ofTake}/cancel`, {});
  await cancelWaiting(db, mapSettlements([]), ofTake, silentLog);
  const rest = { ...document, jobs: document.jobs.filter(({ key }) => key === ofTake) };
  const back = await artist.call(contract.importQueue, { body: { document: rest } });
  assertEquals([back.made.length, back.refused], [1, []]);
  assertEquals([await audited(db, "queue.import"), await audited(db, "queue.export")], [2, 1]);
});

Deno.test("importQueue refuses foreign projects, other formats, and jobs that need a refused one", async () => {
  await using studio = await testStudio();
  const desk = await openDesk(studio);
  await submit(desk, [shot(desk, { key: "a" }), shot(desk, { key: "b", needs: ["a"] })]);
  const document = await desk.artist.call(contract.exportQueue);
  const other = await givenProject(studio);
  const [first, second] = document.jobs;
  const foreign = { ...document, jobs: [{ ...first, projectId: other.id }, second] };
  const report = await desk.artist.call(contract.importQueue, {
    body: { document: foreign as never, dryRun: true },
  });
  assertEquals(report.refused.map(({ index }) => index), [0, 1]);
  assertEquals(report.refused[0]?.reason.startsWith("projectId: "), true);
  assertEquals(report.refused[1]?.reason.includes("job at 0"), true);
  const stranger = await studio.as("creator");
  const none = await stranger.post("/api/queue/import", { document });
  assertEquals([none.status, none.body.fields.length], [400, 2]);
  assertEquals((await stranger.call(contract.exportQueue)).jobs, []);
  for (
    const wrong of [
      {},
      { ...document, format: "x" },
      { ...document, version: 2 },
      { ...document, jobs: [{ kind: 1 }] },
      null,
      "queue",
    ]
  ) assertEquals((await desk.artist.post("/api/queue/import", { document: wrong })).status, 400);
  const none2 = await desk.artist.call(contract.importQueue, {
    body: { document: { ...document, jobs: [] } },
  });
  assertEquals(none2, { made: [], refused: [] });
});
