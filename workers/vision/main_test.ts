import { assertEquals } from "@std/assert/mod.js";
import { join } from "@std/path/join.js";
import { silentLog } from "#server/core/log.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { startThread } from "#workers/kit/host.ts";
import { Mailbox } from "#workers/kit/mailbox.ts";
import { CallReply, type CallRequest } from "#workers/kit/messages.ts";
import { person } from "./testing/pictures.ts";

Deno.test("the vision thread runs a job over the queue's port and stops", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop-vision-" });
  const store = await openLocalStore(join(folder, "store"));
  const image = await store.put(new Uint8Array(await person(6, 540, 220, 480).png().toBuffer()), "image/png");
  const settings = { store: store.root, workRoot: folder };
  const thread = startThread("vision", new URL("./main.ts", import.meta.url), { log: silentLog, settings });
  const { port1, port2 } = new MessageChannel();
  const ended = Promise.withResolvers<CallReply>();
  const mailbox = new Mailbox<CallRequest>(port1, (message) => {
    const reply = CallReply.parse(message);
    if (reply.t === "done" || reply.t === "failed") ended.resolve(reply);
  });
  try {
    await thread.ready;
    thread.post({ t: "attach", name: "queue" }, [port2]);
    const call: CallRequest = {
      t: "run",
      callId: "call",
      jobId: "job",
      attempt: 1,
      kind: "seeds.measure",
      input: { image },
    };
    mailbox.post(call);
    const reply = await ended.promise;
    assertEquals(reply.t, "done", JSON.stringify(reply));
    assertEquals(reply.t === "done" && (reply.output as { faces: unknown[] }).faces.length, 1);
  } finally {
    mailbox.close();
    await thread.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
