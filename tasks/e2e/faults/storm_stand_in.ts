import { delay } from "#server/core/time.ts";
import { tinyPng } from "#server/testing/fixtures.ts";
import type { Misdeed } from "#workers/comfy/testing/fault_misdeed.ts";
import { failureOf, type FakePrompt, historyOf } from "#workers/comfy/testing/fault_prompt.ts";
import { FaultServer } from "#workers/comfy/testing/fault_server.ts";
import { pick } from "./job_load.ts";

/** What goes wrong with one answer: a server's error, a proxy's page, half an answer, none, one that never ends. */
const ANSWERS: readonly (readonly [string, Misdeed])[] = [
  ["500", { answer: { status: 500, type: "text/plain", body: "500 Internal Server Error" } }],
  ["html", { answer: { status: 200, type: "text/html", body: "<html>proxy</html>" } }],
  ["nan", { answer: { status: 200, type: "application/json", body: '{"exec_info": NaN}' } }],
  ["half json", { answer: { status: 200, type: "application/json", body: '{"broken": ' } }],
  ["truncated", { truncateAt: 10 }],
  ["answer lost", { loseAnswer: true }],
  ["cut", { cut: true }],
  ["slow", { stall: true }],
];

const FRAMES: readonly number[][] = [
  [0x82, 0],
  [0x82, 3, 1, 2, 3],
  [0x82, 7, 0, 0, 0, 4, 0, 0, 0],
  [0x81, 2, 0xff, 0xfe],
  [0x82, 127, 0, 0, 0, 0, 0x0c, 0, 0, 0],
  [0x81, 1, 0x7b],
];
const NAN_PROGRESS = '{"type":"progress","data":{"node":"1","value":NaN,"max":Infinity}}';

/** What goes wrong with one prompt, and how often of a hundred; the rest goes well. */
const FATES = {
  "out of memory": 6,
  "success without a file": 5,
  "success, file gone": 4,
  "exception": 4,
  "refused": 3,
  "forgotten": 4,
  "socket dropped": 8,
  "half-open socket": 3,
  "bad frames": 8,
  "NaN in progress": 6,
  "end untold": 5,
  "slow": 4,
} as const;
type Fate = keyof typeof FATES | "well";

const SHARE_OF_BAD_ANSWERS = 0.03;

/** A stand-in for a ComfyUI in which at random moments anything goes wrong that ever does. */
export class StormStandIn implements AsyncDisposable {
  readonly server = new FaultServer();
  /** What befell, and how often. */
  readonly fates: Record<string, number> = {};
  /** Each prompt's runs to a good end. */
  readonly finished = new Map<string, number>();
  /** Prompts that were sent again while they were known. */
  readonly sentAgain: string[] = [];
  readonly #random: () => number;
  readonly #gone = new Set<string>();
  #line: Promise<void> = Promise.resolve();
  #isCalm = false;

  constructor(random: () => number) {
    this.#random = random;
    this.server.misbehave = ({ path, query }) => {
      const name = query.get("filename")?.replace(".png", "") ?? "";
      if (path === "/view" && this.#gone.has(name)) return this.#note("file gone", notFound);
      if (this.#isCalm || random() > SHARE_OF_BAD_ANSWERS) return undefined;
      const [what, misdeed] = pick(ANSWERS, random);
      return this.#note(what, misdeed);
    };
    this.server.submitAnswer = (prompt) => {
      if (this.server.prompts.has(prompt.promptId)) this.sentAgain.push(prompt.promptId);
      if (this.#isCalm || random() > FATES.refused / 100) return undefined;
      return this.#note("refused", { status: 400, body: REFUSAL });
    };
    this.server.onPrompt = (prompt) => {
      const fate = this.#drawFate();
      this.fates[fate] = (this.fates[fate] ?? 0) + 1;
      return this.#line = this.#line.then(() => this.#run(prompt, fate)).catch(() => {});
    };
  }

  get url(): string {
    return this.server.url;
  }

  /** From here on all goes well. */
  calm(): void {
    this.#isCalm = true;
  }

  #note<T>(what: string, value: T): T {
    this.fates[what] = (this.fates[what] ?? 0) + 1;
    return value;
  }

  #drawFate(): Fate {
    if (this.#isCalm) return "well";
    let left = this.#random() * 100;
    for (const [fate, share] of Object.entries(FATES)) {
      if (fate !== "refused" && (left -= share) < 0) return fate as Fate;
    }
    return "well";
  }

  async #run(prompt: FakePrompt, fate: Fate): Promise<void> {
    const { server } = this;
    if (server.prompts.get(prompt.promptId) !== prompt || prompt.state !== "pending") return;
    await server.begin(prompt);
    await server.tell(prompt, "progress", { node: "1", value: 1, max: 4 });
    await delay(50 + this.#random() * 250);
    await this.#spoil(prompt, fate);
    if (isEnded(prompt) || server.prompts.get(prompt.promptId) !== prompt) return;
    server.file = tinyPng(Math.floor(this.#random() * 0xffffff), 24);
    this.finished.set(prompt.promptId, (this.finished.get(prompt.promptId) ?? 0) + 1);
    if (fate === "end untold") server.endSilently(prompt);
    else await server.end(prompt);
  }

  async #spoil(prompt: FakePrompt, fate: Fate): Promise<void> {
    const { server } = this;
    const sockets = server.sockets.filter((socket) => socket.clientId === prompt.clientId);
    switch (fate) {
      case "out of memory":
        return await server.end(prompt, failureOf(prompt, "torch.OutOfMemoryError", "CUDA out of memory"));
      case "exception":
        return await server.end(prompt, failureOf(prompt, "ValueError", "Cannot do it"));
      case "success without a file":
        return await server.end(prompt, historyOf(prompt, {}, "success", []));
      case "success, file gone":
        return void this.#gone.add(prompt.promptId);
      case "forgotten":
        return server.restart();
      case "socket dropped":
        return server.dropSockets();
      case "half-open socket":
        // Nothing more is told, and nobody says that it is over.
        server.sockets.splice(0);
        return;
      case "bad frames":
        for (const socket of sockets) await socket.raw(new Uint8Array(pick(FRAMES, this.#random)));
        return;
      case "NaN in progress":
        for (const socket of sockets) await socket.text(NAN_PROGRESS);
        return;
      case "slow":
        return await delay(3_000 + this.#random() * 12_000);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

const notFound: Misdeed = { answer: { status: 404, type: "text/plain", body: "404: Not Found" } };

const REFUSAL = {
  error: {
    type: "prompt_outputs_failed_validation",
    message: "Prompt outputs failed validation",
    details: "",
    extra_info: {},
  },
  node_errors: {
    "1": {
      errors: [{
        type: "value_bigger_than_max",
        message: "Value 99999 bigger than max",
        details: "color",
        extra_info: {},
      }],
      dependent_outputs: ["2"],
      class_type: "EmptyImage",
    },
  },
};

function isEnded(prompt: FakePrompt): boolean {
  return prompt.state === "done";
}
