import { assertEquals } from "@std/assert/mod.js";
import type { QueueJob } from "#server/jobs/contract.ts";
import {
  blockMoveOf,
  byTurn,
  EVERYTHING_OPEN,
  filterJobs,
  groupJobs,
  isGroup,
  moveOf,
  turnsOf,
} from "./queue_order.ts";

function job(id: string, given: Partial<QueueJob> = {}): QueueJob {
  return {
    id,
    lane: "gpu",
    status: "queued",
    orderKey: 0,
    userId: "u1",
    label: "Generate",
    ...given,
  } as QueueJob; // What the order reads.
}

const RUNNING = job("r", { status: "running", orderKey: 99 });
const FIRST = job("a", { orderKey: 1, userId: "u2" as QueueJob["userId"], subject: "Clip 020 · V1" });
const HELD = job("h", { orderKey: 2, status: "held" });
const SECOND = job("b", { orderKey: 3 });
const OTHER = job("c", { lane: "cpu", orderKey: 0 });
const OLD = job("x", { status: "failed", finishedAt: "2026-01-01T00:00:00.000Z", error: "Out of memory" });
const NEW = job("y", { status: "done", finishedAt: "2026-01-02T00:00:00.000Z" });
const ALL = [OLD, SECOND, OTHER, NEW, HELD, RUNNING, FIRST];
const ids = (jobs: readonly { readonly id: string }[]) => jobs.map(({ id }) => id as string).join(" ");

Deno.test("byTurn puts what runs first, then each lane in its order, then the newest that ended", () => {
  assertEquals(ids([...ALL].sort(byTurn)), "r a h b c y x");
});

Deno.test("turnsOf counts those that wait in the queue, in each lane for itself", () => {
  assertEquals([...turnsOf(ALL)], [["a", 1], ["b", 2], ["c", 1]]);
});

Deno.test("filterJobs takes state, lane and every word of a text", () => {
  const found = (filter: Partial<typeof EVERYTHING_OPEN>) =>
    ids(filterJobs(ALL, { ...EVERYTHING_OPEN, ...filter }));
  assertEquals(found({}), "b c h r a");
  assertEquals(found({ lane: "cpu" }), "c");
  assertEquals(found({ show: "waiting" }), "b c h a");
  assertEquals(found({ show: "ended" }), "x y");
  assertEquals(found({ show: "failed", text: "MEMORY generate" }), "x");
  assertEquals(found({ text: "clip 020" }), "a");
  assertEquals(found({ text: "clip 030" }), "");
});

Deno.test("groupJobs heads each group once, in the order of its first job, and folds", () => {
  const rows = groupJobs([RUNNING, FIRST, SECOND], "user", ({ userId }) => String(userId), []);
  assertEquals(ids(rows), "group:user:u1 r b group:user:u2 a");
  const [heading] = rows;
  assertEquals(heading && isGroup(heading) ? [heading.name, heading.jobIds.length, heading.running] : [], [
    "u1",
    2,
    1,
  ]);
  const folded = groupJobs([RUNNING, FIRST, SECOND], "user", () => "", ["group:user:u1"]);
  assertEquals(ids(folded), "group:user:u1 group:user:u2 a");
});

Deno.test("moveOf names a neighbour of the same lane that waits, before else after, else nothing", () => {
  const rows = [RUNNING, FIRST, SECOND, OTHER, OLD];
  assertEquals(moveOf(rows, "b", "a"), { beforeJobId: FIRST.id });
  assertEquals(moveOf(rows, "a", "c"), { afterJobId: SECOND.id });
  assertEquals(moveOf(rows, "a", undefined), { afterJobId: SECOND.id });
  assertEquals(moveOf(rows, "c", "a"), undefined, "no other of its lane is there");
  assertEquals(moveOf(rows, "r", "b"), undefined, "it runs");
  assertEquals(moveOf(rows, "x", "a"), undefined, "it has ended");
});

Deno.test("blockMoveOf takes several jobs of a lane along, wherever between them they are dropped", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id, orderKey) => job(id, { orderKey }));
  if (!a || !b || !c || !d) throw new Error("There are four");
  const rows = [a, b, c, d];
  assertEquals(blockMoveOf(rows, ["c", "d"], "a"), { beforeJobId: a.id });
  assertEquals(blockMoveOf(rows, ["a", "c"], undefined), { afterJobId: d.id });
  assertEquals(blockMoveOf(rows, ["a", "c"], "c"), { beforeJobId: d.id }, "on one of themselves");
  assertEquals(blockMoveOf(rows, ["b", "c"], "d"), "here");
  assertEquals(blockMoveOf(rows, ["b", "c"], "c"), "here");
  assertEquals(
    blockMoveOf([a, job("o", { lane: "cpu" })], ["a"], undefined),
    undefined,
    "beside another lane",
  );
});
