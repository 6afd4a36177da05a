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
    ...more,
  };
}

function worker(id: string, more: Partial<FreeWorker> = {}): FreeWorker {
  return {
    id,
    url: "",
    ownerEpoch: 0,
    freeSlots: 1,
    lastWorkflowVersionId: null,
    able: ["wan", "ltx"],
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
    const workers = ["a", "b"].map((id) => worker(id, { lastWorkflowVersionId: loaded[id] ?? null }));
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
  assertEquals(pairs([urgent, job("warm")], [worker("a", { lastWorkflowVersionId: "wan" })]), ["urgent→a"]);
  const equal = job("cold", { workflowVersionId: "ltx" });
  assertEquals(pairs([equal, job("warm")], [worker("a", { lastWorkflowVersionId: "wan" })]), ["warm→a"]);
});

Deno.test("placeJobs() lets no stream of warm jobs starve a cold one", () => {
  const cold = job("cold", { workflowVersionId: "ltx" });
  let rounds = 0;
  for (let next = 1;; next++) {
    const warm = Array.from(
      { length: 5 },
      (_, i) => job(`w${next + i}`, { orderKey: (next + i) * MINUTE_US }),
    );
    const [first] = placeJobs([cold, ...warm], [worker("a", { lastWorkflowVersionId: "wan" })]);
    if (first?.jobId === "cold") break;
    rounds++;
  }
  assertEquals(rounds, 24);
});
