import { assertEquals } from "@std/assert/mod.js";
import { createApp } from "./create_app.ts";
import { RateLimit } from "./rate_limit.ts";

Deno.test("RateLimit gives a burst, then the steady rate, for each key alone", () => {
  let now = 0;
  const limit = new RateLimit({ capacity: 3, perSecond: 2 }, () => now);
  assertEquals([1, 2, 3, 4].map(() => limit.take("a")), [0, 0, 0, 500]);
  assertEquals(limit.take("b"), 0);
  now = 250;
  assertEquals(limit.take("a"), 250);
  now = 500;
  assertEquals([limit.take("a"), limit.take("a")], [0, 500]);
  now = 60_000;
  assertEquals([1, 2, 3, 4].map(() => limit.take("a") > 0), [false, false, false, true]);
});

Deno.test("RateLimit forgets addresses rather than fill the memory, but not the busy one", () => {
  const limit = new RateLimit({ capacity: 2, perSecond: 0.001 }, () => 0);
  for (let i = 0; i < 30_000; i++) {
    limit.take(`address ${i}`);
    if (i % 1000 === 0) limit.take("busy");
  }
  assertEquals(limit.take("busy") > 0, true);
});

Deno.test("createApp() answers 429 with Retry-After past the rate", async () => {
  const app = createApp({ rate: { capacity: 2, perSecond: 1 } });
  app.get("/x", (context) => context.text("x"));
  const answers = [await app.request("/x"), await app.request("/x"), await app.request("/x")];
  assertEquals(answers.map((answer) => answer.status), [200, 200, 429]);
  assertEquals(answers[2]?.headers.get("retry-after"), "1");
});

Deno.test("createApp() refuses more requests of one machine at a time than it should hold", async () => {
  const app = createApp({ maxInFlight: 2 });
  const gate = Promise.withResolvers<void>();
  app.get("/slow", async (context) => {
    await gate.promise;
    return context.text("done");
  });
  const first = [app.request("/slow"), app.request("/slow")];
  assertEquals((await app.request("/slow")).status, 429);
  gate.resolve();
  assertEquals((await Promise.all(first)).map((answer) => answer.status), [200, 200]);
  assertEquals((await app.request("/slow")).status, 200);
});
