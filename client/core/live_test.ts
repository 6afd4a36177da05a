import { assertEquals } from "@std/assert/mod.js";
import { deadline } from "#server/core/time.ts";
import { announce } from "#server/live/announce.ts";
import { workerChanged } from "#server/fleet/contract.ts";
import { type LiveStudio, liveStudio } from "#server/testing/live_studio.ts";
import { until as eventually } from "#server/testing/until.ts";
import type { TestClient } from "#server/testing/test_studio.ts";
import { ApiError } from "./call.ts";
import { Live, type LiveListener, type LiveState } from "./live.ts";

const WORKER_ID = "0197a2c4-0000-7000-8000-000000000001";

interface Heard {
  readonly live: Live;
  readonly lines: string[];
  readonly sockets: WebSocket[];
  /** What the connection was, in turn. */
  readonly turns: LiveState[];
  /** Waits until `count` lines were heard. */
  until(count: number): Promise<void>;
}

/** The client's socket on a real hub, and everything that it tells its listener. */
function hear({ url, hub: _ }: LiveStudio, client: TestClient, topics: readonly string[]): Heard {
  const lines: string[] = [];
  const sockets: WebSocket[] = [];
  const turns: LiveState[] = [];
  let look = () => {};
  const add = (line: string) => {
    lines.push(line);
    look();
  };
  const listener: LiveListener = {
    topics,
    event: ({ code, seq }) => add(`${code} ${seq}`),
    resync: () => add("resync"),
    changed: (state) => turns.push(state),
    progress: ({ jobId, ratio, note }) => add(`${jobId} ${ratio} ${note}`),
    preview: async (jobId, picture) => add(`${jobId} ${picture.type} ${await picture.text()}`),
  };
  const live = new Live({
    retryMs: 5,
    ticket: async () => {
      const { status, body } = await client.post("/api/auth/socket-ticket");
      if (status !== 201 && status !== 200) throw new ApiError(status, body.code, body.detail);
      return body.ticket;
    },
    open: (ticket) => {
      const socket = new WebSocket(
        `${url.replace("http", "ws")}/api/live?ticket=${encodeURIComponent(ticket)}`,
      );
      sockets.push(socket);
      return socket;
    },
    rightsChanged: () => add("rights changed"),
  });
  live.listen(listener);
  const until = async (count: number) => {
    const heard = new Promise<void>((resolve) => {
      look = () => lines.length >= count && resolve();
      look();
    });
    await deadline(heard, 60_000, () => new Error(`Only this was heard: ${JSON.stringify(lines)}`));
  };
  return { live, lines, sockets, turns, until };
}

Deno.test("Live tells to read the state at the start, then each event, progress and picture", async () => {
  await using world = await liveStudio();
  const { db } = world.studio;
  const { live, lines, until } = hear(world, await world.studio.as("admin"), ["fleet", "jobs"]);
  live.start();
  await until(1);
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await until(2);
  world.hub.progress({ jobId: "job-1", projectId: null, ratio: 0.5, note: "half" });
  await until(3);
  const bytes = new TextEncoder().encode("picture");
  world.hub.preview({ jobId: "job-1", projectId: null, bytes, mediaType: "image/jpeg" });
  await until(4);
  assertEquals(lines.map((line) => line.replace(/\d+$/, "N")), [
    "resync",
    "worker.changed N",
    "job-1 0.5 half",
    "job-1 image/jpeg picture",
  ]);
  assertEquals(live.state, "live");
  live.stop();
  assertEquals(live.state, "off");
});

Deno.test("Live comes back after a loss and is told what it missed, once", async () => {
  await using world = await liveStudio();
  const { db } = world.studio;
  const { live, lines, sockets, turns, until } = hear(world, await world.studio.as("admin"), ["fleet"]);
  live.start();
  await until(1);
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await until(2);
  sockets[0]?.close();
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await until(3);
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await until(4);
  const seqs = lines.slice(1).map((line) => Number(line.split(" ")[1]));
  assertEquals(seqs, [...new Set(seqs)].sort((one, other) => one - other));
  assertEquals([lines[0], lines.length, sockets.length], ["resync", 4, 2]);
  assertEquals(turns, ["live", "lost", "live"]);
  live.stop();
});

Deno.test("Live reads the state and hears new events when the studio was set back to an earlier number", async () => {
  await using world = await liveStudio();
  const { db } = world.studio;
  const { live, lines, until } = hear(world, await world.studio.as("admin"), ["fleet"]);
  live.start();
  await until(1);
  for (let count = 2; count <= 4; count++) {
    await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
    await until(count);
  }
  // As after a power cut, or from a backup: the last events and their numbers are gone, and the connection was lost.
  const [first] = lines.slice(1, 2).map((line) => Number(line.split(" ")[1]));
  await db`delete from events where seq > ${first ?? 0}`;
  await db`select setval(pg_get_serial_sequence('events', 'seq')::regclass, ${first ?? 0})`;
  await db`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query ilike 'listen "seedloop_events"%'`;
  await until(5);
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await until(6);
  assertEquals(lines.slice(4), ["resync", `worker.changed ${(first ?? 0) + 1}`]);
  live.stop();
});

Deno.test("Live hears a topic that is added later, and no longer one that is left", async () => {
  await using world = await liveStudio();
  const { db } = world.studio;
  const { live, lines, until } = hear(world, await world.studio.as("admin"), ["jobs"]);
  live.start();
  await until(1);
  const later: string[] = [];
  const heardLater = Promise.withResolvers<void>();
  const leave = live.listen({
    topics: ["fleet"],
    event: ({ topic }) => {
      later.push(topic);
      heardLater.resolve();
    },
  });
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await deadline(heardLater.promise, 60_000, () => new Error("Nothing was heard of the later topic"));
  leave();
  await announce(db, workerChanged, "fleet", { workerId: WORKER_ID });
  await announce(db, workerChanged, "jobs", { workerId: WORKER_ID });
  await until(2);
  assertEquals([later, lines.length], [["fleet"], 2]);
  live.stop();
});

Deno.test("Live stops for good when the session has ended, and goes on where there is a new one", async () => {
  await using world = await liveStudio();
  const client = await world.studio.as("admin");
  const { live, lines, turns, until } = hear(world, client, ["fleet"]);
  live.start();
  await until(1);
  await client.post("/api/auth/sign-out-everywhere");
  await eventually("the end", () => live.state === "off");
  assertEquals([lines, turns], [["resync"], ["live", "lost"]]);

  const later = await world.studio.as("admin");
  let holder = later;
  const renewed = hear(world, { post: (path: string) => holder.post(path) } as TestClient, ["fleet"]);
  renewed.live.start();
  await renewed.until(1);
  holder = await world.studio.as("admin");
  await later.post("/api/auth/sign-out-everywhere");
  await eventually("another socket", () => renewed.turns.length === 3);
  assertEquals(renewed.turns, ["live", "lost", "live"]);
  renewed.live.stop();
});
