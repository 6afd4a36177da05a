// The vision thread: faces, likeness, sharpness, motion, colour.
import * as z from "zod/mini";
import { storeAt } from "#server/files/open_store.ts";
import { StorePlace } from "#server/files/store_place.ts";
import { serveThread } from "#workers/kit/thread.ts";
import { openVisionPool } from "./child_pool.ts";
import { describeVision } from "./describe.ts";
import { visionHandlers } from "./handlers.ts";

/** What the composition root tells the thread. `ffmpeg` is a path that an admin named. */
const Settings = z.object({
  store: StorePlace,
  workRoot: z.string(),
  ffmpeg: z.optional(z.string()),
  backend: z.optional(z.enum(["native", "wasm", "auto"])),
  maxChildren: z.optional(z.int().check(z.positive())),
});

serveThread(async ({ settings, log }) => {
  const { store, workRoot, ...options } = Settings.parse(settings);
  const { status, model, hash, mend } = await describeVision();
  if (status === "ready") log.info("face model found", { model, hash });
  else log.warn("face model missing: likeness is not measured", { mend });
  const pool = openVisionPool(options);
  return {
    handlers: visionHandlers(pool),
    store: storeAt(store),
    workRoot,
    stop: () => pool.close(),
  };
});
