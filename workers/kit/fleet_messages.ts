import * as z from "zod/mini";

/** Queue → comfy, "watch": all workers that this process is to look after; those not named are let go. */
export const Watch = z.object({ workers: z.array(z.object({ id: z.string(), url: z.string() })) });
export type Watch = z.infer<typeof Watch>;

/** Comfy → queue, "seen": how a worker is, at each change and every few seconds. */
export const Seen = z.object({
  workerId: z.string(),
  isReachable: z.boolean(),
  software: z.nullable(z.string()),
  version: z.nullable(z.string()),
  problem: z.nullable(z.string()),
});
export type Seen = z.infer<typeof Seen>;

/** Comfy → queue, "nodes": the worker's description of its nodes, by hash, each time it was read anew. */
export const Nodes = z.object({ workerId: z.string(), hash: z.string() });
export type Nodes = z.infer<typeof Nodes>;

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
