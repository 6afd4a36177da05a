import type { Judgement } from "./method.ts";

/** How much a run may take. */
export interface Effort {
  readonly rounds: number;
  /** How often the rounds are doubled while the machine is too restless. */
  readonly doublings: number;
  /** Jobs, requests and clips are so much fewer. */
  readonly scale: number;
}

/** One of the benches: what it compares, and the goals of limits.md that it answers for. */
export interface Bench {
  readonly name: string;
  readonly goals: readonly string[];
  readonly what: string;
  /** Measures, and gives each goal's judgement as soon as it is there. */
  run(effort: Effort, say: (line: string) => void): AsyncGenerator<Judgement>;
}
