import { join } from "node:path";
import { until } from "#server/testing/until.ts";
import { mountSmall } from "./comfy_process.ts";
import {
  expect,
  expectParked,
  listPrompts,
  readHistory,
  readQueue,
  type RealBench,
  slow,
  still,
  untilRuns,
} from "./real_comfy_bench.ts";

export interface RealCase {
  readonly name: string;
  /** restart: we started it. folder: we know its folders too. */
  readonly needs?: "restart" | "folder";
  /** Throws on a breach; returns what is to be told. */
  readonly run: (bench: RealBench) => Promise<string>;
}

/** Returned by a case that can't be tried here, with the reason. */
export const SKIPPED = "skipped: ";

/** The fault list of issue 4, as far as it applies to a ComfyUI without a GPU. */
export const REAL_CASES: readonly RealCase[] = [
  { name: "missing nodes and a missing model", run: missing },
  { name: "a graph that the worker refuses", run: refused },
  { name: "an input that is no picture", run: badPicture },
  { name: "more memory than there is", run: outOfMemory },
  { name: "a broken model file", needs: "folder", run: brokenModel },
  { name: "output deleted before it was fetched", needs: "folder", run: outputDeleted },
  { name: "interrupted by somebody else", run: interrupted },
  { name: "one of two users' prompts cancelled", run: cancelOne },
  { name: "a foreign prompt runs while ours is cancelled", run: foreignPrompt },
  { name: "half-open connections mid-prompt", run: halfOpen },
  { name: "every connection cut mid-prompt", run: cutLines },
  { name: "killed with one running and one waiting", needs: "restart", run: killed },
  { name: "killed while idle, then used", needs: "restart", run: killedIdle },
  { name: "worker's disk full", needs: "folder", run: diskFull },
];

async function missing({ studio, url }: RealBench): Promise<string> {
  const before = (await readHistory(url)).length;
  const graph = still();
  graph["3"] = { class_type: "NoSuchPackNode", inputs: {} };
  graph["4"] = { class_type: "NorThisOne", inputs: {} };
  graph["5"] = { class_type: "CheckpointLoaderSimple", inputs: { ckpt_name: "not_here.safetensors" } };
  graph["6"] = { class_type: "VAEDecode", inputs: { samples: ["7", 0], vae: ["5", 2] } };
  graph["7"] = { class_type: "EmptyLatentImage", inputs: { width: 64, height: 64, batch_size: 1 } };
  graph["2"]!.inputs.images = ["6", 0];
  const row = await studio.end(await studio.submit({ graph }));
  expectParked(row, "missing_requirement", "NoSuchPackNode", "NorThisOne", "not_here.safetensors", "Install");
  expect((await readHistory(url)).length === before, "something was submitted all the same");
  return "all three named before anything was sent";
}

async function refused({ studio }: RealBench): Promise<string> {
  const graph = still();
  // Only the worker itself knows whether the file is there.
  graph["1"] = { class_type: "LoadImage", inputs: { image: "nobody_sent_this.png" } };
  const row = await studio.end(await studio.submit({ graph }));
  expectParked(row, "rejected", "Invalid image file: nobody_sent_this.png", "Change the workflow");
  return "parked at once with the worker's own reason";
}

async function badPicture({ studio }: RealBench): Promise<string> {
  const file = await studio.store.put(crypto.getRandomValues(new Uint8Array(5_000)), "image/png");
  const graph = still();
  graph["1"] = { class_type: "LoadImage", inputs: { image: "" } };
  const uploads = [{ file, extension: "png", places: [{ node: "1", input: "image" }] }];
  const row = await studio.end(await studio.submit({ graph, uploads }));
  expectParked(row, "bad_input", "Cannot read an input; LoadImage (node 1) failed");
  return `after ${row.runs.length} run`;
}

async function outOfMemory({ studio }: RealBench): Promise<string> {
  const row = await studio.end(await studio.submit({ graph: still(16_384, 4_096) }));
  expectParked(row, "out_of_memory", "no worker has more of it", "Make it smaller or shorter");
  expect(row.runs.length === 2, "it was not tried exactly once more", row);
  const next = await studio.end(await studio.submit({ graph: still() }));
  expect(next.status === "done", "the worker is of no use afterwards", next);
  return "once more after /free, then parked; the next job ran";
}

