import { openLocalStore } from "./local_store.ts";

/** Run by local_store_test.ts: puts a file and kills its own process at the named point. */
const [root, path, how, point] = Deno.args;
if (import.meta.main && root && path) {
  const store = await openLocalStore(root, {
    failPoint: (reached) => {
      if (reached === point) Deno.kill(Deno.pid, "SIGKILL");
    },
  });
  await store.put({ path, take: how === "take" }, "image/png");
}
