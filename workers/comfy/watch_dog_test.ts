import { assert, assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import type { WorkerRules } from "#server/fleet/contract.ts";
import type { Health, Order } from "#workers/kit/fleet_messages.ts";
import { QUICK, saveOne } from "./testing/bridge.ts";
import { FaultServer } from "./testing/fault_server.ts";
import { patienceMs, Silence } from "./silence.ts";
import { WatchDog } from "./watch_dog.ts";
import { WorkerLink } from "./worker_link.ts";

const RULES: WorkerRules = {
  watchUpTo: "kill",
  pauseAtCelsius: null,
  resumeAtCelsius: null,
  minFreeVramBytes: null,
};
const HOUR = 3_600_000;

/** A watch-dog on a stand-in, with a clock of its own that only waiting and the test move. */
class Yard implements AsyncDisposable {
  readonly server = new FaultServer();
  readonly link = new WorkerLink(this.server.url, QUICK);
  readonly told: { about: string; data: unknown }[] = [];
  rules = RULES;
  clockMs = 0;
  pulseMs = 0;
  /** How many times faster the clock goes than what is waited for. */
  haste = 1;
  #waiting: { health: Health; resolve: () => void } | undefined;
  readonly dog = new WatchDog({
    workerId: "w",
    link: this.link,
    log: silentLog,
    now: () => this.clockMs,
    pulse: () => this.pulseMs,
    wait: async (ms, signal) => {
      this.clockMs += ms * this.haste;
      await delay(5, signal);
    },
    rules: () => this.rules,
    kept: () => undefined,
    restartCommand: () => null,
    tell: (about, data) => this.told.push({ about, data }),
    onHealth: () => this.dog.health === this.#waiting?.health && this.#waiting.resolve(),
  });

  /** A prompt of ours on the worker, which has begun when this resolves, and does nothing more. */
  async givenHang(): Promise<string> {
    const promptId = crypto.randomUUID();
    const begun = Promise.withResolvers<void>();
    this.server.onPrompt = (prompt) => this.server.begin(prompt);
    await this.link.socket.whenOpen(60_000);
    this.link.listen(promptId, {
      onEvent: (event) => event.type === "cached" && begun.resolve(),
      onPreview: () => {},
      onGap: () => {},
    });
    await this.link.client.submit({ promptId, clientId: this.link.socket.clientId, graph: saveOne() });
    await begun.promise;
    return promptId;
  }

  async until(health: Health): Promise<void> {
    if (this.dog.health === health) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { health, resolve };
    await promise;
  }

  /** What was done, in order: "interrupt worked". */
  get orders(): string[] {
    const kinds = new Map<string, string>();
    return this.told.flatMap(({ about, data }) => {
      // Told by the watch-dog itself.
      const { id, kind, outcome } = data as { id: string; kind: string; outcome: string };
      if (about === "order_begun") kinds.set(id, kind);
      return about === "order_ended" ? [`${kinds.get(id)} ${outcome}`] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dog.close();
    await this.link.close();
    await this.server[Symbol.asyncDispose]();
  }
}

Deno.test("WatchDog holds its own standing still against no worker", async () => {
  await using yard = new Yard();
  await yard.givenHang();
  await yard.dog.look(true);
  yard.clockMs += HOUR;
  yard.pulseMs += HOUR;
  await yard.dog.look(true);
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.orders], ["well", []]);
  yard.clockMs += HOUR;
  const suspect = yard.until("suspect");
  await yard.dog.look(true);
  await suspect;
});

Deno.test("WatchDog interrupts only the prompt of ours that hangs, and is well when that has ended", async () => {
  await using yard = new Yard();
  const promptId = await yard.givenHang();
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.orders], ["well", []]);
  yard.clockMs += HOUR;
  const suspect = yard.until("suspect");
  await yard.dog.look(true);
  await suspect;
  assert(yard.dog.problem?.includes("no progress for 60 min"), yard.dog.problem);
  await yard.until("well");
  assertEquals(yard.orders, ["interrupt worked"]);
  assertEquals(yard.server.interrupted, [promptId]);
  assertEquals(yard.told.find(({ about }) => about === "follow")?.data, { workerId: "w", promptId });
});

