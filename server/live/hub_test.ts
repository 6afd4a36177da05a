import { assert, assertEquals } from "@std/assert/mod.js";
import { deadline } from "#server/core/time.ts";
import type { Db, Queryable } from "#server/db/db.ts";
import { projectChanged } from "#server/projects/contract.ts";
import { givenMember, givenProject } from "#server/testing/fixtures.ts";
import { LiveSocket, liveStudio } from "#server/testing/live_studio.ts";
import { announce, type Topic } from "./announce.ts";

const say = (db: Queryable, projectId: string, topic: Topic = `project:${projectId}`) =>
  announce(db, projectChanged, topic, { projectId });

async function lastSeq(db: Db): Promise<number> {
  const [row] = await db<{ seq: number }[]>`select coalesce(max(seq), 0) as seq from events`;
  return row?.seq ?? 0;
}

/** A connection that can hold a transaction open while others go on. */
async function holdTransaction(
  db: Db,
): Promise<{ tx: Queryable; commit(): Promise<void>; rollback(): Promise<void> }> {
  const connection = await db.reserve();
  await connection`begin`;
  const end = async (how: "commit" | "rollback") => {
    await (how === "commit" ? connection`commit` : connection`rollback`);
    connection.release();
  };
  return {
    tx: connection as unknown as Queryable,
    commit: () => end("commit"),
    rollback: () => end("rollback"),
  };
}

Deno.test("LiveHub sends an event once to those who follow its topic", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const mine = await givenProject(live.studio, { member: ada.user });
  const other = await givenProject(live.studio, { member: ada.user });
  const socket = await live.open(ada);
  const answer = await socket.subscribe([`project:${mine.id}`]);
  assertEquals([answer.topics, answer.refused], [[`project:${mine.id}`], []]);
  await say(db, other.id);
  await say(db, mine.id);
  await socket.until(() => socket.seqs.length > 0);
  const [event] = socket.messages.filter((message) => message.t === "event");
  assertEquals([event?.code, event?.topic, event?.data], ["project.changed", `project:${mine.id}`, {
    projectId: mine.id,
  }]);
  assertEquals(socket.seqs, [await lastSeq(db)]);
});

Deno.test("LiveHub refuses topics that one may not hear", async () => {
  await using live = await liveStudio();
  const reviewer = await live.studio.as("reviewer");
  const foreign = await givenProject(live.studio);
  const stranger = await live.studio.as("creator");
  const socket = await live.open(reviewer);
  const topics = [
    `user:${reviewer.user?.id}`,
    "fleet",
    "studio",
    `project:${foreign.id}`,
    `user:${stranger.user?.id}`,
    "jobs",
    "project:none",
    "nothing",
  ];
  const answer = await socket.subscribe(topics);
  assertEquals(answer.topics, topics.slice(0, 3));
  assertEquals(answer.refused, topics.slice(3));
  const admin = await live.open(await live.studio.as("admin"));
  assertEquals((await admin.subscribe(["jobs", `project:${foreign.id}`])).refused, []);
});

Deno.test("LiveHub replays what was missed after a number, and only that", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const foreign = await givenProject(live.studio);
  for (let n = 0; n < 6; n++) await say(db, n % 2 ? foreign.id : project.id);
  const socket = await live.open(ada);
  const first = (await lastSeq(db)) - 5;
  await socket.until(() => true);
  await socket.subscribe([`project:${project.id}`], first);
  // What the hub has not read yet comes after the reply, as news.
  await socket.until(() => socket.seqs.length >= 2);
  assertEquals(socket.seqs, [first + 2, first + 4]);
  await say(db, project.id);
  await socket.until(() => socket.seqs.length === 3);
  assertEquals(socket.seqs, [first + 2, first + 4, first + 6]);
});

