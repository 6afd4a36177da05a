import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import type { NodeProgress, PromptEvent } from "./events.ts";

/** How much of a prompt is left for fetching its files. */
export const FETCH_SHARE = 0.05;

/**
 * Turns the events of one prompt into one ratio that never falls, and into the time each node took.
 * Repeated states cost a comparison and are reported once.
 */
export class PromptProgress {
  readonly #graph: ApiGraph;
  readonly #report: (ratio: number, note: string | undefined) => void;
  readonly #weights = new Map<string, number>();
  readonly #done = new Map<string, number>();
  readonly #nodesMs = new Map<string, number>();
  readonly #cached = new Set<string>();
  #running: { node: string; since: number } | undefined;
  #ratio = 0;
  #note: string | undefined;

  constructor(graph: ApiGraph, report: (ratio: number, note: string | undefined) => void) {
    this.#graph = graph;
    this.#report = report;
    for (const [id, node] of Object.entries(graph)) this.#weights.set(id, weightOf(node.class_type));
  }

  /** Milliseconds by node, for those whose start and end were seen. */
  get nodesMs(): Record<string, number> {
    return Object.fromEntries(this.#nodesMs);
  }

  /** Nodes that were served from the worker's cache. */
  get cachedNodes(): string[] {
    return [...this.#cached];
  }

  take(event: PromptEvent): void {
    switch (event.type) {
      case "cached":
        for (const node of event.nodes) this.#cached.add(node);
        break;
      case "executing":
        this.#stopTimer();
        this.#cached.delete(event.node);
        this.#running = { node: event.node, since: performance.now() };
        this.#note = this.#nameOf(event.node);
        break;
      case "progress":
        for (const node of event.nodes) this.#advance(node);
        break;
      case "executed":
        this.#done.set(event.node, 1);
        break;
      case "ending":
      case "ended":
        this.#stopTimer();
        break;
      default:
        return;
    }
    this.#tell();
  }

  #advance({ node, value, max, finished }: NodeProgress): void {
    if (!this.#weights.has(node)) return;
    const now = finished ? 1 : max > 0 ? Math.min(1, value / max) : 0;
    // Stages of one node restart their count: the node as a whole keeps what it had.
    if (now <= (this.#done.get(node) ?? 0)) return;
    this.#done.set(node, now);
    if (!finished && max > 1) this.#note = `${this.#nameOf(node)} ${value}/${max}`;
  }

  #stopTimer(): void {
    if (this.#running === undefined) return;
    const { node, since } = this.#running;
    this.#running = undefined;
    this.#done.set(node, 1);
    this.#nodesMs.set(node, (this.#nodesMs.get(node) ?? 0) + Math.round(performance.now() - since));
  }

  #tell(): void {
    let whole = 0;
    let done = 0;
    for (const [node, weight] of this.#weights) {
      if (this.#cached.has(node)) continue;
      whole += weight;
      done += weight * (this.#done.get(node) ?? 0);
    }
    const ratio = whole === 0 ? 0 : done / whole * (1 - FETCH_SHARE);
    if (ratio <= this.#ratio && this.#note === this.#told) return;
    this.#ratio = Math.max(ratio, this.#ratio);
    this.#told = this.#note;
    this.#report(this.#ratio, this.#note);
  }
  #told: string | undefined;

  #nameOf(node: string): string {
    const known = this.#graph[node];
    return known?._meta?.title ?? known?.class_type ?? node;
  }
}

/** Sampling takes nearly all of the time, coding and loading some, everything else next to none. */
function weightOf(className: string): number {
  if (/sampler|^Seedloop/i.test(className)) return 40;
  if (/decode|encode|savevideo|createvideo|loader|upscale|blur/i.test(className)) return 4;
  return 1;
}
