import { assert, assertEquals } from "@std/assert/mod.js";
import { type GivenClient, givenEngine } from "#workers/engine/testing/given_engine.ts";
import { picture } from "#workers/engine/testing/graphs.ts";
import { givenSlowNode, slow } from "#workers/engine/testing/slow_node.ts";

const uint32 = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);

Deno.test("a second socket of a client takes over, and closing the first leaves it alone", async () => {
  await using engine = await givenEngine();
  const first = await engine.connect("same");
  const second = await engine.connect("same");
  await first.close();
  const id = await engine.submit(picture(1), { client_id: "same" });
  const messages = await second.untilDone(id);
  assert(messages.some(({ type }) => type === "execution_success"));
  assertEquals(first.take(), []);
});

Deno.test("events of a prompt reach its own client; all see the queue", async () => {
  await using engine = await givenEngine();
  const owner = await engine.connect();
  const other = await engine.connect();
  await owner.untilDone(await engine.submit(picture(1), { client_id: owner.id }));
  await engine.get("/prompt");
  assertEquals(other.take().map(({ type }) => type), ["status", "status", "status"]);
});

Deno.test("a prompt without a client shows progress to all and its steps to none", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  const id = await engine.submit(slow("a"));
  await node.started();
  node.release();
  const done = (data: { status?: { exec_info: { queue_remaining: number } } }) =>
    data.status?.exec_info.queue_remaining === 0;
  const types = (await client.until(({ type, data }) => type === "status" && done(data))).map(({ type }) =>
    type
  );
  assertEquals(new Set(types), new Set(["status", "progress_state", "progress"]));
  assertEquals((await engine.history(id)).status.status_str, "success");
});

Deno.test("a client that comes back is told the node that runs now, without a prompt id", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const first = await engine.connect("back");
  const id = await engine.submit(slow("a"), { client_id: "back" });
  await node.started();
  await first.close();
  const second = await engine.connect("back");
  const [message] = await second.until(({ type }) => type === "executing");
  assertEquals(message?.data, { node: "1" });
  node.release();
  await second.untilDone(id);
});

async function flags(client: GivenClient, ...texts: string[]): Promise<void> {
  for (const text of texts) client.socket.send(text);
  await client.until(({ type }) => type === "feature_flags");
}

const ASK = JSON.stringify({ type: "feature_flags", data: { supports_preview_metadata: true } });

Deno.test("previews carry their node for clients that asked for it in their first valid message", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  await flags(client, "this is no JSON", ASK);
  const id = await engine.submit(slow("a"), { client_id: client.id });
  await node.started();
  node.release();
  const types = (await client.untilDone(id)).map(({ type }) => type);
  assertEquals(types.filter((type) => type === "progress").length, 2);
  const [frame] = client.binary;
  if (!frame) throw new Error("There was no preview");
  assertEquals(uint32(frame, 0), 4);
  const length = uint32(frame, 4);
  const metadata = JSON.parse(new TextDecoder().decode(frame.subarray(8, 8 + length)));
  assertEquals([metadata.node_id, metadata.prompt_id, metadata.image_type], ["1", id, "image/jpeg"]);
  assertEquals([...frame.subarray(8 + length, 10 + length)], [0xff, 0xd8]);
});

Deno.test("previews are plain for clients that did not ask, or asked too late", async () => {
  const node = givenSlowNode();
  await using engine = await givenEngine([node.spec]);
  const client = await engine.connect();
  client.socket.send(JSON.stringify({ type: "hello" }));
  client.socket.send(ASK);
  const id = await engine.submit(slow("a"), { client_id: client.id });
  await node.started();
  node.release();
  const types = (await client.untilDone(id)).map(({ type }) => type);
  assert(!types.includes("feature_flags"));
  const [frame] = client.binary;
  if (!frame) throw new Error("There was no preview");
  assertEquals([uint32(frame, 0), uint32(frame, 4), frame[8], frame[9]], [1, 1, 0xff, 0xd8]);
});

Deno.test("a page of another site may neither post nor open a socket", async () => {
  await using engine = await givenEngine();
  const status = async (origin: string, path = "/prompt") => {
    const response = await fetch(engine.url + path, { headers: { origin } });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status("http://evil.example"), 403);
  assertEquals(await status("http://evil.example", "/ws"), 403);
  assertEquals(await status("null"), 403);
  assertEquals(await status(engine.url.replace(/\d+$/, "1")), 403);
  assertEquals(await status(engine.url), 200);
});
