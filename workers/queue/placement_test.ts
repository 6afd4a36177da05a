import { assertEquals } from "@std/assert/mod.js";
import type { Candidate, FreeWorker } from "#server/jobs/claim.ts";
import { placeJobs } from "./placement.ts";

const MINUTE_US = 60_000_000;

function job(id: string, more: Partial<Candidate> = {}): Candidate {
  return {
    id,
    orderKey: 0,
    priority: 0,
    costMs: 60_000,
    workflowVersionId: "wan",
    lastWorkerId: null,
    isAdoptable: false,
    failedWorkerIds: [],
    minVramBytes: null,
    userId: "ada",
    pinnedWorkerId: null,
    models: [`${more.workflowVersionId ?? "wan"}.safetensors`],
    needBytes: null,
    ...more,
  };
}

function worker(id: string, more: Partial<FreeWorker> = {}): FreeWorker {
  return {
    id,
    url: "",
    ownerEpoch: 0,
    freeSlots: 1,
    loaded: [],
    busyMs: 0,
    usualMs: {},
    budgetBytes: null,
    freeBytes: null,
    able: ["wan", "ltx"],
    vramTotalBytes: null,
    ...more,
  };
}

function pairs(candidates: Candidate[], workers: FreeWorker[]): string[] {
  return placeJobs(candidates, workers).map(({ jobId, workerId }) => `${jobId}→${workerId}`).toSorted();
}

Deno.test("placeJobs() gives each worker the first job that it can run", () => {
  const able = worker("b", { able: ["ltx"] });
  assertEquals(pairs([job("1"), job("2"), job("3", { workflowVersionId: "ltx" })], [able, worker("a")]), [
    "1→a",
    "3→b",
  ]);
  assertEquals(pairs([job("1", { workflowVersionId: "none" })], [worker("a")]), []);
});

Deno.test("placeJobs() spreads jobs before it stacks them", () => {
  const workers = [worker("a", { freeSlots: 2 }), worker("b")];
  assertEquals(pairs([job("1"), job("2")], workers).map((pair) => pair.at(-1)), ["a", "b"]);
  assertEquals(pairs([job("1"), job("2"), job("3")], workers).length, 3);
});

Deno.test("placeJobs() sends a lost job back to the worker that may still have it", () => {
  const lost = job("2", { lastWorkerId: "b", isAdoptable: true });
  assertEquals(pairs([job("1"), lost], [worker("b"), worker("a", { able: [] })]), ["2→b"]);
});

Deno.test("placeJobs() tries another worker after a failure, but the same one when there is no other", () => {
  const failed = job("1", { failedWorkerIds: ["a"] });
  assertEquals(pairs([failed], [worker("a"), worker("b")]), ["1→b"]);
  assertEquals(pairs([failed], [worker("a"), worker("b", { able: [] })]), ["1→a"]);
});

Deno.test("placeJobs() switches models seldom, and overtakes no job for ever", () => {
  const kinds = ["wan", "ltx"];
  const line = Array.from(
    { length: 400 },
    (_, i) => job(String(i), { orderKey: i * MINUTE_US, workflowVersionId: kinds[i % 2] ?? "" }),
  );
  const loaded: Record<string, string | null> = { a: null, b: null };
  let switches = 0;
  let longestOvertaken = 0;
  const overtaken = new Map<string, number>();
  while (line.length > 0) {
    const workers = ["a", "b"].map((id) =>
      worker(id, { loaded: loaded[id] ? [`${loaded[id]}.safetensors`] : [] })
    );
    for (const { jobId, workerId } of placeJobs(line.slice(0, 64), workers)) {
      const index = line.findIndex((one) => one.id === jobId);
      const [taken] = line.splice(index, 1);
      for (const one of line.slice(0, index)) overtaken.set(one.id, (overtaken.get(one.id) ?? 0) + 1);
      if (loaded[workerId] !== taken?.workflowVersionId) switches++;
      loaded[workerId] = taken?.workflowVersionId ?? null;
    }
    longestOvertaken = Math.max(longestOvertaken, ...overtaken.values());
  }
  // First come, first served would switch at each job: 400.
  assertEquals(switches <= 80, true, `${switches} switches`);
  assertEquals(longestOvertaken <= 24, true, `overtaken ${longestOvertaken} times`);
});

Deno.test("placeJobs() does not let loaded models pass a higher priority", () => {
  const urgent = job("urgent", { priority: 1, workflowVersionId: "ltx" });
  assertEquals(pairs([urgent, job("warm")], [worker("a", { loaded: ["wan.safetensors"] })]), ["urgent→a"]);
  const equal = job("cold", { workflowVersionId: "ltx" });
  assertEquals(pairs([equal, job("warm")], [worker("a", { loaded: ["wan.safetensors"] })]), ["warm→a"]);
});

