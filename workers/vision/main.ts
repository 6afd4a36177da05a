// The vision thread: faces, likeness, sharpness, motion, colour.
import * as z from "zod/mini";
import { LocalStore } from "#server/files/local_store.ts";
import { serveThread } from "#workers/kit/thread.ts";
import { openVisionPool } from "./child_pool.ts";
import { describeVision } from "./describe.ts";
import { visionHandlers } from "./handlers.ts";

/** What the composition root tells the thread. `ffmpeg` is a path that an admin named. */
const Settings = z.object({
  storeRoot: z.string(),
  workRoot: z.string(),
  ffmpeg: z.optional(z.string()),
  backend: z.optional(z.enum(["native", "wasm", "auto"])),
  maxChildren: z.optional(z.int().check(z.positive())),
});

serveThread(async ({ settings, log }) => {
  const { storeRoot, workRoot, ...options } = Settings.parse(settings);
  const { status, model, hash, mend } = await describeVision();
  if (status === "ready") log.info("face model found", { model, hash });
  else log.warn("face model missing: likeness is not measured", { mend });
  const pool = openVisionPool(options);
  return {
    handlers: visionHandlers(pool),
    store: new LocalStore(storeRoot),
    workRoot,
    stop: () => pool.close(),
  };
});
