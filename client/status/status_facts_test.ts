import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { ApiError } from "#client/core/call.ts";
import type { Worker } from "#server/fleet/contract.ts";
import type { HealthStatus } from "#server/health/contract.ts";
import type { Job, QueueState } from "#server/jobs/contract.ts";
import { NOTHING_READ, type StatusFacts, summarise, waitingCount } from "./status_facts.ts";

const STUDIO: HealthStatus = {
  version: "1.2.3",
  startedAt: "2026-01-01T00:00:00Z",
  isReady: true,
  missing: [],
  threads: [{
    name: "queue",
    status: "running",
    restarts: 0,
    since: "2026-01-01T00:00:00Z",
    lastError: null,
  }],
  disk: { freeBytes: 400e9, totalBytes: 1000e9 },
  media: "ffmpeg 7.1",
  database: null,
  workers: { online: 1, total: 1 },
  sockets: 1,
  machine: { host: "here", os: "linux", cores: 2, memoryBytes: 8e9, freeMemoryBytes: 4e9, runtime: "Deno" },
};

function worker(given: Partial<Worker>): Worker {
  // Only what the summary reads.
  return { name: "gpu-a", status: "online", url: "http://gpu-a:8188", lastError: null, ...given } as Worker;
}

function queue(queued: number, running: number, paused: readonly string[] = []): QueueState {
  const lane = (name: string) => ({
    lane: "cpu" as const,
    label: name,
    queued: 0,
    running: 0,
    blocked: 0,
    held: 0,
    isPaused: paused.includes(name),
  });
  return {
    lanes: [{ ...lane("Processor"), queued, running, blocked: 1 }, lane("Generation")],
    paused: [],
    loaded: [],
  };
}

function facts(given: Partial<StatusFacts> = {}): StatusFacts {
  return { ...NOTHING_READ, studio: STUDIO, workers: [worker({})], queue: queue(0, 0), readAt: 1, ...given };
}

Deno.test("summarise() says that all is well, and what goes on", () => {
  const { state, sentence, findings } = summarise(facts({ queue: queue(12, 3) }));
  assertEquals([state, sentence, findings], ["good", "Everything works. 3 jobs run, 13 wait.", []]);
});

Deno.test("summarise() puts what is broken before what only wants a look, each with its mend", () => {
  const { state, sentence, findings } = summarise(facts({
    workers: [worker({}), worker({ name: "gpu-b", status: "offline", lastError: "connection refused" })],
    failed: [{} as Job],
    studio: {
      ...STUDIO,
      threads: [{ ...STUDIO.threads[0]!, status: "waiting", lastError: "out of memory" }],
      disk: { freeBytes: 30e9, totalBytes: 1000e9 },
    },
  }));
  assertEquals(state, "failed");
  assertStringIncludes(sentence, "One thing is broken.");
  assertEquals(findings.map((finding) => [finding.state, finding.text]), [
    ["failed", "The queue thread is down: out of memory"],
    ["attention", "gpu-b is offline: connection refused"],
    ["attention", "Only 30.0 GB of the disk is free"],
    ["attention", "A job failed"],
  ]);
  assertEquals(findings.every(({ mend }) => mend.length > 10 && !mend.endsWith(".")), true);
});

Deno.test("summarise() counts a studio without a worker, or without an answer, as broken", () => {
  assertEquals(summarise(facts({ workers: [] })).state, "failed");
  assertEquals(summarise(facts({ workers: [worker({ status: "disabled" })] })).state, "failed");
  assertEquals(
    summarise(facts({ problem: new ApiError(0, "unreachable", "Nothing answers") })).state,
    "failed",
  );
  assertEquals(
    summarise(facts({ problem: new ApiError(0, "unreachable", "Nothing answers") })).sentence,
    "The studio does not answer.",
  );
  // Nothing was read, so nothing is said to be well.
  const unread = facts({ readAt: undefined, problem: new ApiError(500, "internal", "It could not do it") });
  assertEquals(summarise(unread).state, "failed");
  assertEquals(summarise(unread).sentence, "The studio's state could not be read.");
  // Who may not see workers is not told that there are none.
  assertEquals(summarise(facts({ workers: undefined })).state, "good");
});

Deno.test("summarise() names what is paused", () => {
  const { findings } = summarise(facts({ queue: queue(0, 0, ["Generation"]) }));
  assertEquals(findings.map(({ text }) => text), ["Paused: Generation"]);
});

Deno.test("waitingCount() believes the queue's own count, else what was listed", () => {
  assertEquals(waitingCount(facts({ queue: queue(400, 2) })), 401);
  assertEquals(waitingCount(facts({ queue: undefined, waiting: [{} as Job] })), 1);
});

Deno.test("summarise() tells what the studio misses, unless something broken says why", () => {
  const studio = { ...STUDIO, isReady: false, missing: ["The media tools are still looked for."] };
  assertEquals(summarise(facts({ studio })).findings.map(({ text }) => text), [
    "The media tools are still looked for",
  ]);
  assertEquals(summarise(facts({ studio, workers: [] })).findings.length, 1);
});