Deno.test("WatchDog goes on to free and to the Manager's reboot when an interrupt is not noticed", async () => {
  await using yard = new Yard();
  const { server } = yard;
  const promptId = await yard.givenHang();
  const interrupted: (string | undefined)[] = [];
  server.onInterrupt = (id) => void interrupted.push(id);
  server.misbehave = ({ method, path }) => {
    const isManager = path.startsWith("/v2/manager/");
    if (path === "/v2/manager/version") {
      return { answer: { status: 200, type: "text/plain", body: "V4.0.1" } };
    }
    // It replaces its own process: the answer never comes.
    if (isManager && method === "POST") server.restart();
    return isManager ? { cut: true } : undefined;
  };
  yard.clockMs += HOUR;
  await yard.dog.look(true);
  await yard.until("well");
  assertEquals(yard.orders, ["interrupt failed", "free failed", "restart worked"]);
  assertEquals([server.count("POST /free"), server.count("POST /v2/manager/reboot")], [1, 1]);
  // Never whatever runs: it may be another's by now.
  assertEquals([interrupted.length > 1, new Set(interrupted)], [true, new Set([promptId])]);
});

Deno.test("WatchDog calls a worker unhealthy when nothing helps, and well when it came back by other hands", async () => {
  await using yard = new Yard();
  const { server } = yard;
  await yard.givenHang();
  server.onInterrupt = () => {};
  yard.clockMs += HOUR;
  await yard.dog.look(true);
  await yard.until("unhealthy");
  assertEquals(yard.orders, ["interrupt failed", "free failed", "restart impossible", "kill impossible"]);
  assert(yard.dog.problem?.includes("by hand"), yard.dog.problem);
  await yard.dog.look(true);
  assertEquals(yard.dog.health, "unhealthy");
  server.restart();
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.dog.problem], ["well", undefined]);
});

Deno.test("WatchDog only offers what its rules do not let it do, and progress makes the worker well", async () => {
  await using yard = new Yard();
  const { server } = yard;
  yard.rules = { ...RULES, watchUpTo: null };
  const promptId = await yard.givenHang();
  yard.clockMs += HOUR;
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.orders], ["suspect", []]);
  const heard = Promise.withResolvers<void>();
  const unwatch = yard.link.watch({
    onQueue: () => {},
    onConnection: () => {},
    onPrompt: ({ type }) => type === "progress" && heard.resolve(),
  });
  await server.tell(server.prompts.get(promptId)!, "progress", { node: "1", value: 1, max: 4 });
  await heard.promise;
  unwatch();
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.orders, server.interrupted], ["well", [], []]);
});

Deno.test("WatchDog stops at the highest rung that its rules let it take", async () => {
  await using yard = new Yard();
  yard.rules = { ...RULES, watchUpTo: "free" };
  await yard.givenHang();
  yard.server.onInterrupt = () => {};
  yard.clockMs += HOUR;
  await yard.dog.look(true);
  await yard.until("unhealthy");
  assertEquals(yard.orders, ["interrupt failed", "free failed"]);
});

Deno.test("WatchDog leaves a prompt that waits its turn alone, however long", async () => {
  await using yard = new Yard();
  const promptId = await yard.givenHang();
  yard.server.prompts.get(promptId)!.state = "pending";
  yard.clockMs += HOUR;
  await yard.dog.look(true);
  yard.server.prompts.get(promptId)!.state = "running";
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.orders], ["well", []]);
});

Deno.test("WatchDog leaves a prompt alone whose end it has not heard", async () => {
  await using yard = new Yard();
  const promptId = await yard.givenHang();
  yard.server.endSilently(yard.server.prompts.get(promptId)!);
  yard.clockMs += HOUR;
  await yard.dog.look(true);
  assertEquals([yard.dog.health, yard.orders], ["well", []]);
});

