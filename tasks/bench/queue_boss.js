// deno-lint-ignore-file house/file-name -- it runs on Node, which reads no TypeScript
// pg-boss as its documentation sets it up for many short jobs: batches, woken by NOTIFY. One JSON object a line in, one out.
import { createInterface } from "node:readline";

const [connectionString, module] = process.argv.slice(2);
const { PgBoss } = await import(module);
const QUEUE = "noop";
const PICK_UP = "pick_up";
const boss = new PgBoss({ connectionString, max: 14, useListenNotify: true });
boss.on("error", () => {});
boss.on("warning", () => {});
await boss.start();
for (const queue of [QUEUE, PICK_UP]) await boss.createQueue(queue, { notify: true });
const preciseNow = () => performance.timeOrigin + performance.now();
let latencies = [];
let listener;

const requests = {
  /** Queues so many no-op jobs in one call, and says how long it took. */
  async enqueue({ count }) {
    const jobs = Array.from({ length: count }, (_, n) => ({ data: { act: "double", count: n } }));
    const begun = performance.now();
    await boss.insert(QUEUE, jobs);
    return performance.now() - begun;
  },
  async empty() {
    for (const queue of [QUEUE, PICK_UP]) await boss.deleteAllJobs(queue);
  },
  /** Sends so many jobs, one each `everyMs`, that say when they were due. */
  async send({ count, everyMs }) {
    const begun = preciseNow() + everyMs;
    const sent = [];
    for (let n = 0; n < count; n++) {
      const due = begun + n * everyMs;
      const waitMs = due - preciseNow();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      sent.push(boss.send(PICK_UP, { act: "double", count: n, due }));
    }
    await Promise.all(sent);
  },
  async listen({ batchSize }) {
    const options = { batchSize, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
    listener = await boss.work(PICK_UP, options, (jobs) => {
      for (const { data } of jobs) latencies.push(preciseNow() - data.due);
      return Promise.resolve();
    });
  },
  /** How late each was that came, once so many have. */
  async latencies({ count }) {
    while (latencies.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    await boss.offWork(PICK_UP, { id: listener });
    const taken = latencies;
    latencies = [];
    return taken;
  },
  /** Milliseconds from the first job's start until so many are done. */
  async drain({ count, batchSize }) {
    let startedAt;
    let done = 0;
    const over = Promise.withResolvers ? Promise.withResolvers() : deferred();
    const options = { batchSize, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
    const id = await boss.work(QUEUE, options, (jobs) => {
      startedAt ??= performance.now();
      done += jobs.length;
      if (done >= count) over.resolve();
      return Promise.resolve();
    });
    await over.promise;
    const elapsed = performance.now() - startedAt;
    await boss.offWork(QUEUE, { id });
    return elapsed;
  },
};

function deferred() {
  let resolve;
  const promise = new Promise((done) => resolve = done);
  return { promise, resolve };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { t, ...request } = JSON.parse(line);
  const reply = await requests[t](request).then(
    (ok) => ({ ok: ok ?? null }),
    (error) => ({ failed: error.stack }),
  );
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
await boss.stop({ graceful: false });
