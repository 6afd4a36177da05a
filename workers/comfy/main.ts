// The comfy thread: drives every ComfyUI server and the CPU engine.
import * as z from "zod/mini";
import { storeAt } from "#server/files/open_store.ts";
import { StorePlace } from "#server/files/store_place.ts";
import { serveThread } from "#workers/kit/thread.ts";
import { watchGpus } from "./gpu_monitor.ts";
import { comfyHandlers } from "./handlers.ts";
import { HostReader } from "./host_vitals.ts";
import { TIMINGS } from "./timings.ts";
import { FleetWatch } from "./watch_fleet.ts";
import { WorkerLinks } from "./worker_link.ts";

/** What the composition root tells the thread. */
const Settings = z.object({ store: StorePlace, workRoot: z.string() });

serveThread(({ settings, log, tell, post }) => {
  const { store, workRoot } = Settings.parse(settings);
  const links = new WorkerLinks(TIMINGS, log);
  const gpus = watchGpus(log);
  const fleet = new FleetWatch({
    links,
    log,
    tell,
    onVitals: (subject, vitals) => post({ t: "vitals", subject, vitals }),
    gpus,
  });
  const host = new HostReader(typeof store === "string" ? store : store.cacheFolder);
  const measuring = setInterval(() => {
    host.read().then((vitals) => post({ t: "vitals", subject: "host", vitals })).catch((error) =>
      log.warn("host was not measured", { error })
    );
  }, 1_000);
  return {
    handlers: comfyHandlers(links),
    store: storeAt(store),
    workRoot,
    onTell: (about, data) => {
      fleet.hear(about, data).catch((error) =>
        log.error("fleet message was not understood", { about, error })
      );
    },
    stop: async () => {
      clearInterval(measuring);
      await Promise.all([fleet.close(), gpus.close()]);
      await links.close();
    },
  };
});