async function brokenModel({ studio, base }: RealBench): Promise<string> {
  const path = join(base ?? "", "models/checkpoints/broken.safetensors");
  await Deno.writeFile(path, crypto.getRandomValues(new Uint8Array(2_000)));
  const graph = still();
  graph["3"] = { class_type: "CheckpointLoaderSimple", inputs: { ckpt_name: "broken.safetensors" } };
  graph["4"] = { class_type: "EmptyLatentImage", inputs: { width: 64, height: 64, batch_size: 1 } };
  graph["5"] = { class_type: "VAEDecode", inputs: { samples: ["4", 0], vae: ["3", 2] } };
  graph["2"]!.inputs.images = ["5", 0];
  const row = await studio.end(await studio.submit({ graph }));
  await Deno.remove(path);
  expectParked(row, "missing_requirement", "missing or broken on the worker", "Install");
  return row.error?.match(/failed: ([^:]+)/)?.[1] ?? "";
}

async function outputDeleted({ studio, gate, base }: RealBench): Promise<string> {
  const output = join(base ?? "", "output");
  let left = 1;
  gate.onRequest = async (line) => {
    if (line.includes("/view?") && left-- > 0) {
      await Deno.remove(join(output, "seedloop"), { recursive: true });
    }
  };
  const row = await studio.end(await studio.submit({ graph: still() }));
  gate.onRequest = () => {};
  expect(row.status === "done", "it did not end well", row);
  expect(row.runs.join() === "real: output_missing,real: done", "it was not run again just once", row);
  return "run again under a name of its own";
}

async function interrupted(bench: RealBench): Promise<string> {
  const { studio, url } = bench;
  const id = await studio.submit({ graph: slow(40) });
  await untilRuns(bench, id);
  await (await fetch(`${url}/interrupt`, { method: "POST" })).body?.cancel();
  const row = await studio.end(id);
  expect(row.status === "done" && row.runs.length === 2, "it was not run again", row);
  return row.runs.join(", ");
}

async function cancelOne(bench: RealBench): Promise<string> {
  const { studio, url } = bench;
  const [ada, ben] = [await studio.addUser(), await studio.addUser()];
  const notes: string[] = [];
  for (const cancelled of ["running", "waiting"] as const) {
    const first = await studio.submit({ graph: slow(40) }, ada);
    const firstPrompt = await untilRuns(bench, first);
    const second = await studio.submit({ graph: slow(20) }, ben);
    await until("the second waits on the worker", async () => (await readQueue(url)).pending.length === 1);
    const [gone, stays] = cancelled === "running" ? [first, second] : [second, first];
    await studio.cancel(gone);
    const ended = await studio.end(gone);
    expect(ended.status === "cancelled", "it was not cancelled", ended);
    const other = await studio.end(stays);
    expect(other.status === "done" && other.runs.length === 1, "the other user's prompt was touched", other);
    const known = (await readHistory(url)).find(({ promptId }) => promptId === firstPrompt);
    expect(known?.isSuccess === (cancelled === "waiting"), "the worker says otherwise of the first prompt");
    notes.push(`${cancelled} one cancelled, the other done in its first run`);
  }
  return notes.join("; ");
}

async function foreignPrompt(bench: RealBench): Promise<string> {
  const { studio, url } = bench;
  const promptId = crypto.randomUUID();
  const graph = JSON.parse(JSON.stringify(slow(40)).replaceAll("%SEEDLOOP_PREFIX%", "somebody"));
  const body = JSON.stringify({ prompt: graph, prompt_id: promptId, client_id: "somebody" });
  await (await fetch(`${url}/prompt`, { method: "POST", body })).body?.cancel();
  const id = await studio.submit({ graph: still() });
  await until("ours waits behind it", async () => (await readQueue(url)).pending.length === 1);
  await studio.cancel(id);
  const row = await studio.end(id);
  expect(row.status === "cancelled", "ours was not cancelled", row);
  await until(
    "the foreign prompt ends",
    async () => (await readHistory(url)).some((one) => one.promptId === promptId),
  );
  const foreign = (await readHistory(url)).find((one) => one.promptId === promptId);
  expect(foreign?.isSuccess === true, "the foreign prompt was interrupted");
  return "ours cancelled, the foreign one ended well";
}

