import { type Log, silentLog } from "#server/core/log.ts";
import { type ApiGraph, generate } from "#server/fleet/job_kinds.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import type { LocalStore } from "#server/files/local_store.ts";
import { comfyHandlers } from "#workers/comfy/handlers.ts";
import type { GenerateInput } from "#workers/comfy/prepare.ts";
import { TIMINGS, type Timings } from "#workers/comfy/timings.ts";
import { WorkerLinks } from "#workers/comfy/worker_link.ts";
import type { FileStore } from "#server/files/store.ts";
import type * as z from "zod/mini";

export type GenerateOutput = z.output<typeof generate.output>;

/** Waits short enough for tests; each is long beside a call on loopback. */
export const QUICK: Timings = {
  ...TIMINGS,
  callMs: 500,
  objectInfoMs: 2_000,
  stallMs: 300,
  pollMs: 60,
  hintMs: 10,
  goneAfterMs: 1_500,
  silentMs: 150,
  statusMs: 100,
  reconnectMinMs: 10,
  reconnectMaxMs: 60,
  firstFrameMs: 500,
  closeMs: 50,
  cancelAgainMs: 60,
  cancelWaitMs: 300,
  cancelGiveUpMs: 3_000,
  watchMs: 40,
};

/** As QUICK, but nothing is suspected for being slow: for tests of anything but slowness, on any machine. */
export const TRUSTING: Timings = {
  ...QUICK,
  callMs: 60_000,
  objectInfoMs: 60_000,
  stallMs: 60_000,
  goneAfterMs: 60_000,
  firstFrameMs: 60_000,
  silentMs: 60_000,
  statusMs: 60_000,
};

export interface RunOptions extends Partial<GenerateInput> {
  readonly signal?: AbortSignal;
  readonly jobStore?: FileStore;
  readonly confirm?: () => Promise<void>;
}

/** What a job told while it ran. */
export interface Told {
  readonly ratios: number[];
  readonly notes: string[];
  readonly previews: { readonly bytes: Uint8Array; readonly mediaType: string }[];
}

/** The bridge with a real store in a folder of its own, ready to run jobs against one worker. */
export class BridgeUnderTest implements AsyncDisposable {
  constructor(
    readonly url: string,
    readonly store: LocalStore,
    readonly links: WorkerLinks,
    readonly log: Log,
  ) {}

  static async at(url: string, timings: Timings = QUICK, log: Log = silentLog): Promise<BridgeUnderTest> {
    const store = await openLocalStore(await Deno.makeTempDir({ prefix: "seedloop-bridge-" }));
    return new BridgeUnderTest(url, store, new WorkerLinks(timings, log), log);
  }

  /** Runs `comfy.generate` as the thread would: input and output are parsed. */
  async run(
    options: RunOptions = {},
    told: Told = { ratios: [], notes: [], previews: [] },
  ): Promise<GenerateOutput> {
    const { signal, jobStore, confirm, ...given } = options;
    const input = generate.input.parse({
      workerId: "w",
      workerUrl: this.url,
      promptId: crypto.randomUUID(),
      earlierPromptIds: [],
      graph: saveOne(),
      uploads: [],
      outputNodes: ["2"],
      ...given,
    });
    const [handler] = comfyHandlers(this.links);
    const output = await handler!.run(input, {
      jobId: "job",
      attempt: 1,
      signal: signal ?? new AbortController().signal,
      log: this.log,
      store: jobStore ?? this.store,
      workDir: this.store.root,
      progress: (ratio, note) => {
        told.ratios.push(ratio);
        if (note !== undefined) told.notes.push(note);
      },
      preview: (bytes, mediaType) => told.previews.push({ bytes: bytes.slice(), mediaType }),
      confirm: confirm ?? (() => Promise.resolve()),
    });
    return generate.output.parse(output);
  }

  /** How many files are stored, unfinished ones included. */
  async filesStored(): Promise<number> {
    let count = 0;
    for await (const _ of this.store.list()) count++;
    for await (const _ of Deno.readDir(`${this.store.root}/incoming`)) count++;
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.links.close();
    await Deno.remove(this.store.root, { recursive: true });
  }
}

/** The least graph that leaves a file. */
export function saveOne(color = 1): ApiGraph {
  return {
    "1": { class_type: "EmptyImage", inputs: { color } },
    "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "%SEEDLOOP_PREFIX%/a" } },
  };
}