Deno.test("LiveHub loses nothing that happens while it replays", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const write = (count: number) =>
    db`insert into events (kind_id, topic, project_id, data)
       select k.id, ${`project:${project.id}`}, ${project.id}, jsonb_build_object('projectId', ${project.id}::text)
         from event_kind k, generate_series(1, ${count}) where k.code = 'project.changed'`;
  const start = await lastSeq(db);
  await write(3000);
  // Seen when the hub has read all of them.
  const watcher = await live.open(ada);
  await watcher.subscribe([`project:${project.id}`]);
  const socket = await live.open(ada);
  const busy = (async () => {
    for (let n = 0; n < 40; n++) await write(5);
  })();
  const rounds = [socket.subscribe([`project:${project.id}`], start)];
  rounds.push(socket.subscribe([`user:${ada.user?.id}`], start));
  await Promise.all([busy, ...rounds]);
  const end = await lastSeq(db);
  await socket.until(() => socket.seqs.at(-1) === end);
  assertEquals(socket.messages.filter((message) => message.t === "resync"), []);
  assertEquals(socket.seqs, Array.from({ length: 3200 }, (_, n) => start + 1 + n));
  // What a client is told to be at must not lie beyond what it was sent: it would take the rest for old.
  socket.messages.forEach((message, index) => {
    if (message.t !== "subscribed") return;
    const late = socket.messages.slice(index).find((other) =>
      other.t === "event" && (other.seq ?? 0) <= (message.seq ?? 0)
    );
    assertEquals(late, undefined, `told to be at ${message.seq}`);
  });
});

Deno.test("LiveHub keeps the order of numbers when transactions commit out of order", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const socket = await live.open(ada);
  await socket.subscribe([`project:${project.id}`]);
  const start = await lastSeq(db);

  const slow = await holdTransaction(db);
  await say(slow.tx, project.id);
  await say(db, project.id);
  const waiting = await givenProject(live.studio, { member: ada.user });
  // A round trip through the hub: it has read the later event by then, and must keep it back.
  await socket.subscribe([`project:${waiting.id}`]);
  assertEquals(socket.seqs, []);
  await slow.commit();
  await socket.until(() => socket.seqs.length === 2);
  assertEquals(socket.seqs, [start + 1, start + 2]);

  const failed = await holdTransaction(db);
  await say(failed.tx, project.id);
  await say(db, project.id);
  await failed.rollback();
  await socket.until(() => socket.seqs.length === 3);
  assertEquals(socket.seqs, [start + 1, start + 2, start + 4]);
});

Deno.test("LiveHub waits at a gap whose transaction began after the last look", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const socket = await live.open(ada);
  await socket.subscribe([`project:${project.id}`]);
  const start = await lastSeq(db);
  for (let round = 0; round < 10; round++) {
    const slow = await holdTransaction(db);
    await say(slow.tx, project.id);
    await Promise.all([1, 2, 3].map(() => say(db, project.id)));
    await slow.commit();
  }
  await socket.until(() => socket.seqs.at(-1) === start + 40);
  assertEquals(socket.seqs, Array.from({ length: 40 }, (_, n) => start + 1 + n));
});

Deno.test("LiveHub says resync when too much was missed", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const { id } = ada.user ?? { id: "" };
  const watcher = await live.open(ada);
  await watcher.subscribe([`user:${id}`]);
  await db`insert into events (kind_id, topic, data)
           select k.id, ${`user:${id}`}, '{}' from event_kind k, generate_series(1, 5600) where k.code = 'asset.added'`;
  await watcher.until(() => watcher.seqs.length === 5600);
  const late = await live.open(ada);
  const hello = late.messages.find((message) => message.t === "hello");
  assert(hello);
  await late.subscribe([`user:${id}`], 1);
  await late.until(() => late.messages.some((message) => message.t === "resync"));
});

