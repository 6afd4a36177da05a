import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { Mailbox } from "./mailbox.ts";

/** Two ends and what comes out of the second; `sizes` tells of each message on the wire how many it held. */
function openPair(refused?: (message: unknown, error: unknown) => void) {
  const { port1, port2 } = new MessageChannel();
  const received: unknown[] = [];
  const waiting = new Map<unknown, () => void>();
  const sizes: number[] = [];
  port2.addEventListener("message", ({ data }) => sizes.push(data.length));
  const there = new Mailbox<unknown>(port2, (message) => {
    received.push(message);
    waiting.get(message)?.();
  });
  const here = new Mailbox<unknown>(port1, () => {}, refused);
  return {
    here,
    received,
    sizes,
    until: (message: unknown) => new Promise<void>((resolve) => waiting.set(message, resolve)),
    [Symbol.dispose]: () => {
      here.close();
      there.close();
    },
  };
}

Deno.test("Mailbox sends what is posted in one turn together, in order", async () => {
  using pair = openPair();
  const last = pair.until("last");
  for (const n of [1, 2, 3]) pair.here.post(n);
  await Promise.resolve();
  pair.here.post("last");
  await last;
  assertEquals(pair.received, [1, 2, 3, "last"]);
  assertEquals(pair.sizes, [3, 1]);
});

Deno.test("Mailbox keeps the order around what is transferred, and transfers it", async () => {
  using pair = openPair();
  const last = pair.until("after");
  const bytes = new Uint8Array([1, 2, 3]);
  pair.here.post("before");
  pair.here.post(bytes, [bytes.buffer]);
  pair.here.post("after");
  await last;
  assertEquals(pair.received, ["before", new Uint8Array([1, 2, 3]), "after"]);
  assertEquals(bytes.byteLength, 0);
});

Deno.test("Mailbox hands back what can't be cloned and sends the rest", async () => {
  const problems: string[] = [];
  using pair = openPair((message, error) => problems.push(`${typeof message}: ${error}`));
  const last = pair.until("last");
  for (const message of ["first", () => {}, "last"]) pair.here.post(message);
  await last;
  assertEquals(pair.received, ["first", "last"]);
  assertEquals(problems.length, 1);
  assertMatch(problems[0] ?? "", /^function: DataCloneError/);
});

Deno.test("Mailbox that is closed has sent what was posted before", async () => {
  using pair = openPair();
  const last = pair.until("last");
  pair.here.post("last");
  pair.here.close();
  await last;
  assertEquals(pair.received, ["last"]);
});
