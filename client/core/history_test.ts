import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { signal } from "@lit-labs/signals";
import fc from "fast-check";
import { HISTORY_START, type HistoryKeeper, HistoryStore } from "./history.ts";

/** Documents of one view, as the workspace keeps them: JSON. */
function openKeeper(
  shared = signal<Readonly<Record<string, string>>>({}),
  writer = "laptop.1",
): HistoryKeeper {
  const own = signal<Readonly<Record<string, string>>>({});
  const place = (isShared = true) => isShared ? shared : own;
  return {
    get: <T>(name: string, fallback: T, { isShared }: { isShared?: boolean } = {}) => {
      const text = place(isShared).get()[name];
      // Whoever reads a document is who wrote it.
      return text === undefined ? fallback : JSON.parse(text) as T;
    },
    set: (name, value, { isShared } = {}) =>
      place(isShared).set({ ...place(isShared).get(), [name]: JSON.stringify(value) }),
    names: (prefix) => Object.keys(shared.get()).filter((name) => name.startsWith(prefix)).sort(),
    writer,
  };
}

/** A number that changes by steps which the history knows. */
function openNumber(history: HistoryStore) {
  const state = { value: 0 };
  const set = (facts: unknown, side: "before" | "after") => {
    state.value = (facts as { before: number; after: number })[side];
  };
  history.registerVerb("number.set", {
    undo: (facts) => set(facts, "before"),
    redo: (facts) => set(facts, "after"),
  });
  const change = (after: number) => {
    const memory = { verb: "number.set", facts: { before: state.value, after } };
    state.value = after;
    return history.record({ label: `Set ${after}`, memory });
  };
  return { state, change };
}

Deno.test("HistoryStore takes out what was refused, and keeps what was done after it", async () => {
  const history = new HistoryStore(openKeeper());
  const { change } = openNumber(history);
  const [one, two] = [change(1), change(2)];
  history.retract(two);
  assertEquals([history.at, history.nodes.has(two), history.redoLabel], [one, false, undefined]);
  const three = change(3);
  history.retract(one);
  assertEquals([history.at, history.nodes.has(one)], [three, false]);
  assertEquals(history.nodes.get(three)?.parentId, HISTORY_START);
  await history.undo();
  assertEquals([history.at, history.redoLabel], [HISTORY_START, "Set 3"]);
});

Deno.test("HistoryStore waits for the answer to what is taken back at once, and leaves out what is refused", async () => {
  const history = new HistoryStore(openKeeper());
  const { state, change } = openNumber(history);
  const one = change(1);
  const answer = Promise.withResolvers<void>();
  const two = change(2);
  const settled = history.settle(two, answer.promise);
  const undone = history.undo();
  assertEquals([history.undoLabel, history.at, state.value], ["Set 2", two, 2]);
  answer.resolve();
  await Promise.all([settled, undone]);
  assertEquals([history.at, state.value], [one, 1]);
  // Pressed before the step before it has ended, a key means the next one.
  await Promise.all([history.redo(), history.undo(), history.redo()]);
  assertEquals([history.at, state.value], [two, 2]);
  await history.undo();

  const refusal = Promise.withResolvers<void>();
  const three = change(3);
  const refused = assertRejects(() => history.settle(three, refusal.promise), Error, "not now");
  const backFromThree = history.undo();
  refusal.reject(new Error("not now"));
  await Promise.all([refused, backFromThree]);
  // It did not happen, so nothing was taken back: not what was done before it either.
  assertEquals([history.at, history.nodes.has(three), history.isDone(one)], [one, false, true]);
});

Deno.test("HistoryStore puts what is done while a step is under way after that step", async () => {
  const history = new HistoryStore(openKeeper());
  const answer = Promise.withResolvers<void>();
  const one = history.record({ label: "One", undo: () => {}, redo: () => {} });
  const two = history.record({ label: "Two", undo: () => answer.promise, redo: () => {} });
  const back = history.goTo(HISTORY_START);
  while (history.at === two) await Promise.resolve();
  const three = history.record({ label: "Three", undo: () => {}, redo: () => {} });
  answer.resolve();
  await back;
  assertEquals([history.at, history.nodes.get(three)?.parentId, history.isDone(one)], [three, one, true]);
  await history.undo();
  assertEquals([history.at, history.redoLabel], [one, "Three"]);

  const refusal = Promise.withResolvers<void>();
  const four = history.record({ label: "Four", undo: () => refusal.promise, redo: () => {} });
  const refused = assertRejects(() => history.undo(), Error, "not now");
  while (history.at === four) await Promise.resolve();
  refusal.reject(new Error("not now"));
  await refused;
  assertEquals([history.at, history.isDone(four)], [four, true]);
});

