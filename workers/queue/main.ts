// The queue's thread: the only one that knows the database.
import * as z from "zod/mini";
import { connect } from "#server/db/db.ts";
import { storeAt } from "#server/files/open_store.ts";
import { StorePlace } from "#server/files/store_place.ts";
import { serveThread } from "#workers/kit/thread.ts";
import { Dispatch } from "./dispatch.ts";
import { FleetKeeper } from "./fleet.ts";
import { jobKinds } from "./kinds.ts";
import { isAlive } from "./process.ts";
import { JobQueue } from "./queue.ts";
import { allSettlements } from "#server/settlements.ts";

/** What the composition root tells the thread. */
const Settings = z.object({
  databaseUrl: z.string(),
  /** The content-addressed store: some settlements write documents. */
  store: StorePlace,
  /** This process, the same at each restart of the thread: what its former self held is taken back at once. */
  node: z.object({
    id: z.string(),
    /** The machine's name. */
    host: z.string(),
    /** Where the pid means something; the machine by default. */
    pidSpace: z.optional(z.string()),
    pid: z.int(),
    version: z.string(),
  }),
  slots: z.object({ cpu: z.int(), io: z.int(), script: z.int() }),
});

serveThread(async ({ settings, log, post }) => {
  const { databaseUrl, store, node, slots } = Settings.parse(settings);
  const db = connect({ url: databaseUrl, max: 6, applicationName: "seedloop queue", isPlannedOnce: true });
  const dispatch = new Dispatch(log);
  const fleet = new FleetKeeper({
    db,
    log,
    nodeId: node.id,
    host: node.host,
    tell: (about, data) => dispatch.send("comfy", { t: "tell", about, data }),
    onReady: () => queue.wake(),
    takeBack: (workerId, why) => queue.takeBack(workerId, why),
  });
  const queue: JobQueue = new JobQueue({
    db,
    node: { ...node, host: node.pidSpace ?? node.host },
    log,
    kinds: jobKinds,
    settlements: allSettlements(storeAt(store)),
    slots,
    dispatch,
    isAlive,
    post,
    onTell: (_thread, about, data) => fleet.hear(about, data),
    keepFleet: () => fleet.keep(),
  });
  await queue.start();
  return {
    onAttach: (name, port) => {
      dispatch.attach(name, port);
      if (name === "comfy") fleet.restate();
    },
    onDetach: (name, reason) => dispatch.detach(name, reason),
    onTell: (about, data) => fleet.hear(about, data),
    stop: async () => {
      await queue.stop();
      fleet.stop();
      await db.end({ timeout: 1 });
    },
  };
});