Deno.test("WatchDog does not believe a Manager that says yes and starts nothing anew", async () => {
  await using yard = new Yard();
  yard.server.misbehave = ({ path }) =>
    path.startsWith("/v2/manager/")
      ? { answer: { status: 200, type: "text/plain", body: "V4.0.1" } }
      : undefined;
  const promptId = await yard.givenHang();
  yard.server.endSilently(yard.server.prompts.get(promptId)!);
  yard.haste = 50;
  yard.link.poison.found(promptId, "Its GPU is at fault");
  await yard.until("unhealthy");
  assertEquals(yard.orders, ["restart failed", "kill impossible"]);
});

Deno.test("WatchDog starts a poisoned worker anew at once, and a failed restart is told", async () => {
  await using yard = new Yard();
  const promptId = await yard.givenHang();
  yard.server.endSilently(yard.server.prompts.get(promptId)!);
  yard.link.poison.found(promptId, "Its GPU is at fault");
  await yard.until("unhealthy");
  assertEquals(yard.orders, ["restart impossible", "kill impossible"]);
  yard.server.restart();
  await yard.dog.look(true);
  assertEquals(yard.dog.health, "well");
});

Deno.test("WatchDog does what a person asks for: the worker gets nothing new meanwhile", async () => {
  await using yard = new Yard();
  const promptId = await yard.givenHang();
  const order: Order = { id: "o", workerId: "w", kind: "interrupt", reason: "Asked for" };
  const suspect = yard.until("suspect");
  const done = yard.dog.order(order);
  await suspect;
  await done;
  assertEquals([yard.dog.health, yard.orders, yard.server.interrupted], ["well", ["interrupt worked"], [
    promptId,
  ]]);
  await yard.dog.order({ ...order, kind: "free" });
  await yard.dog.order({ ...order, kind: "kill" });
  assertEquals([yard.dog.health, yard.orders.slice(1)], ["well", ["free worked", "kill impossible"]]);
});

Deno.test("Silence counts only what moves, and keeps the longest rest and step apart", () => {
  const silence = new Silence(0);
  const step = (value: number, finished = false) =>
    ({ type: "progress", promptId: "p", nodes: [{ node: "k", value, max: 4, finished }] }) as const;
  silence.take({ type: "started", promptId: "p" }, 10);
  assertEquals(silence.longest, { restMs: null, stepMs: null });
  silence.take(step(1), 100_010);
  silence.take(step(2), 102_010);
  silence.take(step(2), 109_010);
  assertEquals([silence.ms(110_010), silence.isStepping], [8_000, true]);
  silence.take(step(3), 112_010);
  silence.take(step(4, true), 113_010);
  silence.take({ type: "ending", promptId: "p" }, 400_000);
  assertEquals([silence.longest, silence.isStepping], [{ restMs: 100_000, stepMs: 10_000 }, false]);
  silence.waits(500_000);
  assertEquals(silence.ms(500_001), 1);
});

Deno.test("patienceMs() is a multiple of what was learned, within bounds; what nobody knows has the most", () => {
  const silence = new Silence(0);
  const pace = (stepMs: number | null, restMs: number | null) => ({ stepMs, restMs });
  assertEquals(patienceMs(silence, undefined, true), 1_800_000);
  assertEquals(patienceMs(silence, pace(1, 1), true), 300_000);
  assertEquals(patienceMs(silence, pace(1, 200_000), true), 800_000);
  assertEquals(patienceMs(silence, pace(1, 1e9), true), 1_800_000);
  assertEquals(patienceMs(silence, pace(1, 1), false), 1_800_000);
  silence.take(
    { type: "progress", promptId: "p", nodes: [{ node: "k", value: 1, max: 4, finished: false }] },
    1,
  );
  assertEquals(patienceMs(silence, pace(null, 1), true), 900_000);
  assertEquals(patienceMs(silence, pace(20_000, 1), true), 160_000);
  assertEquals(patienceMs(silence, pace(1, 1), true), 60_000);
});