Deno.test("HistoryStore takes one change back once, however it is asked to", async () => {
  const history = new HistoryStore(openKeeper());
  const { state, change } = openNumber(history);
  const one = change(1);
  await history.undo();
  assertEquals([history.isDone(one), state.value], [false, 0]);
  state.value = 7;
  await history.takeBack(one);
  assertEquals([state.value, history.at], [7, HISTORY_START]);
  const [two, three] = [change(2), change(3)];
  await history.takeBack(two);
  assertEquals([state.value, history.isDone(two), history.undoLabel], [7, false, "↶ Set 2"]);
  state.value = 8;
  await history.takeBack(two);
  assertEquals(state.value, 8);
  // The change that took it back can be taken back in its turn.
  await history.undo();
  assertEquals([history.at, history.isDone(two), state.value], [three, true, 2]);
  history.amend(three, { label: "Set 4", memory: { verb: "number.set", facts: { before: 1, after: 4 } } });
  await history.takeBack(three);
  assertEquals([history.redoLabel, state.value], ["Set 4", 1]);
});

Deno.test("HistoryStore makes a branch of a change after undo, and goes from any point to any other", async () => {
  const history = new HistoryStore(openKeeper());
  const { state, change } = openNumber(history);
  const [one, two] = [change(1), change(2)];
  await history.undo();
  const three = change(3);
  assertEquals([state.value, history.children.get(one)], [3, [two, three]]);
  await history.goTo(two);
  assertEquals([state.value, history.at, history.undoLabel], [2, two, "Set 2"]);
  await history.undo();
  assertEquals([state.value, history.redoLabel], [1, "Set 2"]);
  await history.goTo(HISTORY_START);
  assertEquals([state.value, history.whyNotUndo()], [0, "start"]);
  for (const _ of [1, 2]) await history.redo();
  // Back along the branch that one was on last.
  assertEquals(state.value, 2);
  history.name(three, " The other way ");
  assertEquals(history.nameOf(three), "The other way");
});

Deno.test("HistoryStore is at every node what it was when that was recorded, whatever the way there", async () => {
  const steps = fc.array(fc.oneof(fc.constant("change"), fc.constant("undo"), fc.nat(30)), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const history = new HistoryStore(openKeeper());
      const { state, change } = openNumber(history);
      const expected = new Map([[HISTORY_START, 0]]);
      let next = 0;
      for (const step of list) {
        if (step === "change") expected.set(change(++next), next);
        else if (step === "undo") await history.undo();
        else await history.goTo([...expected.keys()][step as number % expected.size] ?? HISTORY_START);
        assertEquals(state.value, expected.get(history.at));
      }
      assertEquals(history.nodes.size, next);
    }),
    { numRuns: 60 },
  );
});

Deno.test("HistoryStore takes back after a reload what was recorded with its facts, and refuses the rest untouched", async () => {
  const shared = signal<Readonly<Record<string, string>>>({});
  const keeper = openKeeper(shared);
  const before = new HistoryStore(keeper);
  const first = openNumber(before);
  const lost = before.record({ label: "Only here", undo: () => {}, redo: () => {} });
  first.change(5);
  first.change(7);

  const history = new HistoryStore(keeper);
  const { state } = openNumber(history);
  state.value = 7;
  await history.undo();
  assertEquals([state.value, history.whyNotUndo(lost)], [5, "forgotten"]);
  await assertRejects(() => history.goTo(HISTORY_START), Error, '"Only here" can\'t be taken back any more');
  assertEquals([state.value, history.nodes.size], [5, 3]);

  // Another view of the same tree is at its own place in it, and writes beside it.
  const elsewhere = new HistoryStore(openKeeper(shared, "desk.1"));
  assertEquals([elsewhere.at, elsewhere.nodes.size], [HISTORY_START, 3]);
  elsewhere.record({ label: "At the desk" });
  history.record({ label: "On the laptop" });
  assertEquals([elsewhere.nodes.size, history.nodes.size], [5, 5]);
  const documents = Object.keys(shared.get()).filter((name) => name.startsWith("history/"));
  assertEquals(documents.sort(), ["history/desk.1/0001", "history/laptop.1/0001"]);
});

Deno.test("HistoryStore stays where a step failed, and tells why", async () => {
  const history = new HistoryStore(openKeeper());
  const { state, change } = openNumber(history);
  const one = change(1);
  const refused = history.record({
    label: "Approve",
    undo: () => Promise.reject(new Error("The studio does not answer")),
  });
  const last = change(9);
  await assertRejects(() => history.goTo(one), Error, "The studio does not answer");
  assertEquals([history.at, state.value, history.isBusy], [refused, 1, false]);
  await history.goTo(last);
  assertEquals(state.value, 9);
  const final = history.record({ label: "Deliver" });
  assertEquals(history.whyNotUndo(final), "final");
});

Deno.test("HistoryStore keeps a thousand changes in documents that stay small", () => {
  const shared = signal<Readonly<Record<string, string>>>({});
  const history = new HistoryStore(openKeeper(shared));
  for (let at = 0; at < 1_000; at++) history.record({ label: `Change ${at}` });
  const chunks = Object.entries(shared.get()).filter(([name]) => name.startsWith("history/"));
  assertEquals([chunks.length, history.nodes.size], [5, 1_000]);
  assertEquals(chunks.every(([, text]) => text.length < 60_000), true);
});
