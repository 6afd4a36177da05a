import type { Handler } from "#workers/kit/handle.ts";
import { generateHandler } from "./jobs/generate.ts";
import { WorkerLinks } from "./worker_link.ts";

/** The jobs of the comfy thread. They share one link, hence one socket, per worker. */
export function comfyHandlers(links: WorkerLinks = new WorkerLinks()): Handler[] {
  return [generateHandler(links)];
}
