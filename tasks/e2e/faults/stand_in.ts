import { delay } from "#server/core/time.ts";
import { tinyPng } from "#server/testing/fixtures.ts";
import type { FakePrompt } from "#workers/comfy/testing/fault_prompt.ts";
import { FaultServer } from "#workers/comfy/testing/fault_server.ts";

/** A stand-in for a ComfyUI that takes its time over each prompt, one after the other, and gives each a still of its own. */
export class SlowStandIn implements AsyncDisposable {
  readonly server = new FaultServer();
  /** How often each prompt was run to its end. */
  readonly finished = new Map<string, number>();
  #line: Promise<void> = Promise.resolve();

  constructor(random: () => number, longestMs: number) {
    this.server.onPrompt = (prompt) => {
      const ms = random() * longestMs;
      return this.#line = this.#line.then(() => this.#run(prompt, ms));
    };
  }

  get url(): string {
    return this.server.url;
  }

  async #run(prompt: FakePrompt, ms: number): Promise<void> {
    // Cancelled before its turn.
    if (this.server.prompts.get(prompt.promptId) !== prompt || prompt.state !== "pending") return;
    await this.server.begin(prompt);
    await delay(ms);
    if (isEnded(prompt)) return;
    this.server.file = tinyPng(this.finished.size * 31 + 5, 24);
    this.finished.set(prompt.promptId, (this.finished.get(prompt.promptId) ?? 0) + 1);
    await this.server.end(prompt);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** Whether somebody ended it while it ran. */
function isEnded(prompt: FakePrompt): boolean {
  return prompt.state === "done";
}
