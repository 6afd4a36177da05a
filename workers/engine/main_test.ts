import { assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { startThread } from "#workers/kit/host.ts";
import type { ThreadMessage } from "#workers/kit/messages.ts";

Deno.test("the engine's thread tells where the engine listens, and leaves nothing running when it stops", async () => {
  const base = await Deno.makeTempDir();
  const told = Promise.withResolvers<string>();
  const thread = startThread("engine", new URL("./main.ts", import.meta.url), {
    log: silentLog,
    settings: { base },
    onMessage: (message: ThreadMessage) => {
      if (message.t === "engine_ready") told.resolve(message.url);
    },
  });
  try {
    await thread.ready;
    const url = await told.promise;
    const response = await fetch(`${url}/prompt`);
    assertEquals(await response.json(), { exec_info: { queue_remaining: 0 } });
    await thread.stop();
    const gone = await fetch(`${url}/prompt`).then(() => "answered", () => "gone");
    assertEquals(gone, "gone");
  } finally {
    await thread.stop();
    await Deno.remove(base, { recursive: true });
  }
});
