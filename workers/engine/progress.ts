import type { NodePreview, Outlet } from "./outlet.ts";

interface NodeProgress {
  value: number;
  max: number;
  state: "running" | "finished";
}

/** Updates closer together than this are not sent, but for the first, the last and those with a preview. */
const THROTTLE_MS = 100;

/**
 * How far each node of one prompt is. Announces it as `progress_state` (all nodes so far) and `progress`, to
 * the prompt's client, or to all when it has none.
 */
export class PromptProgress {
  readonly #nodes = new Map<string, NodeProgress>();
  readonly #promptId: string;
  readonly #clientId: string | undefined;
  readonly #outlet: Outlet;
  #sentAt = 0;

  constructor(promptId: string, clientId: string | undefined, outlet: Outlet) {
    this.#promptId = promptId;
    this.#clientId = clientId;
    this.#outlet = outlet;
  }

  start(id: string): void {
    this.#nodes.set(id, { value: 0, max: 1, state: "running" });
    this.#sentAt = 0;
    this.#sendState();
  }

  /** A node that was never started, as it came from the cache, counts as 1 of 1. */
  finish(id: string): void {
    const { max } = this.#nodes.get(id) ?? { max: 1 };
    this.#nodes.set(id, { value: max, max, state: "finished" });
    this.#sendState();
  }

  update(id: string, value: number, max: number, preview: NodePreview | undefined): void {
    this.#nodes.set(id, { value, max, state: "running" });
    const now = Date.now();
    if (preview === undefined && value < max && now - this.#sentAt < THROTTLE_MS) return;
    this.#sentAt = now;
    this.#sendState();
    if (preview) this.#outlet.preview(preview, "with_metadata", this.#clientId);
    this.#outlet.send("progress", { value, max, prompt_id: this.#promptId, node: id }, this.#clientId);
    if (preview) this.#outlet.preview(preview, "plain", this.#clientId);
  }

  #sendState(): void {
    const nodes = Object.fromEntries(
      [...this.#nodes].map(([id, progress]) => [id, {
        ...progress,
        node_id: id,
        prompt_id: this.#promptId,
        display_node_id: id,
        parent_node_id: null,
        real_node_id: id,
      }]),
    );
    this.#outlet.send("progress_state", { prompt_id: this.#promptId, nodes }, this.#clientId);
  }
}
