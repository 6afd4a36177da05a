import { assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { startThread } from "#workers/kit/host.ts";

Deno.test("the media thread opens its tools, says which, and stops", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_media_" });
  const said = Promise.withResolvers<unknown>();
  const thread = startThread("media", new URL("./main.ts", import.meta.url), {
    log: silentLog,
    settings: { store: folder, workRoot: folder, backend: "wasm" },
    onMessage: (message) => message.t === "media_backend" && said.resolve(message),
  });
  try {
    await thread.ready;
    assertEquals((await said.promise as { backend: { kind: string } }).backend.kind, "wasm");
  } finally {
    await thread.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
