import type { NodeRecord, ResultCache } from "./cache.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { isLink } from "./graph.ts";
import { Interrupted } from "./nodes/node_spec.ts";
import { describeFailure } from "./failure.ts";
import { mapOverLists, type NodeInputs } from "./map_lists.ts";
import { createNodeContext, type EngineContext, type NodeWorld } from "./node_context.ts";
import { planExecution } from "./order.ts";
import type { Outlet } from "./outlet.ts";
import { PromptProgress } from "./progress.ts";
import type { Outcome, QueueItem, StatusMessage } from "./queue.ts";
import { signaturesOf } from "./signature.ts";

/** What executing a prompt needs. */
export interface ExecutionWorld extends NodeWorld {
  readonly cache: ResultCache;
  /** The node that runs now, for clients that reconnect. */
  nodeStarted(id: string): void;
}

interface Run {
  readonly world: ExecutionWorld;
  readonly item: QueueItem;
  readonly clientId: string | undefined;
  readonly signal: AbortSignal;
  readonly signatures: ReadonlyMap<string, string>;
  readonly progress: PromptProgress;
  readonly executed: Set<string>;
  readonly messages: StatusMessage[];
  /** Results of this prompt by node id: the cache may drop them while the prompt still needs them. */
  readonly records: Map<string, NodeRecord>;
  readonly outputs: Record<string, unknown>;
  readonly meta: Record<string, unknown>;
}

/**
 * Runs one prompt to its end and says what became of it. Announces every step in ComfyUI's order; never
 * rejects: what a node throws, and an abort of `signal`, end the prompt as error or interrupted.
 */
export async function executePrompt(
  item: QueueItem,
  world: ExecutionWorld,
  signal: AbortSignal,
): Promise<Outcome> {
  const clientId = typeof item.extraData["client_id"] === "string" ? item.extraData["client_id"] : undefined;
  const messages: StatusMessage[] = [];
  announce("execution_start", { prompt_id: item.promptId }, messages, world.outlet, clientId);
  const signatures = await signaturesOf(item.graph, world.folders);
  const run: Run = {
    world,
    item,
    clientId,
    signal,
    signatures,
    messages,
    progress: new PromptProgress(item.promptId, clientId, world.outlet),
    executed: new Set(),
    records: new Map(),
    outputs: {},
    meta: {},
  };
  announceCached(run);
  const completed = await runAll(run);
  return {
    status: { status_str: completed ? "success" : "error", completed, messages },
    outputs: run.outputs,
    meta: run.meta,
  };
}

function announceCached(run: Run): void {
  for (const [id, signature] of run.signatures) {
    const record = run.world.cache.get(signature);
    if (record) run.records.set(id, record);
  }
  const data = { nodes: [...run.records.keys()], prompt_id: run.item.promptId };
  announce("execution_cached", data, run.messages, run.world.outlet, run.clientId);
}

async function runAll(run: Run): Promise<boolean> {
  const { graph, outputs, promptId } = run.item;
  const list = planExecution(graph, outputs, (id) => run.records.has(id));
  while (!list.isEmpty) {
    const id = list.pick();
    const node = id === undefined ? undefined : graph.get(id);
    if (!node) throw new Error("The graph has a cycle that validation let through");
    const record = run.records.get(node.id);
    if (record) showCached(run, node, record);
    else if (!await runNode(run, node)) return false;
    list.complete(node.id);
  }
  announce("execution_success", { prompt_id: promptId }, run.messages, run.world.outlet, run.clientId);
  return true;
}

/** An output node whose result is in the cache shows it again without running. */
function showCached(run: Run, node: GraphNode, record: NodeRecord): void {
  if (record.ui) keepUi(run, node, record.ui);
  sendExecuted(run, node, record.ui ?? null);
  run.progress.finish(node.id);
}

/** Two equal nodes in one graph share a signature: the second finds the first one's result. */
async function runNode(run: Run, node: GraphNode): Promise<boolean> {
  const { world, signal } = run;
  const signature = run.signatures.get(node.id) ?? "";
  const same = world.cache.get(signature);
  if (same) {
    run.records.set(node.id, same);
    showCached(run, node, same);
    return true;
  }
  const inputs = gatherInputs(node, run.records);
  run.progress.start(node.id);
  world.nodeStarted(node.id);
  send(run, "executing", { node: node.id, display_node: node.id });
  try {
    const record = await mapOverLists(node.spec, inputs, contextFor(run, node));
    if (record.ui) {
      keepUi(run, node, record.ui);
      sendExecuted(run, node, record.ui);
    }
    run.records.set(node.id, record);
    world.cache.set(signature, record);
  } catch (error) {
    if (error instanceof Interrupted || signal.aborted) announceInterrupted(run, node);
    else announceError(run, node, error, inputs);
    return false;
  }
  run.progress.finish(node.id);
  run.executed.add(node.id);
  return true;
}

function contextFor(run: Run, node: GraphNode): EngineContext {
  const { world, item, signal, progress } = run;
  return createNodeContext({ world, item, signal, progress, nodeId: node.id });
}

function gatherInputs(node: GraphNode, records: ReadonlyMap<string, NodeRecord>): NodeInputs {
  const inputs: Record<string, readonly unknown[]> = {};
  const declared = [...Object.keys(node.spec.required), ...Object.keys(node.spec.optional ?? {})];
  for (const name of declared) {
    if (!(name in node.inputs)) continue;
    const value = node.inputs[name];
    if (isLink(value)) inputs[name] = records.get(value[0])?.outputs[value[1]] ?? [undefined];
    else inputs[name] = [typeof value === "bigint" ? Number(value) : value];
  }
  return inputs;
}

function keepUi(run: Run, node: GraphNode, ui: NonNullable<NodeRecord["ui"]>): void {
  run.outputs[node.id] = ui;
  run.meta[node.id] = { node_id: node.id, display_node: node.id, parent_node: null, real_node_id: node.id };
}

function sendExecuted(run: Run, node: GraphNode, output: unknown): void {
  send(run, "executed", { node: node.id, display_node: node.id, output });
}

/** Steps are told to the prompt's client only; a prompt without one is silent. */
function send(run: Run, type: string, data: Record<string, unknown>): void {
  if (run.clientId === undefined) return;
  run.world.outlet.send(type, { ...data, prompt_id: run.item.promptId }, run.clientId);
}

function announceInterrupted(run: Run, node: GraphNode): void {
  const data = {
    prompt_id: run.item.promptId,
    node_id: node.id,
    node_type: node.classType,
    executed: [...run.executed],
  };
  announce("execution_interrupted", data, run.messages, run.world.outlet, run.clientId, true);
}

function announceError(run: Run, node: GraphNode, error: unknown, inputs: NodeInputs): void {
  run.world.log.warn("a node failed", {
    promptId: run.item.promptId,
    nodeId: node.id,
    classType: node.classType,
    error,
  });
  const data = {
    prompt_id: run.item.promptId,
    node_id: node.id,
    node_type: node.classType,
    executed: [...run.executed],
    ...describeFailure(error, inputs),
    current_outputs: idsOf(run.item.graph),
  };
  announce("execution_error", data, run.messages, run.world.outlet, run.clientId);
}

function idsOf(graph: Graph): string[] {
  return [...graph.keys()];
}

function announce(
  name: string,
  data: Record<string, unknown>,
  messages: StatusMessage[],
  outlet: Outlet,
  clientId: string | undefined,
  toAll = false,
): void {
  const stamped = { ...data, timestamp: Date.now() };
  messages.push([name, stamped]);
  if (clientId !== undefined || toAll) outlet.send(name, stamped, clientId);
}