Deno.test("LiveHub drops a client that does not read, and others are not slowed", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const reader = await live.open(ada);
  await reader.subscribe([`project:${project.id}`]);
  const { body } = await ada.post("/api/auth/socket-ticket");
  using stalled = await openStalled(live.url, body.ticket, [`project:${project.id}`]);
  assertEquals(live.hub.socketCount, 2);
  let sent = 0;
  while (live.hub.socketCount === 2 && sent < 3000) {
    await db`insert into events (kind_id, topic, project_id, data)
             select k.id, ${`project:${project.id}`}, ${project.id}, jsonb_build_object('pad', repeat('x', 20000))
               from event_kind k, generate_series(1, 10) where k.code = 'project.changed'`;
    sent += 10;
    await reader.until(() => reader.seqs.length === sent);
  }
  assertEquals(live.hub.socketCount, 1, `still there after ${sent} events`);
  assert(stalled.isConnected);
  assertEquals(reader.messages.filter((message) => message.t === "resync"), []);
});

Deno.test("LiveHub sends the last picture to a client that was behind, as soon as it reads on", async () => {
  await using live = await liveStudio();
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const { body } = await ada.post("/api/auth/socket-ticket");
  using stalled = await openStalled(live.url, body.ticket, [`project:${project.id}`]);
  const preview = (bytes: Uint8Array) =>
    live.hub.preview({ jobId: "job", projectId: project.id, bytes, mediaType: "image/png" });
  // More than all buffers between the two hold, and all for one job: the last wins.
  for (let n = 0; n < 300; n++) preview(new Uint8Array(100_000));
  const last = new Uint8Array(64).fill(7);
  preview(last);
  await deadline(stalled.readUntil(last), 90_000, () => new Error("The last picture never came"));
});

/** A peer that shakes hands, subscribes and reads nothing more until it is asked to. */
async function openStalled(
  url: string,
  ticket: string,
  topics: readonly string[],
): Promise<Disposable & { readonly isConnected: boolean; readUntil(end: Uint8Array): Promise<void> }> {
  const { hostname, port, host } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [
    `GET /api/live?ticket=${encodeURIComponent(ticket)} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${btoa("0123456789abcdef")}`,
  ];
  await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  const answer = new Uint8Array(4096);
  let text = "";
  while (!text.includes('"hello"')) {
    const read = await deadline(connection.read(answer), 60_000, () => new Error("No handshake"));
    text += new TextDecoder().decode(answer.subarray(0, read ?? 0));
  }
  const message = new TextEncoder().encode(JSON.stringify({ t: "subscribe", topics }));
  // Masked with zeros, which leaves the text as it is.
  await connection.write(new Uint8Array([0x81, 0x80 | message.length, 0, 0, 0, 0, ...message]));
  text = "";
  while (!text.includes('"subscribed"')) {
    const read = await deadline(connection.read(answer), 60_000, () => new Error("No subscription"));
    text += new TextDecoder().decode(answer.subarray(0, read ?? 0));
  }
  const readUntil = async (end: Uint8Array) => {
    const chunk = new Uint8Array(1 << 20);
    for (let tail = ""; !tail.endsWith(String(end));) {
      const read = await connection.read(chunk);
      if (read === null) throw new Error("The studio closed the socket");
      tail = `${tail},${chunk.subarray(Math.max(0, read - end.length), read)}`.slice(-1_000);
    }
  };
  return { isConnected: true, readUntil, [Symbol.dispose]: () => connection.close() };
}

Deno.test("LiveHub sends previews as one header and the picture, to those who follow the project", async () => {
  await using live = await liveStudio();
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const socket = await live.open(ada);
  const bob = await live.open(await live.studio.as("creator"));
  await socket.subscribe([`project:${project.id}`]);
  const bytes = new Uint8Array([1, 2, 3, 250]);
  live.hub.preview({ jobId: "job-1", projectId: project.id, bytes, mediaType: "image/jpeg" });
  live.hub.progress({ jobId: "job-1", projectId: project.id, ratio: 0.25, note: "3/12" });
  await socket.until(() => socket.frames.length === 1 && socket.messages.some(({ t }) => t === "progress"));
  const frame = socket.frames[0] ?? new Uint8Array();
  const length = new DataView(frame.buffer).getUint32(0);
  assertEquals(JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + length))), {
    jobId: "job-1",
    mediaType: "image/jpeg",
  });
  assertEquals(frame.subarray(4 + length), bytes);
  await bob.subscribe(["studio"]);
  assertEquals([bob.frames.length, bob.messages.filter(({ t }) => t === "progress").length], [0, 0]);
});

