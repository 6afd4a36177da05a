import { assert, assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { givenProject } from "#server/testing/fixtures.ts";
import { type LiveStudio, liveStudio } from "#server/testing/live_studio.ts";
import { HOST } from "./contract.ts";
import { LiveHub } from "./hub.ts";

/** Another process of the same studio: its hub, without a socket of its own. */
async function openNeighbour(live: LiveStudio): Promise<LiveHub> {
  const { db, actors } = live.studio;
  const nodeId = newId<"node">();
  await enterNode(db, { id: nodeId, host: "b", pid: 2, version: "0" });
  return await LiveHub.open({ db, actors, log: silentLog, nodeId });
}

/** Says it until it is heard: who follows what is known to others only after a moment. */
async function sayUntil(say: () => void, isHeard: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !isHeard() && Date.now() < end;) {
    say();
    await delay(100);
  }
  assert(isHeard(), "Nothing was heard");
}

Deno.test("LiveHub sends progress and pictures to those who follow the project at another process", async () => {
  await using live = await liveStudio();
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const foreign = await givenProject(live.studio);
  const neighbour = await openNeighbour(live);
  const socket = await live.open(ada);
  await socket.subscribe([`project:${project.id}`]);
  const jobId = newId();
  const bytes = new Uint8Array(300_000).map((_, at) => at * 7);
  const heard = (t: string) => socket.messages.filter((message) => message.t === t);
  await sayUntil(() => {
    neighbour.progress({ jobId: newId(), projectId: foreign.id, ratio: 0.5, note: "" });
    neighbour.progress({ jobId, projectId: project.id, ratio: 0.25, note: "x".repeat(20_000) });
    neighbour.preview({ jobId, projectId: project.id, bytes, mediaType: "image/png" });
  }, () => heard("progress").length > 0 && socket.frames.length > 0);
  const [progress] = heard("progress") as { jobId?: string; ratio?: number }[];
  assertEquals([progress?.jobId, progress?.ratio], [jobId, 0.25]);
  assert(heard("progress").every((message) => (message as { jobId?: string }).jobId === jobId));
  const frame = socket.frames[0] ?? new Uint8Array();
  const head = new DataView(frame.buffer).getUint32(0);
  assertEquals(JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + head))), {
    jobId,
    mediaType: "image/png",
  });
  assertEquals(frame.subarray(4 + head), bytes);
  await neighbour.close();
});

Deno.test("LiveHub sends workers' vitals to those who follow the fleet at another process, and no machine's", async () => {
  await using live = await liveStudio();
  const admin = await live.studio.as("admin");
  const neighbour = await openNeighbour(live);
  const socket = await live.open(admin);
  await socket.subscribe(["fleet"]);
  const workers = Array.from({ length: 40 }, () => newId());
  const vitals = { at: "2026-01-01T00:00:00.000Z", note: "x".repeat(400), vramUsedBytes: null };
  const heard = () =>
    new Set(
      socket.messages.flatMap((message) =>
        message.t === "vitals" ? [(message as { subject?: string }).subject] : []
      ),
    );
  await sayUntil(() => {
    neighbour.vitals({ subject: HOST, vitals });
    for (const subject of workers) neighbour.vitals({ subject, vitals });
  }, () => heard().size >= workers.length);
  assertEquals([...heard()].sort(), [...workers].sort());
  const [first] = socket.messages.filter(({ t }) => t === "vitals");
  assertEquals((first as { vitals?: unknown }).vitals, vitals);
  await neighbour.close();
});

Deno.test("LiveHub asks nothing of the database for progress that nobody follows elsewhere", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const project = await givenProject(live.studio);
  const neighbour = await openNeighbour(live);
  const bytes = new Uint8Array(100);
  for (let i = 0; i < 50; i++) {
    neighbour.progress({ jobId: newId(), projectId: project.id, ratio: 0.5, note: "" });
    neighbour.preview({ jobId: newId(), projectId: project.id, bytes, mediaType: "image/png" });
  }
  await neighbour.close();
  assertEquals((await db`select 1 from job_previews`).length, 0);
});
