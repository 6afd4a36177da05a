import { assert, assertEquals } from "@std/assert/mod.js";
import { type GivenEngine, givenEngine } from "#workers/engine/testing/given_engine.ts";
import { picture } from "#workers/engine/testing/graphs.ts";
import { givenSlowNode, slow } from "#workers/engine/testing/slow_node.ts";

async function remaining(engine: GivenEngine): Promise<number> {
  const { json } = await engine.get("/api/prompt");
  return (json as { exec_info: { queue_remaining: number } }).exec_info.queue_remaining;
}

Deno.test("prompts run by number; front goes before all, the newest first; deleted ones leave no trace", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  const send = (label: string, extra = {}) => engine.submit(slow(label), { client_id: client.id, ...extra });
  const a = await send("a");
  assertEquals(await node.started(), "a");
  await send("b");
  const c = await send("c");
  await send("front1", { front: true });
  await send("front2", { front: true });
  await send("half", { number: 0.5 });
  await send("first", { number: -1000 });
  const d = await send("d");
  assertEquals(await remaining(engine), 8);
  const { json } = await engine.get("/queue");
  const { queue_running, queue_pending } = json as Record<
    string,
    [number, string, unknown, unknown, string[]][]
  >;
  assertEquals(queue_running?.map(([number, id, , , outputs]) => [number, id, outputs]), [[0, a, ["1"]]]);
  assertEquals(queue_pending?.map(([number]) => number), [-1000, -4, -3, 0.5, 1, 2, 5]);

  // Deleting what runs, or nobody, changes nothing.
  assertEquals((await engine.post("/queue", { delete: [c, a, "nobody"] })).text, "");
  const order = [];
  for (let i = 0; i < 6; i++) {
    node.release();
    order.push(await node.started());
  }
  assertEquals(order, ["first", "front2", "front1", "half", "b", "d"]);
  node.release();
  await client.untilDone(d);
  assertEquals((await engine.get(`/history/${c}`)).json, {});
});

Deno.test("clear drops what waits and leaves what runs", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  const running = await engine.submit(slow("a"), { client_id: client.id });
  await node.started();
  await engine.submit(slow("b"));
  await engine.post("/queue", { clear: true });
  assertEquals(await remaining(engine), 1);
  node.release();
  await client.untilDone(running);
  assertEquals((await engine.history(running)).status.status_str, "success");
});

Deno.test("an interrupt ends the running node, names it, and is forgotten by the next prompt", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  // While nothing runs it is harmless.
  await engine.post("/interrupt", {});
  const id = await engine.submit(slow("a"), { client_id: client.id });
  await node.started();
  await engine.post("/interrupt", { prompt_id: crypto.randomUUID() });
  assertEquals(await remaining(engine), 1);
  await fetch(`${engine.url}/interrupt`, { method: "POST" });
  const messages = await client.untilDone(id);
  const interrupted = messages.find(({ type }) => type === "execution_interrupted");
  assertEquals([interrupted?.data.node_id, interrupted?.data.executed], ["1", []]);
  const { status } = await engine.history(id);
  assertEquals([status.status_str, status.messages.at(-1)?.[0]], ["error", "execution_interrupted"]);
  const next = await engine.submit(picture(3), { client_id: client.id });
  await client.untilDone(next);
  assertEquals((await engine.history(next)).status.status_str, "success");
});

Deno.test("a node that can't be interrupted finishes: the next one is named, and a retry goes on after it", async () => {
  const node = givenSlowNode({ interruptible: false });
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  const graph = { ...slow("a"), 2: { class_type: "PreviewAny", inputs: { source: ["1", 0] } } };
  const id = await engine.submit(graph, { client_id: client.id });
  await node.started();
  await engine.post("/interrupt", { prompt_id: id });
  node.release();
  const interrupted = (await client.untilDone(id)).find(({ type }) => type === "execution_interrupted");
  assertEquals([interrupted?.data.node_id, interrupted?.data.executed], ["2", ["1"]]);
  const again = await engine.submit(graph, { client_id: client.id });
  const messages = await client.untilDone(again);
  assertEquals(messages.find(({ type }) => type === "execution_cached")?.data.nodes, ["1"]);
  assertEquals((await engine.history(again)).outputs["2"], { text: ["a"] });
});

Deno.test("the history shows the last, a page, one, and forgets", async () => {
  await using engine = await givenEngine();
  const client = await engine.connect();
  const ids: string[] = [];
  for (const colour of [1, 2, 3]) {
    ids.push(await engine.submit(picture(colour), { client_id: client.id }));
    await client.untilDone(ids.at(-1) ?? "");
  }
  const keys = async (query: string) => Object.keys((await engine.get(`/history${query}`)).json as object);
  assertEquals(await keys(""), ids);
  assertEquals(await keys("?max_items=2"), ids.slice(1));
  assertEquals(await keys("?max_items=2&offset=0"), ids.slice(0, 2));
  assertEquals(await keys("?max_items=0"), []);
  assertEquals(await keys(`/${crypto.randomUUID()}`), []);
  assertEquals((await engine.get("/history?max_items=x")).status, 500);
  await engine.post("/history", { delete: [ids[0]] });
  assertEquals(await keys(""), ids.slice(1));
  await engine.post("/history", { clear: true });
  assertEquals(await keys(""), []);
});

Deno.test("jobs show every prompt's state and cancel it in any", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  const done = await engine.submit(picture(9), { client_id: client.id });
  await client.untilDone(done);
  const running = await engine.submit(slow("a"), { client_id: client.id });
  await node.started();
  const waiting = await engine.submit(slow("b"));
  const job = async (id: string) => (await engine.get(`/api/jobs/${id}`)).json as Record<string, unknown>;
  assertEquals((await job(done))["status"], "completed");
  assertEquals((await job(done))["outputs_count"], 1);
  assertEquals((await job(running))["status"], "in_progress");
  assertEquals((await job(waiting))["status"], "pending");
  assertEquals((await engine.get(`/api/jobs/${crypto.randomUUID()}`)).status, 404);
  assertEquals((await engine.get(`/jobs/${done}`)).status, 404);
  const { json } = await engine.get("/api/jobs?status=pending,in_progress&sort_order=asc&limit=1");
  const list = json as { jobs: { id: string }[]; pagination: unknown };
  assertEquals(list.jobs.map(({ id }) => id), [running]);
  assertEquals(list.pagination, { offset: 0, limit: 1, total: 2, has_more: true });
  assertEquals((await engine.get("/api/jobs?status=odd")).status, 400);
  assertEquals((await engine.post(`/api/jobs/${waiting}/cancel`, {})).json, { cancelled: true });
  assertEquals((await engine.post("/api/jobs/cancel", { job_ids: [running] })).json, { cancelled: true });
  await client.untilDone(running);
  assertEquals((await job(running))["status"], "cancelled");
  assertEquals((await engine.post("/api/jobs/cancel", { job_ids: ["x"] })).status, 400);
  assert((await job(running))["execution_end_time"] !== undefined);
});