Deno.test("LiveHub opens no socket without a ticket, with a used one, or for another site's page", async () => {
  await using live = await liveStudio();
  const ada = await live.studio.as("creator");
  const ask = async (query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${live.url}/api/live${query}`, { headers });
    assertEquals(response.headers.get("content-type")?.split(";")[0], "application/problem+json");
    const problem = await response.json();
    assertEquals([problem.type, problem.status], [`/problems/${problem.code}`, response.status]);
    return response.status;
  };
  for (const origin of ["https://evil.test", "null", "http://127.0.0.1:1", `${live.url}.evil.test`]) {
    assertEquals(await ask("", { origin }), 403, origin);
  }
  assertEquals(await ask("", { origin: live.url }), 401);
  assertEquals(await ask("", { authorization: `Bearer ${ada.token}` }), 426);
  const { body } = await ada.post("/api/auth/socket-ticket");
  const first = await LiveSocket.open(live.url, body.ticket);
  await first.close();
  for (const ticket of [body.ticket, "", "nonsense", ada.token ?? ""]) {
    const address = `${live.url.replace("http", "ws")}/api/live?ticket=${encodeURIComponent(ticket)}`;
    const socket = new LiveSocket(new WebSocket(address));
    await socket.closed;
    assertEquals(socket.messages, [], ticket);
  }
  assertEquals(live.hub.socketCount, 0);
  // A ticket is no access token.
  const { body: unused } = await ada.post("/api/auth/socket-ticket");
  assertEquals((await live.studio.withToken(unused.ticket).get("/api/auth/me")).status, 401);
});

Deno.test("LiveHub closes who floods it, sends too much or is not understood", async () => {
  await using live = await liveStudio();
  const ada = await live.studio.as("creator");
  const polite = await live.open(ada);
  polite.send("{not json");
  polite.send({ t: "ping" });
  await polite.until(() => polite.messages.some(({ t }) => t === "pong"));
  assert(polite.messages.some(({ t }) => t === "error"));
  const flood = await live.open(ada);
  for (let n = 0; n < 150; n++) flood.send({ t: "ping" });
  // The code may be lost with what the closed side did not read any more.
  await flood.closed;
  const large = await live.open(ada);
  large.send("x".repeat(100_000));
  await large.closed;
  assert(polite.isOpen);
});

Deno.test("LiveHub holds at most eight sockets of one user", async () => {
  await using live = await liveStudio();
  const ada = await live.studio.as("creator");
  for (let n = 0; n < 8; n++) await live.open(ada);
  const { body } = await ada.post("/api/auth/socket-ticket");
  const address = `${live.url.replace("http", "ws")}/api/live?ticket=${encodeURIComponent(body.ticket)}`;
  const ninth = new LiveSocket(new WebSocket(address));
  await ninth.closed;
  assertEquals(ninth.messages, []);
  await live.open(await live.studio.as("creator"));
});

Deno.test("LiveHub stops telling a member who was taken out of the project", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const bob = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  await givenMember(live.studio, project, bob.user ?? { id: "" }, "reviewer");
  const socket = await live.open(bob);
  const witness = await live.open(ada);
  await socket.subscribe([`project:${project.id}`]);
  await witness.subscribe([`project:${project.id}`]);
  await ada.delete(`/api/projects/${project.id}/members/${bob.user?.id}`);
  await socket.until(() => socket.seqs.length === 1);
  const asked = await socket.subscribe([`project:${project.id}`]);
  assertEquals(asked.refused, [`project:${project.id}`]);
  await say(db, project.id);
  await witness.until(() => witness.seqs.length === 2);
  await socket.subscribe(["studio"]);
  assertEquals(socket.seqs.length, 1);
});
