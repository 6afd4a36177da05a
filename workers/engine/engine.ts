import type { Log } from "#server/core/log.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { createCache, type ResultCache } from "./cache.ts";
import { executePrompt } from "./execute.ts";
import { describeFailure } from "./failure.ts";
import { type Graph, parseGraph, type Registry } from "./graph.ts";
import { isRecord } from "./json_text.ts";
import type { Folders } from "./nodes/node_spec.ts";
import type { Outlet } from "./outlet.ts";
import { type Outcome, PromptQueue, type QueueItem } from "./queue.ts";
import { type NodeErrors, validateOutputs } from "./validate.ts";

/** What an engine is made of. */
export interface EngineParts {
  readonly registry: Registry;
  readonly folders: Folders;
  readonly outlet: Outlet;
  readonly log: Log;
  media(): Promise<MediaTools>;
  /** Bytes of node results kept between prompts; 768 MiB by default. */
  readonly cacheLimit?: number;
}

/** The `error` of a refused prompt, in ComfyUI's shape. */
export interface PromptError {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: Readonly<Record<string, unknown>>;
}

/** What a submission led to. */
export type Submission =
  | {
    readonly accepted: true;
    readonly promptId: string;
    readonly number: number;
    readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
  }
  | {
    readonly accepted: false;
    readonly error: PromptError;
    readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
  };

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A queue of prompts and the one worker that runs them. Knows nothing of HTTP or sockets. */
export class Engine {
  readonly queue: PromptQueue;
  readonly registry: Registry;
  readonly folders: Folders;
  readonly #parts: EngineParts;
  readonly #cache: ResultCache;
  /** Counts submissions without a number of their own, refused ones too. */
  #counter = 0;
  #interrupt = new AbortController();
  #current: { clientId: string | undefined; nodeId: string | undefined } = {
    clientId: undefined,
    nodeId: undefined,
  };
  #freeMemory = false;
  #isWorking = false;
  #worker: Promise<void> = Promise.resolve();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.registry = parts.registry;
    this.folders = parts.folders;
    this.#cache = createCache(parts.cacheLimit ?? 768 * 1024 * 1024);
    this.queue = new PromptQueue(() => this.#announceStatus());
  }

  /** The node that runs for this client now, for a client that reconnects. */
  currentNode(clientId: string): string | undefined {
    return this.#current.clientId === clientId ? this.#current.nodeId : undefined;
  }

  /**
   * Checks a request to run a prompt and queues it. Throws a TypeError for a body that ComfyUI would answer
   * with 500: no object, or a `prompt` that is none.
   */
  async submit(body: unknown): Promise<Submission> {
    if (!isRecord(body)) throw new TypeError("The body of a prompt is not an object");
    const number = this.#numberOf(body);
    if (!("prompt" in body)) return refuse("no_prompt", "No prompt provided", "No prompt provided");
    const promptId = body["prompt_id"] ?? crypto.randomUUID();
    if (typeof promptId !== "string" || !CANONICAL_UUID.test(promptId)) {
      return refuse("invalid_prompt_id", "prompt_id must be a canonical lowercase UUID", String(promptId));
    }
    const parsed = parseGraph(body["prompt"], this.registry);
    if (!("graph" in parsed)) return refuseNode(parsed);
    const wanted = outputsOf(parsed.graph, body["partial_execution_targets"]);
    if (wanted.length === 0) return refuse("prompt_no_outputs", "Prompt has no outputs", "");
    const { goodOutputs, nodeErrors, summary } = await validateOutputs(parsed.graph, wanted, this.folders);
    if (goodOutputs.length === 0) {
      return refuse(
        "prompt_outputs_failed_validation",
        "Prompt outputs failed validation",
        summary,
        nodeErrors,
      );
    }
    this.#enqueue({
      number,
      promptId,
      prompt: body["prompt"],
      graph: parsed.graph,
      extraData: extraDataOf(body),
      outputs: goodOutputs,
      createTime: Date.now(),
    });
    return { accepted: true, promptId, number, nodeErrors };
  }

  /** Interrupts what runs, or only the named prompt when it runs; says whether it did. */
  interrupt(promptId?: string): boolean {
    const running = this.queue.running;
    if (!running || (promptId !== undefined && running.promptId !== promptId)) return false;
    this.#interrupt.abort();
    return true;
  }

  /** Drops all kept results, once the running prompt is done. */
  freeMemory(): void {
    this.#freeMemory = true;
    if (!this.queue.running) this.#free();
  }

  /** Drops what waits, interrupts what runs, and resolves when the worker stands still. */
  async stop(): Promise<void> {
    this.queue.clear();
    this.interrupt();
    await this.#worker;
  }

  #numberOf(body: Record<string, unknown>): number {
    if ("number" in body) {
      const number = Number(body["number"]);
      if (Number.isNaN(number)) throw new TypeError("The number of a prompt is not a number");
      return number;
    }
    const count = this.#counter++;
    return body["front"] && count > 0 ? -count : count;
  }

  #enqueue(item: QueueItem): void {
    this.queue.put(item);
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#worker = this.#work();
  }

  async #work(): Promise<void> {
    // Let the answer to the request go first.
    await new Promise((resolve) => setTimeout(resolve, 0));
    for (let item = this.queue.take(); item; item = this.queue.take()) {
      await this.#run(item);
      if (this.#freeMemory) this.#free();
    }
    // In the same turn in which the queue was seen empty: a prompt that comes next starts another worker.
    this.#isWorking = false;
  }

  async #run(item: QueueItem): Promise<void> {
    const clientId = item.extraData["client_id"];
    this.#interrupt = new AbortController();
    this.#current = { clientId: typeof clientId === "string" ? clientId : undefined, nodeId: undefined };
    const started = performance.now();
    const outcome = await executePrompt(item, {
      cache: this.#cache,
      folders: this.folders,
      outlet: this.#parts.outlet,
      log: this.#parts.log,
      media: () => this.#parts.media(),
      nodeStarted: (id) => this.#current.nodeId = id,
    }, this.#interrupt.signal).catch((error: unknown) => this.#giveUp(item, error));
    this.#current.nodeId = undefined;
    this.queue.finish(outcome);
    this.#parts.log.info("a prompt ended", {
      promptId: item.promptId,
      status: outcome.status.status_str,
      ms: Math.round(performance.now() - started),
    });
    if (this.#current.clientId === undefined) return;
    this.#parts.outlet.send("executing", { node: null, prompt_id: item.promptId }, this.#current.clientId);
  }

  /** A fault of the engine itself ends the prompt, never the worker. */
  #giveUp(item: QueueItem, error: unknown): Outcome {
    this.#parts.log.error("a prompt could not be executed", { promptId: item.promptId, error });
    const failure = { prompt_id: item.promptId, ...describeFailure(error, {}), timestamp: Date.now() };
    return {
      status: { status_str: "error", completed: false, messages: [["execution_error", failure]] },
      outputs: {},
      meta: {},
    };
  }

  #free(): void {
    this.#freeMemory = false;
    this.#cache.clear();
  }

  #announceStatus(): void {
    this.#parts.outlet.send("status", { status: this.status() }, undefined);
  }

  /** `{exec_info: {queue_remaining}}`: how many prompts wait or run. */
  status(): { exec_info: { queue_remaining: number } } {
    return { exec_info: { queue_remaining: this.queue.remaining } };
  }
}