async function halfOpen(bench: RealBench): Promise<string> {
  const { studio, gate } = bench;
  const id = await studio.submit({ graph: slow(40) });
  await untilRuns(bench, id);
  const frozen = gate.freeze();
  const row = await studio.end(id);
  expect(row.status === "done" && row.runs.length === 1, "it did not end in its first run", row);
  return `${frozen} connections went dead; done in its first run`;
}

async function cutLines(bench: RealBench): Promise<string> {
  const { studio, gate } = bench;
  const id = await studio.submit({ graph: slow(40) });
  await untilRuns(bench, id);
  gate.cut();
  const row = await studio.end(id);
  expect(row.status === "done" && row.runs.length === 1, "it did not end in its first run", row);
  return "done in its first run";
}

async function killed(bench: RealBench): Promise<string> {
  const { studio, comfy, url } = bench;
  const first = await studio.submit({ graph: slow(50) });
  await untilRuns(bench, first);
  const second = await studio.submit({ graph: still() });
  await until("the second waits on the worker", async () => (await readQueue(url)).pending.length === 1);
  await comfy?.kill();
  await comfy?.start();
  const rows = [await studio.end(first), await studio.end(second)];
  for (const row of rows) {
    expect(row.status === "done", "it did not end well", row);
    expect(row.runs.filter((run) => run.endsWith(": done")).length === 1, "it was done more than once", row);
  }
  const prompts = new Set(await listPrompts(studio, [first, second]));
  const ours = (await readHistory(url)).filter((one) => prompts.has(one.promptId) && one.isSuccess);
  expect(ours.length === 2, `the new process ran ${ours.length} prompts of two jobs`);
  return rows.map((row) => row.runs.join(", ").replaceAll("real: ", "")).join(" | ");
}

async function killedIdle({ studio, comfy, workerId }: RealBench): Promise<string> {
  await comfy?.kill();
  const id = await studio.submit({ graph: still() });
  await studio.untilWorker(workerId, ({ status }) => status === "offline");
  const waits = await studio.explain(id);
  await comfy?.start();
  const row = await studio.end(id);
  expect(row.status === "done" && row.failures === 0, "waiting for the worker cost an attempt", row);
  return `${row.runs.length} runs, 0 of its budget spent; it said: ${waits}`;
}

async function diskFull(bench: RealBench): Promise<string> {
  await bench.comfy?.kill();
  try {
    return await onSmallDisks(bench);
  } finally {
    await bench.comfy?.start();
  }
}

async function onSmallDisks({ studio, comfy, base = "" }: RealBench): Promise<string> {
  const output = join(base, "output");
  const input = join(base, "input");
  await using outputDisk = await mountSmall(output, 1);
  await using inputDisk = outputDisk && await mountSmall(input, 1);
  if (!inputDisk) return `${SKIPPED}mounting a small disk isn't allowed here`;
  await comfy?.start();
  try {
    for (const folder of [output, input]) await fill(join(folder, "filler"));
    const id = await studio.submit({ graph: still() });
    const waiting = await studio.until(id, ({ status, runs }) => status === "queued" && runs.length === 1);
    expect(waiting.failureClass === "worker_storage_full", "the full output disk was not seen", waiting);
    await Deno.remove(join(output, "filler"));
    await studio.db`update jobs set run_at = now() where id = ${id}`;
    const done = await studio.end(id);
    expect(done.status === "done", "it did not go on with space", done);
    const file = await studio.store.put(new Uint8Array(300_000).fill(7), "image/png");
    const graph = still();
    graph["1"] = { class_type: "LoadImage", inputs: { image: "" } };
    const uploads = [{ file, extension: "png", places: [{ node: "1", input: "image" }] }];
    const upload = await studio.submit({ graph, uploads });
    const full = await studio.until(upload, ({ runs }) => runs.length === 1);
    expect(full.failureClass === "worker_storage_full", "the full input disk was not seen", full);
    await studio.cancel(upload);
    await studio.end(upload);
    return "seen when it saves and when it is sent a file; went on with space";
  } finally {
    // What it holds open there would keep the disk.
    await comfy?.kill();
    await Deno.remove(join(input, "filler")).catch(() => {});
  }
}

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(4_096);
  try {
    for (;;) await file.write(block);
  } catch {
    // Full.
  }
}
