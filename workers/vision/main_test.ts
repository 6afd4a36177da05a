import { assertEquals } from "@std/assert/mod.js";
import { join } from "@std/path/join.js";
import { silentLog } from "#server/core/log.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { startThread } from "#workers/kit/host.ts";
import { CallReply, type CallRequest } from "#workers/kit/messages.ts";
import { person } from "./testing/pictures.ts";

Deno.test("the vision thread runs a job over the queue's port and stops", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop-vision-" });
  const store = await openLocalStore(join(folder, "store"));
  const image = await store.put(new Uint8Array(await person(6, 540, 220, 480).png().toBuffer()), "image/png");
  const settings = { store: store.root, workRoot: folder };
  const thread = startThread("vision", new URL("./main.ts", import.meta.url), { log: silentLog, settings });
  const { port1: port, port2 } = new MessageChannel();
  try {
    await thread.ready;
    const ended = Promise.withResolvers<CallReply>();
    port.onmessage = ({ data }) => {
      const reply = CallReply.parse(data);
      if (reply.t === "done" || reply.t === "failed") ended.resolve(reply);
    };
    thread.post({ t: "attach", name: "queue" }, [port2]);
    const call: CallRequest = {
      t: "run",
      callId: "call",
      jobId: "job",
      attempt: 1,
      kind: "seeds.measure",
      input: { image },
    };
    port.postMessage(call);
    const reply = await ended.promise;
    assertEquals(reply.t, "done", JSON.stringify(reply));
    assertEquals(reply.t === "done" && (reply.output as { faces: unknown[] }).faces.length, 1);
  } finally {
    port.close();
    await thread.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
