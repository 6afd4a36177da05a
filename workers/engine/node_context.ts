import type { Log } from "#server/core/log.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { type Folders, Interrupted, type NodeContext, type PreviewFrame } from "./nodes/node_spec.ts";
import type { Outlet } from "./outlet.ts";
import type { PromptProgress } from "./progress.ts";
import type { QueueItem } from "./queue.ts";
import { isRecord } from "./json_text.ts";

/** A node that has the thread for longer than this gives way to the server. */
const BREATH_MS = 15;

/** What nodes reach of the engine. */
export interface NodeWorld {
  readonly folders: Folders;
  readonly outlet: Outlet;
  readonly log: Log;
  media(): Promise<MediaTools>;
}

/** A node's context, with what only the engine uses of it. */
export interface EngineContext extends NodeContext {
  /**
   * Throws Interrupted when the prompt was interrupted; else lets what was announced go out before the node
   * takes the thread. An interrupt that comes meanwhile is the node's own business, as it counts as running.
   */
  begin(): Promise<void>;
}

/** What one run of a node is given. */
export function createNodeContext(of: {
  readonly world: NodeWorld;
  readonly item: QueueItem;
  readonly signal: AbortSignal;
  readonly progress: PromptProgress;
  readonly nodeId: string;
}): EngineContext {
  const { world, item, signal, nodeId } = of;
  let pending: PreviewFrame | undefined;
  let breathedAt = 0;
  const giveWay = async () => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    breathedAt = performance.now();
  };
  const stopIfInterrupted = () => {
    if (signal.aborted) throw new Interrupted();
  };
  const extra = item.extraData["extra_pnginfo"];
  return {
    signal,
    folders: world.folders,
    media: world.media,
    promptId: item.promptId,
    nodeId,
    log: world.log.with({ promptId: item.promptId, nodeId }),
    metadata: { prompt: item.prompt, extraPnginfo: isRecord(extra) ? extra : undefined },
    progress(value, max) {
      stopIfInterrupted();
      const preview = pending && { nodeId, promptId: item.promptId, frame: pending };
      pending = undefined;
      of.progress.update(nodeId, value, max, preview);
    },
    preview(frame) {
      pending = frame;
    },
    text: (text) => world.outlet.text(nodeId, text),
    async breathe() {
      if (performance.now() - breathedAt >= BREATH_MS) await giveWay();
      stopIfInterrupted();
    },
    async begin() {
      stopIfInterrupted();
      await giveWay();
    },
  };
}
