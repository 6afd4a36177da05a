import { assert, assertEquals } from "@std/assert/mod.js";
import { givenJob, givenWorker } from "#server/testing/fixtures.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { getHealthStatus, getStorageFacts } from "./contract.ts";
import { LoopLag, renderMetrics, RequestMeter } from "./metrics.ts";
import type { Vitals } from "./service.ts";

const STARTED = "2030-01-01T00:00:00.000Z";
const thread = (name: string, status: "running" | "waiting" = "running", restarts = 0) => ({
  name,
  status,
  restarts,
  since: STARTED,
});

function vitalsOf(given: Partial<Vitals> = {}): Vitals {
  return {
    version: "1.2.3",
    startedAt: STARTED,
    isDatabaseEmbedded: true,
    dataFolder: ".",
    threads: () => [thread("queue"), thread("media")],
    engineUrl: () => "http://127.0.0.1:1",
    mediaBackend: () => ({ kind: "wasm", version: "6.0" }),
    socketCount: () => 3,
    ...given,
  };
}

/** Asks as a scraper on this machine does. */
async function ask(
  studio: TestStudio,
  path: string,
  hostname = "127.0.0.1",
  headers = {},
): Promise<Response> {
  const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname, port: 1 };
  return await studio.app.fetch(new Request(`http://studio.test${path}`, { headers }), { remoteAddr });
}

Deno.test("/healthz says that the process lives", async () => {
  await using studio = await testStudio({ vitals: vitalsOf() });
  const { status, body } = await studio.anonymous.get("/healthz");
  assertEquals([status, body], [200, { status: "alive" }]);
});

Deno.test("/readyz is ready with everything, and else names what is missing", async () => {
  let threads = [thread("queue"), thread("media")];
  let engine: string | undefined = "http://127.0.0.1:1";
  const vitals = vitalsOf({ threads: () => threads, engineUrl: () => engine });
  await using studio = await testStudio({ vitals });
  const ready = await studio.anonymous.get("/readyz");
  assertEquals([ready.status, ready.body.missing], [200, []]);
  threads = [thread("queue"), { ...thread("media", "waiting", 2) }];
  engine = undefined;
  const notReady = await studio.anonymous.get("/readyz");
  assertEquals([notReady.status, notReady.body.missing], [503, [
    "The media thread is waiting",
    "The CPU engine does not answer yet",
  ]]);
  assert(notReady.headers.get("retry-after"));
  threads = [];
  assertEquals((await studio.anonymous.get("/readyz")).body.missing[0], "The threads have not been started");
});

Deno.test("/readyz and /healthz answer without the database", async () => {
  await using studio = await testStudio({ vitals: vitalsOf() });
  await studio.db.end();
  assertEquals((await studio.anonymous.get("/healthz")).status, 200);
  const { status, body } = await studio.anonymous.get("/readyz");
  assertEquals([status, body.missing], [503, ["The database does not answer"]]);
  assertEquals((await ask(studio, "/metrics")).status, 200);
});

Deno.test("/metrics tells requests, jobs, threads, sockets, lag, connections and disk", async () => {
  const vitals = vitalsOf({ threads: () => [thread("queue"), thread("media", "waiting", 4)] });
  await using studio = await testStudio({ vitals });
  await givenJob(studio);
  await givenJob(studio, { status: "held" });
  await studio.anonymous.get("/api/auth/me");
  await studio.anonymous.get("/api/auth/me");
  const response = await ask(studio, "/metrics");
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  for (
    const line of [
      'seedloop_http_requests_total{method="GET",status="401"} 2',
      "# TYPE seedloop_http_request_seconds histogram",
      "seedloop_http_request_seconds_count 2",
      'seedloop_jobs{lane="cpu",status="queued"} 1',
      'seedloop_jobs{lane="cpu",status="held"} 1',
      'seedloop_jobs{lane="gpu",status="running"} 0',
      'seedloop_thread_restarts_total{thread="media"} 4',
      'seedloop_thread_running{thread="media"} 0',
      "seedloop_live_sockets 3",
      'seedloop_info{version="1.2.3"} 1',
    ]
  ) assert(text.split("\n").includes(line), `${line} is not in\n${text}`);
  for (const name of ["event_loop_lag_seconds", "disk_free_bytes", "memory_bytes"]) {
    assert(new RegExp(`^seedloop_${name} [0-9.e+]+$`, "m").test(text), name);
  }
  assert(/^seedloop_database_connections\{application="seedloop",state="active"\} \d+$/m.test(text), text);
});

