import type { Handler } from "#workers/kit/handle.ts";
import { assembleMasterHandler } from "./jobs/assemble_master.ts";
import { ingestTakeHandler } from "./jobs/ingest_take.ts";
import { inspectMediaHandler } from "./jobs/inspect_media.ts";
import { makeProxyHandler } from "./jobs/make_proxy.ts";
import { stitchCutHandler } from "./jobs/stitch_cut.ts";
import type { MediaTools } from "./run.ts";

/** All that the media thread can do, on the given tools. */
export function mediaHandlers(tools: MediaTools): Handler[] {
  return [
    inspectMediaHandler(tools),
    makeProxyHandler(tools),
    ingestTakeHandler(tools),
    stitchCutHandler(tools),
    assembleMasterHandler(tools),
  ];
}
