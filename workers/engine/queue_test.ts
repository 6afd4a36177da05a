import { assertEquals } from "@std/assert/mod.js";
import * as fc from "fast-check";
import { HISTORY_LIMIT, type Outcome, PromptQueue, type QueueItem } from "./queue.ts";

const done: Outcome = {
  status: { status_str: "success", completed: true, messages: [] },
  outputs: {},
  meta: {},
};

function item(number: number, promptId: string): QueueItem {
  return { number, promptId, prompt: {}, graph: new Map(), extraData: {}, outputs: [], createTime: 0 };
}

Deno.test("prompts are taken by number, equal ones by id, however they came", () => {
  const arbitrary = fc.uniqueArray(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.uuid()), {
    selector: ([, id]) => id,
  });
  fc.assert(fc.property(arbitrary, (given) => {
    const queue = new PromptQueue(() => {});
    for (const [number, id] of given) queue.put(item(number, id));
    const taken: [number, string][] = [];
    for (let next = queue.take(); next; next = queue.take()) {
      taken.push([next.number, next.promptId]);
      queue.finish(done);
    }
    assertEquals(taken, given.toSorted(([a, x], [b, y]) => a - b || (x < y ? -1 : 1)));
  }));
});

Deno.test("the history keeps its limit, the oldest go first, and a repeated id is one entry", () => {
  const queue = new PromptQueue(() => {});
  const run = (id: string) => {
    queue.put(item(0, id));
    queue.take();
    queue.finish(done);
  };
  for (let n = 0; n < HISTORY_LIMIT + 5; n++) run(`id${n}`);
  run("id50");
  const kept = queue.history();
  assertEquals([kept.length, kept[0]?.item.promptId, kept.at(-1)?.item.promptId], [
    HISTORY_LIMIT,
    "id5",
    "id50",
  ]);
});

Deno.test("every change of what waits or runs is told once it is true", () => {
  const seen: number[] = [];
  const queue: PromptQueue = new PromptQueue(() => seen.push(queue.remaining));
  queue.put(item(0, "a"));
  queue.put(item(1, "b"));
  queue.take();
  queue.remove(["b"]);
  queue.remove(["nobody"]);
  queue.finish(done);
  assertEquals(seen, [1, 2, 2, 1, 0]);
});