Deno.test("/metrics is for this machine and for tokens that may see workers", async () => {
  await using studio = await testStudio({ vitals: vitalsOf() });
  const { user } = await studio.as("reviewer");
  if (!user) throw new Error("Nobody is signed in");
  assertEquals((await ask(studio, "/metrics", "192.168.1.7")).status, 401);
  assertEquals((await ask(studio, "/metrics", "::1")).status, 200);
  const { token } = await studio.asToken(user, ["read"]);
  const headers = { authorization: `Bearer ${token}` };
  assertEquals((await ask(studio, "/metrics", "192.168.1.7", headers)).status, 200);
});

Deno.test("getHealthStatus tells how everything is", async () => {
  await using studio = await testStudio({ vitals: vitalsOf() });
  await givenWorker(studio);
  await givenWorker(studio, { status: "offline" });
  const reply = await (await studio.as("reviewer")).call(getHealthStatus);
  assertEquals([reply.version, reply.isReady, reply.sockets], ["1.2.3", true, 3]);
  assertEquals(reply.workers, { online: 1, total: 2 });
  assertEquals(reply.media, "ffmpeg 6.0, wasm");
  assert(/^PostgreSQL 1\d\.\d+, embedded$/.test(reply.database ?? ""), reply.database ?? "null");
  assert(reply.disk && reply.disk.freeBytes > 0 && reply.disk.freeBytes <= reply.disk.totalBytes);
  assertEquals(reply.threads[0], { ...thread("queue"), lastError: null });
});

Deno.test("renderMetrics() escapes what labels hold", () => {
  const text = renderMetrics([{
    name: "x",
    type: "gauge",
    help: "a\nb",
    samples: [{ value: 1, labels: { path: 'C:\\a"b\nc' } }],
  }]);
  assertEquals(text, '# HELP x a\\nb\n# TYPE x gauge\nx{path="C:\\\\a\\"b\\nc"} 1\n');
});

Deno.test("RequestMeter keeps cumulative buckets and no endless labels", () => {
  const meter = new RequestMeter();
  for (const seconds of [0.001, 0.01, 0.3, 60]) meter.count("GET", 200, seconds);
  for (let n = 0; n < 50; n++) meter.count(`BREW${n}`, 405, 0.001);
  const [requests, histogram] = meter.metrics();
  assertEquals(requests?.samples.map(({ value, labels }) => [labels?.method, value]), [["GET", 4], [
    "OTHER",
    50,
  ]]);
  const values = histogram?.samples.map(({ value }) => value) ?? [];
  assertEquals(values.slice(0, 7), [51, 52, 52, 53, 53, 53, 54]);
});

Deno.test("LoopLag sees that the loop was blocked", () => {
  using lag = new LoopLag();
  const end = performance.now() + 400;
  while (performance.now() < end);
  assert(lag.take() >= 0.15);
});

Deno.test("getStorageFacts tells the folder, the disk and whether it can be written to", async () => {
  const folder = await Deno.makeTempDir();
  await using studio = await testStudio({ vitals: vitalsOf({ dataFolder: folder }) });
  const admin = await studio.as("admin");
  const facts = await admin.call(getStorageFacts);
  assertEquals([facts.folder, facts.isWritable, facts.problem, facts.files.count], [folder, true, null, 0]);
  await Deno.remove(folder);
  const gone = await admin.call(getStorageFacts);
  assertEquals(gone.isWritable, false);
  assert(gone.problem?.startsWith("Nothing can be written to the data folder"));
});
