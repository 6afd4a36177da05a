import { deadline } from "#server/core/time.ts";
import { errorMessage } from "#server/core/errors.ts";
import type { WorkerOrderKind, WorkerOrderOutcome } from "#server/fleet/contract.ts";
import type { Command } from "#workers/kit/fleet_messages.ts";
import { sendCancel } from "./cancel.ts";
import { runCommand } from "./command.ts";
import type { KeptProcess } from "./keep_process.ts";
import { findManager, reboot } from "./comfy_manager.ts";
import type { WorkerLink } from "./worker_link.ts";

/** What became of an order, as a sentence that says what to do next where it did not work. */
export interface Outcome {
  readonly outcome: WorkerOrderOutcome;
  readonly note: string;
}

export interface RungOptions {
  readonly link: WorkerLink;
  /** Waits without holding up anything else; tests pass a clock of their own. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** The process that the studio keeps for this worker; undefined where it keeps none. */
  readonly kept: () => KeptProcess | undefined;
  /** How it is started anew here by other means. */
  readonly restartCommand: () => Command | null;
}

const LOOK_MS = 1_000;
const AGAIN_MS = 3_000;
/** A step of a large model can take half a minute; only after it is an interrupt noticed. */
const INTERRUPT_MS = 45_000;
const FREE_MS = 10_000;
/** A ComfyUI with many node packs takes minutes to start. */
const START_MS = 600_000;
const COMMAND_MS = 120_000;

/** Does one thing to the worker and says whether it worked. Never throws, unless the signal aborts. */
export async function doRung(
  options: RungOptions,
  kind: WorkerOrderKind,
  promptIds: readonly string[],
): Promise<Outcome> {
  try {
    return await RUNGS[kind](options, promptIds);
  } catch (error) {
    options.signal.throwIfAborted();
    return failed(errorMessage(error));
  }
}

const RUNGS: Readonly<
  Record<WorkerOrderKind, (options: RungOptions, promptIds: readonly string[]) => Promise<Outcome>>
> = { interrupt, free, restart, kill, start, stop };

const worked = (note: string): Outcome => ({ outcome: "worked", note });
const failed = (note: string): Outcome => ({ outcome: "failed", note });
const impossible = (note: string): Outcome => ({ outcome: "impossible", note });

/** Only prompts of ours, by id; a busy node notices it at its next step, if ever. */
async function interrupt(options: RungOptions, promptIds: readonly string[]): Promise<Outcome> {
  const { link, now, wait, signal } = options;
  if (promptIds.length === 0) return worked("Nothing of the studio ran there");
  const end = now() + INTERRUPT_MS;
  for (let sentAt = -Infinity;;) {
    const running = await stillRunning(link, promptIds, signal);
    if (running.length === 0) return worked("What ran there has stopped");
    if (now() > end) return failed(`It went on for ${INTERRUPT_MS / 1000} s after the interrupt`);
    if (now() - sentAt >= AGAIN_MS) {
      sentAt = now();
      const features = await link.features(signal);
      for (const promptId of running) await sendCancel(link.client, features, promptId, signal);
    }
    await wait(LOOK_MS, signal);
  }
}

/** Those of the prompts that run or wait on the worker. Throws ComfyError when it does not answer. */
export async function stillRunning(
  link: WorkerLink,
  promptIds: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (promptIds.length === 0) return [];
  const truths = await link.truths(promptIds, signal);
  return promptIds.filter((_, at) => truths[at]?.state === "running" || truths[at]?.state === "pending");
}

/** Takes effect after the running node: it helps one that waits for memory. */
async function free(
  { link, wait, now, signal }: RungOptions,
  promptIds: readonly string[],
): Promise<Outcome> {
  await link.client.free({ signal });
  const end = now() + FREE_MS;
  while (promptIds.length > 0) {
    if ((await stillRunning(link, promptIds, signal)).length === 0) {
      return worked("What ran there has stopped");
    }
    if (now() > end) return failed("Its memory was asked for, but what runs there still does");
    await wait(LOOK_MS, signal);
  }
  return worked("It drops its models and results after what runs now");
}

async function restart(options: RungOptions): Promise<Outcome> {
  const { link, signal } = options;
  const before = seenOf(link);
  const kept = options.kept();
  const command = options.restartCommand();
  const manager = await findManager(link.client.url, signal);
  if (manager !== undefined) {
    const refusal = await reboot(link.client.url, manager, signal);
    if (refusal === undefined) return await untilBack(options, before, "ComfyUI-Manager");
    if (command === null && kept === undefined) return failed(refusal);
  }
  if (command !== null) {
    const problem = await runCommand(command, COMMAND_MS, signal);
    if (problem !== undefined) return failed(`Its restart command failed: ${problem}`);
    return await untilBack(options, before, "its restart command");
  }
  if (kept === undefined) {
    return impossible(
      "It has no ComfyUI-Manager and no command is set that starts it anew: set one, or start it anew by hand",
    );
  }
  await kept.restart();
  return await untilBack(options, undefined, "the studio");
}

async function kill(options: RungOptions): Promise<Outcome> {
  const kept = options.kept();
  if (kept === undefined) return impossible("The studio does not start it, so it can't end its process");
  await kept.kill();
  return await untilBack(options, undefined, "the studio");
}

async function start(options: RungOptions): Promise<Outcome> {
  const kept = options.kept();
  if (kept === undefined) return impossible("The studio does not start it: set a start command first");
  return await untilUp(options, "It answers");
}

/** The process ends when the queue no longer wants it; this only waits for that. */
async function stop({ kept, now, wait, signal }: RungOptions): Promise<Outcome> {
  const end = now() + START_MS;
  while (kept()?.pid !== undefined) {
    if (now() > end) return failed("Its process did not end");
    await wait(LOOK_MS, signal);
  }
  return worked("It was stopped, and stays so until it is started");
}

interface SeenSocket {
  readonly generation: number;
  readonly isOpen: boolean;
}

function seenOf({ socket }: WorkerLink): SeenSocket {
  return { generation: socket.generation, isOpen: socket.isOpen };
}

/**
 * Another process answers: the socket was lost, or a call was, since `before`, and now it answers. Without a
 * `before` it is known that the old one has ended.
 */
async function untilBack(options: RungOptions, before: SeenSocket | undefined, by: string): Promise<Outcome> {
  const { link, now, wait, signal } = options;
  const end = now() + START_MS;
  let wasAway = before === undefined;
  for (;;) {
    await wait(LOOK_MS, signal);
    wasAway ||= link.socket.generation !== before?.generation || (before.isOpen && !link.socket.isOpen);
    const isUp = await answers(link, signal);
    wasAway ||= !isUp;
    if (wasAway && isUp) return worked(`It was started anew by ${by}`);
    if (now() > end) {
      return failed(
        wasAway
          ? `It did not come back within ${
            START_MS / 60_000
          } minutes after it was started anew by ${by}: look into its log`
          : `It did not end when ${by} started it anew`,
      );
    }
  }
}

async function untilUp({ link, now, wait, signal }: RungOptions, note: string): Promise<Outcome> {
  const end = now() + START_MS;
  while (!await answers(link, signal)) {
    if (now() > end) {
      return failed(`It did not answer within ${START_MS / 60_000} minutes: look into its log`);
    }
    await wait(LOOK_MS, signal);
  }
  return worked(note);
}

async function answers(link: WorkerLink, signal: AbortSignal): Promise<boolean> {
  try {
    await deadline(link.client.systemStats({ signal }), 5_000, () => new Error("Late"));
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
