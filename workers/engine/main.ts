// The engine's thread: it only keeps the process in which the engine runs, and tells where that listens.
import * as z from "zod/mini";
import { serveThread } from "#workers/kit/thread.ts";
import { superviseEngine } from "./supervise.ts";

/** What the composition root tells the thread. */
const Settings = z.object({ base: z.string(), ffmpeg: z.optional(z.string()) });

serveThread(({ settings, log, post }) => {
  const { base, ffmpeg } = Settings.parse(settings);
  const supervisor = superviseEngine({
    base,
    ffmpeg,
    log,
    ready: (url) => post({ t: "engine_ready", url }),
    lost: (reason) => post({ t: "engine_lost", reason }),
  });
  return { stop: () => supervisor.stop() };
});
