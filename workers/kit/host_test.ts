import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { until } from "#server/testing/until.ts";
import { startThread, type Thread } from "./host.ts";
import { Mailbox } from "./mailbox.ts";
import type { CallFailure, CallReply, CallRequest } from "./messages.ts";

const MODULE = new URL("./trial_thread.ts", import.meta.url);

interface Trial extends AsyncDisposable {
  readonly thread: Thread;
  readonly folder: string;
  send(call: CallRequest): void;
  /** The next reply for which `wanted` holds. */
  next(wanted: (reply: CallReply) => boolean): Promise<CallReply>;
  /** How it is told that the thread died. */
  readonly death: Promise<string>;
  up(times: number): Promise<void>;
}

async function openTrial(): Promise<Trial> {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_kit_" });
  const thread = startThread("media", MODULE, {
    log: silentLog,
    settings: { workRoot: folder },
    beatMs: 20,
    silenceMs: 400,
    backoffMs: 1,
  });
  const replies: CallReply[] = [];
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((check) => check());
  let mailbox: Mailbox<CallRequest> | undefined;
  let ups = 0;
  const death = Promise.withResolvers<string>();
  thread.watch({
    up: () => {
      ups++;
      const { port1, port2 } = new MessageChannel();
      mailbox?.close();
      mailbox = new Mailbox(port1, (reply) => {
        replies.push(reply as CallReply);
        wake();
      });
      thread.post({ t: "attach", name: "queue" }, [port2]);
      wake();
    },
    down: (reason) => death.resolve(reason),
  });
  const until = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const check = () => {
        const found = find();
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  await thread.ready;
  return {
    thread,
    folder,
    death: death.promise,
    send: (call) => mailbox?.post(call),
    next: (wanted) => until(() => replies.find(wanted)),
    up: async (times) => void await until(() => ups >= times || undefined),
    [Symbol.asyncDispose]: async () => {
      await thread.stop();
      mailbox?.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function call(input: unknown, attempt = 1): CallRequest {
  return { t: "run", callId: "call", jobId: "job", attempt, kind: "media.inspect", input };
}

function failureOf(reply: CallReply): CallFailure {
  if (reply.t !== "failed") throw new Error(`Expected a failure, got ${JSON.stringify(reply)}`);
  return reply.failure;
}

const isEnd = (reply: CallReply) => reply.t === "done" || reply.t === "failed";

Deno.test("serveThread() parses, runs and answers, and removes the working folder", async () => {
  await using trial = await openTrial();
  trial.send(call({ act: "report", count: 4 }));
  assertEquals(await trial.next(isEnd), { t: "done", callId: "call", output: { doubled: 8 } });
  const progress = await trial.next((reply) => reply.t === "progress");
  assertEquals(progress, { t: "progress", callId: "call", ratio: 0.5, note: "half" });
  const preview = await trial.next((reply) => reply.t === "preview");
  assert(preview.t === "preview" && preview.bytes[2] === 3);
  const log = await trial.next((reply) => reply.t === "log");
  assert(log.t === "log" && log.message === "half way there" && log.fields["count"] === 4);
  // "done" is sent before the folder goes, so that nobody waits for it.
  const folders = () => [...Deno.readDirSync(trial.folder)].map(({ name }) => name);
  await until("the working folder is gone", () => !folders().includes("call"));
});

for (
  const [act, how, failureClass] of [
    ["give_up", "give_up", "bad_input"],
    ["try_later", "try_later", "worker_gone"],
    ["retry", "retry", "output_missing"],
    ["throw", "retry", "internal"],
    ["bad_output", "give_up", "internal"],
    ["no_output", "retry", "internal"],
    ["no such act", "give_up", "bad_input"],
  ]
) {
  Deno.test(`serveThread() reports "${act}" as ${how} of class ${failureClass}`, async () => {
    await using trial = await openTrial();
    trial.send(call({ act }));
    const failure = failureOf(await trial.next(isEnd));
    assertEquals([failure.how, failure.failureClass], [how, failureClass]);
  });
}

Deno.test("serveThread() stops a call that is cancelled", async () => {
  await using trial = await openTrial();
  trial.send(call({ act: "wait" }));
  await trial.next((reply) => reply.t === "progress");
  trial.send({ t: "cancel", callId: "call", reason: "cancelled" });
  assertEquals(failureOf(await trial.next(isEnd)).how, "aborted");
});

for (const [act, reason] of [["crash", /Crashed on purpose/], ["exit", /nothing was heard/]] as const) {
  Deno.test(`startThread() restarts a thread that does "${act}"`, async () => {
    await using trial = await openTrial();
    trial.send(call({ act }));
    assertMatch(await trial.death, reason);
    await trial.up(2);
    assertEquals(trial.thread.state.status, "running");
    assertEquals(trial.thread.state.restarts, 1);
    trial.send(call({ act, count: 2 }, 2));
    assertEquals(await trial.next(isEnd), { t: "done", callId: "call", output: { doubled: 4 } });
  });
}

Deno.test("startThread() gives a thread only what its permissions say", async () => {
  const thread = startThread("media", MODULE, {
    log: silentLog,
    permissions: { read: true, env: true, write: false, net: false, run: false, ffi: false, sys: false },
    settings: { workRoot: "/nowhere" },
  });
  await thread.ready;
  const { port1, port2 } = new MessageChannel();
  const end = Promise.withResolvers<CallReply>();
  const mailbox = new Mailbox<CallRequest>(port1, (reply) => {
    if (isEnd(reply as CallReply)) end.resolve(reply as CallReply);
  });
  thread.post({ t: "attach", name: "queue" }, [port2]);
  mailbox.post(call({ act: "report" }));
  assertMatch(failureOf(await end.promise).message, /write access/);
  mailbox.close();
  await thread.stop();
});