Deno.test("placeJobs() lets no stream of warm jobs starve a cold one", () => {
  const cold = job("cold", { workflowVersionId: "ltx" });
  let rounds = 0;
  for (let next = 1;; next++) {
    const warm = Array.from(
      { length: 5 },
      (_, i) => job(`w${next + i}`, { orderKey: (next + i) * MINUTE_US }),
    );
    const [first] = placeJobs([cold, ...warm], [worker("a", { loaded: ["wan.safetensors"] })]);
    if (first?.jobId === "cold") break;
    rounds++;
  }
  assertEquals(rounds, 24);
});

Deno.test("placeJobs() gives what ran out of memory only to workers that have enough, and waits for them", () => {
  const small = worker("small", { vramTotalBytes: 8e9 });
  const large = worker("large", { vramTotalBytes: 24e9 });
  const again = job("a", { minVramBytes: 8e9 });
  const bigger = job("b", { minVramBytes: 8e9 + 1 });
  assertEquals(pairs([again], [small]), ["a→small"]);
  assertEquals(pairs([bigger], [small, worker("untold")]), []);
  assertEquals(pairs([bigger], [small, large]), ["b→large"]);
});

const LTX = { workflowVersionId: "ltx" };
const warm = { loaded: ["wan.safetensors"] };

Deno.test("placeJobs() tells models apart and not workflows: two that load the same are one to it", () => {
  const shared = { models: ["wan.safetensors", "umt5.safetensors"] };
  const one = job("first", { ...LTX, models: ["ltx.safetensors"] });
  const other = job("other", { ...shared, workflowVersionId: "wan" });
  assertEquals(pairs([one, other], [worker("a", { loaded: shared.models })]), ["other→a"]);
  // Half of what it needs is not enough to pass somebody.
  assertEquals(pairs([one, other], [worker("a", warm)]), ["first→a"]);
  // What needs no model at all is neither passed nor passes.
  assertEquals(pairs([job("plain", { ...LTX, models: [] }), job("warm")], [worker("a", warm)]), ["plain→a"]);
});

Deno.test("placeJobs() passes another user's job only where a worker that has it loaded comes to it", () => {
  const line = [job("bobs", { ...LTX, userId: "bob" }), job("adas")];
  assertEquals(pairs(line, [worker("a", warm)]), ["bobs→a"]);
  const busy = worker("b", { freeSlots: 0, busyMs: 1000, loaded: ["ltx.safetensors"] });
  assertEquals(pairs(line, [worker("a", warm), busy]), ["adas→a"]);
  assertEquals(pairs(line, [worker("a", warm), { ...busy, loaded: [] }]), ["bobs→a"]);
});

Deno.test("placeJobs() passes no job further than that job's own reach", () => {
  const long = job("long", { ...LTX, costMs: 600_000 });
  const short = job("short", { ...LTX, orderKey: 1, costMs: 1_000 });
  const warmOne = job("warm", { orderKey: 30 * 1_000_000 });
  assertEquals(pairs([long, warmOne], [worker("a", warm)]), ["warm→a"]);
  assertEquals(pairs([long, short, warmOne], [worker("a", warm)]), ["long→a"]);
});

Deno.test("placeJobs() gives the only job to the faster of two, and lets a slow one rest when that ends all sooner", () => {
  const [fast, slow] = [worker("fast", { usualMs: { wan: 10 } }), worker("slow", { usualMs: { wan: 1000 } })];
  assertEquals(pairs([job("1")], [slow, fast]), ["1→fast"]);
  const busy = { ...fast, freeSlots: 0, busyMs: 100 };
  assertEquals(pairs([job("1")], [slow, busy]), []);
  // With so much in line that the fast one would be longer at it, the slow one helps.
  const many = Array.from({ length: 100 }, (_, i) => job(String(i), { orderKey: i }));
  assertEquals(pairs(many, [slow, busy]), ["0→slow"]);
  // Nobody waits for a worker that takes far longer than it should.
  assertEquals(pairs([job("1")], [slow, { ...busy, busyMs: null }]), ["1→slow"]);
});

Deno.test("placeJobs() keeps a pinned job for its worker and lets others by", () => {
  const pinned = job("1", { pinnedWorkerId: "b" });
  assertEquals(pairs([pinned, job("2")], [worker("a")]), ["2→a"]);
  assertEquals(pairs([pinned, job("2")], [worker("a"), worker("b")]), ["1→b", "2→a"]);
});

Deno.test("placeJobs() gives a worker no more than its memory holds, its other slots counted", () => {
  const big = (id: string, orderKey: number) => job(id, { needBytes: 10e9, orderKey });
  const roomy = worker("a", { freeSlots: 2, budgetBytes: 16e9, vramTotalBytes: 24e9 });
  assertEquals(pairs([big("1", 0), big("2", 1), job("3", { orderKey: 2 })], [roomy]), ["1→a", "3→a"]);
  assertEquals(pairs([big("1", 0)], [worker("b", { budgetBytes: 8e9, vramTotalBytes: 8e9 })]), []);
  assertEquals(pairs([big("1", 0)], [worker("untold")]), ["1→untold"]);
});
