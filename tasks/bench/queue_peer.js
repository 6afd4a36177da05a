// deno-lint-ignore-file house/file-name -- it runs on Node, which reads no TypeScript
// graphile-worker, driven as its own performance tests do. Runs on Node; one JSON object a line in, one out.
import { createInterface } from "node:readline";
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const [connectionString] = process.argv.slice(2);
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
const query = (text) => utils.withPgClient((client) => client.query(text));

let startedAt;
let latencies = [];
let runner;
const taskList = {
  noop: () => {
    startedAt ??= performance.now();
  },
  pick_up: ({ due }) => {
    latencies.push(performance.timeOrigin + performance.now() - due);
  },
};

const requests = {
  /** Queues so many no-op jobs in one call, and says how long it took. */
  async enqueue({ count }) {
    const jobs = Array.from(
      { length: count },
      (_, n) => ({ identifier: "noop", payload: { act: "double", count: n } }),
    );
    const begun = performance.now();
    await utils.addJobs(jobs);
    return performance.now() - begun;
  },
  async empty() {
    await query("truncate graphile_worker._private_jobs");
    await query("vacuum analyze graphile_worker._private_jobs");
  },
  /** Milliseconds from the first job's start until none is left. */
  async drain({ preset }) {
    startedAt = undefined;
    const running = await start(preset);
    for (;;) {
      const { rows } = await query("select exists (select 1 from graphile_worker._private_jobs) as is_left");
      if (!rows[0].is_left) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const elapsed = performance.now() - startedAt;
    await running.stop();
    return elapsed;
  },
  async listen({ preset }) {
    runner = await start(preset);
  },
  async forget() {
    await runner?.stop();
    runner = undefined;
  },
  latencies() {
    const taken = latencies;
    latencies = [];
    return Promise.resolve(taken);
  },
};

function start({ concurrentJobs, ...worker }) {
  return run({
    preset: { worker: { connectionString, maxPoolSize: 14, concurrentJobs, logger, ...worker } },
    taskList,
    noHandleSignals: true,
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { t, ...request } = JSON.parse(line);
  const reply = await requests[t](request).then(
    (ok) => ({ ok: ok ?? null }),
    (error) => ({ failed: error.stack }),
  );
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
await runner?.stop();
await utils.release();