function outputsOf(graph: Graph, targets: unknown): string[] {
  const wanted = Array.isArray(targets) ? new Set<unknown>(targets) : undefined;
  return [...graph.values()]
    .filter((node) => node.spec.outputNode && (wanted?.has(node.id) ?? true))
    .map((node) => node.id);
}

function extraDataOf(body: Record<string, unknown>): Record<string, unknown> {
  const given = isRecord(body["extra_data"]) ? body["extra_data"] : {};
  // Credentials for paid nodes have no use here and must not show in the history.
  const { auth_token_comfy_org: _token, api_key_comfy_org: _key, ...kept } = given;
  return "client_id" in body ? { ...kept, client_id: body["client_id"] } : kept;
}

function refuse(
  type: string,
  message: string,
  details: string,
  nodeErrors: Readonly<Record<string, NodeErrors>> = {},
  extra_info: Readonly<Record<string, unknown>> = {},
): Submission {
  return { accepted: false, error: { type, message, details, extra_info }, nodeErrors };
}

function refuseNode(of: { problem: string; nodeId: string; classType: string; title: string }): Submission {
  const message = of.problem === "no_class_type"
    ? "Cannot execute because a node is missing the class_type property."
    : `Cannot execute because node ${of.classType} does not exist.`;
  return refuse("missing_node_type", message, `Node ID '#${of.nodeId}'`, {}, {
    node_id: of.nodeId,
    class_type: of.classType || null,
    node_title: of.title,
  });
}
