import * as z from "zod/mini";
import { WorkerOrderKind, WorkerOrderOutcome, WorkerRules } from "#server/fleet/contract.ts";

/** A command of this machine, as the process is to get it. */
export const Command = z.object({
  args: z.array(z.string()),
  folder: z.nullable(z.string()),
  /** "NAME=value". */
  environment: z.array(z.string()),
});
export type Command = z.infer<typeof Command>;

/** Queue → comfy, "watch": all workers that this process is to look after; those not named are let go. */
export const Watch = z.object({
  workers: z.array(z.object({
    id: z.string(),
    url: z.string(),
    rules: WorkerRules,
    /** How the studio starts it here, and whether it is to run now. */
    start: z.nullable(z.object({ ...Command.shape, isWanted: z.boolean() })),
    /** How it is started anew here when the studio did not start it. */
    restart: z.nullable(Command),
  })),
});
export type Watch = z.infer<typeof Watch>;
export type WatchedWorker = Watch["workers"][number];

/**
 * well: it may take jobs. resting: a guard keeps new ones away. suspect: something is being done, or offered.
 * unhealthy: nothing helped.
 */
export const Health = z.enum(["well", "resting", "suspect", "unhealthy"]);
export type Health = z.infer<typeof Health>;

/** Comfy → queue, "seen": how a worker is, at each change and every few seconds. */
export const Seen = z.object({
  workerId: z.string(),
  isReachable: z.boolean(),
  health: Health,
  software: z.nullable(z.string()),
  version: z.nullable(z.string()),
  /** ComfyUI-Manager's version; null when it has none. */
  manager: z.nullable(z.string()),
  /** Why it is not well, or not reachable, and the mend. */
  problem: z.nullable(z.string()),
});
export type Seen = z.infer<typeof Seen>;

/** Comfy → queue, "nodes": the worker's description of its nodes, by hash, each time it was read anew. */
export const Nodes = z.object({ workerId: z.string(), hash: z.string() });
export type Nodes = z.infer<typeof Nodes>;

/** Comfy → queue, "profile": what a worker is made of, each time its nodes were read anew. */
export const Profile = z.object({
  workerId: z.string(),
  version: z.nullable(z.string()),
  /** Class and a digest of how it is described, without the files that it offers. */
  nodes: z.array(z.tuple([z.string(), z.string()])),
  models: z.array(z.object({ folder: z.string(), name: z.string(), sizeBytes: z.nullable(z.number()) })),
  devices: z.array(z.object({ name: z.string(), vramTotalBytes: z.nullable(z.number()) })),
});
export type Profile = z.infer<typeof Profile>;

/** Queue → comfy, "check": which of these can the worker run? The manifest and graph are those of a version. */
export const Check = z.object({
  workerId: z.string(),
  versions: z.array(z.object({ id: z.string(), manifest: z.unknown(), graph: z.unknown() })),
});
export type Check = z.infer<typeof Check>;

/** Comfy → queue, "checked": what the worker lacks for each, all at once; nothing where it can run it. */
export const Checked = z.object({
  workerId: z.string(),
  hash: z.string(),
  found: z.array(z.object({ versionId: z.string(), missing: z.array(z.string()) })),
});
export type Checked = z.infer<typeof Checked>;

/** Comfy → queue, "follow": a prompt of ours is under way; answered by "pace" when the queue knows it. */
export const Follow = z.object({ workerId: z.string(), promptId: z.string() });
export type Follow = z.infer<typeof Follow>;

/** Queue → comfy, "pace": how long healthy runs of the same workflow on this worker were silent at most, lately. */
export const Pace = z.object({
  workerId: z.string(),
  promptId: z.string(),
  stepMs: z.nullable(z.number()),
  restMs: z.nullable(z.number()),
});
export type Pace = z.infer<typeof Pace>;

/** Comfy → queue, "paced": how long a run that ended well was silent at most; null where there was no such gap. */
export const Paced = z.object({
  promptId: z.string(),
  stepMs: z.nullable(z.number()),
  restMs: z.nullable(z.number()),
});
export type Paced = z.infer<typeof Paced>;

/** Queue → comfy, "order": somebody, or a poisoned process, wants this done to the worker. */
export const Order = z.object({
  id: z.string(),
  workerId: z.string(),
  kind: WorkerOrderKind,
  reason: z.string(),
});
export type Order = z.infer<typeof Order>;

/**
 * Comfy → queue, "order_begun" and "order_ended": of the orders of others and of what the watch-dog does by itself,
 * whose ids are its own.
 */
export const OrderBegun = z.object({ ...Order.shape, promptIds: z.array(z.string()) });
export type OrderBegun = z.infer<typeof OrderBegun>;
export const OrderEnded = z.object({
  id: z.string(),
  workerId: z.string(),
  outcome: WorkerOrderOutcome,
  note: z.string(),
});
export type OrderEnded = z.infer<typeof OrderEnded>;
