// The media thread: ffmpeg and pictures.
import * as z from "zod/mini";
import { storeAt } from "#server/files/open_store.ts";
import { StorePlace } from "#server/files/store_place.ts";
import { serveThread } from "#workers/kit/thread.ts";
import { mediaHandlers } from "./handlers.ts";
import { openMediaTools } from "./run.ts";

/** What the composition root tells the thread. `ffmpeg` is a path that an admin named. */
const Settings = z.object({
  store: StorePlace,
  workRoot: z.string(),
  ffmpeg: z.optional(z.string()),
  backend: z.optional(z.enum(["native", "wasm", "auto"])),
});

serveThread(async ({ settings, log, post }) => {
  const { store, workRoot, ffmpeg, backend } = Settings.parse(settings);
  const tools = await openMediaTools({ ffmpeg, backend });
  log.info("media tools opened", { ...tools.backend });
  post({ t: "media_backend", backend: tools.backend });
  return {
    handlers: mediaHandlers(tools),
    store: storeAt(store),
    workRoot,
    stop: () => tools.close(),
  };
});
