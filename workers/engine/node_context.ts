import type { ExecutionWorld } from "./execute.ts";
import { Interrupted, type NodeContext, type PreviewFrame } from "./nodes/node_spec.ts";
import type { PromptProgress } from "./progress.ts";
import type { QueueItem } from "./queue.ts";
import { isRecord } from "./json_text.ts";

/** A node that has the thread for longer than this gives way to the server. */
const BREATH_MS = 15;

/** What one run of a node is given. */
export function createNodeContext(of: {
  readonly world: ExecutionWorld;
  readonly item: QueueItem;
  readonly signal: AbortSignal;
  readonly progress: PromptProgress;
  readonly nodeId: string;
}): NodeContext {
  const { world, item, signal, nodeId } = of;
  let pending: PreviewFrame | undefined;
  // 0: the first breath always gives way, so that events go out before a node takes the thread.
  let breathedAt = 0;
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
      if (performance.now() - breathedAt >= BREATH_MS) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        breathedAt = performance.now();
      }
      stopIfInterrupted();
    },
  };
}
