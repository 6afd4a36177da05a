import { errorMessage } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { Log } from "#server/core/log.ts";
import type { WorkerOrderKind, WorkerRules } from "#server/fleet/contract.ts";
import type { Command, Health, Order, OrderBegun, OrderEnded, Pace } from "#workers/kit/fleet_messages.ts";
import type { PromptEvent } from "./events.ts";
import type { KeptProcess } from "./keep_process.ts";
import { doRung, type Outcome, stillRunning } from "./rungs.ts";
import { patienceMs, Silence } from "./silence.ts";
import type { WorkerLink } from "./worker_link.ts";

export interface DogOptions {
  readonly workerId: string;
  readonly link: WorkerLink;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** The same, to tell whether this process itself stood still between two looks. */
  readonly pulse?: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly rules: () => WorkerRules;
  readonly kept: () => KeptProcess | undefined;
  readonly restartCommand: () => Command | null;
  /** To the queue: "follow", "paced", "order_begun" and "order_ended". */
  readonly tell: (about: string, data: unknown) => void;
  /** `health` or `problem` is another now. */
  readonly onHealth: () => void;
}

/** The rungs, from the gentlest up. */
const LADDER = ["interrupt", "free", "restart", "kill"] as const satisfies readonly WorkerOrderKind[];
type Rung = (typeof LADDER)[number];

/** After these, whatever ran there runs no more. */
const ENDS_RUNS: readonly WorkerOrderKind[] = ["interrupt", "restart", "kill", "stop"];

/** A process of ours that answers nothing for so long, though it once did, hangs as a whole. */
const DEAF_MS = 90_000;

/** Looks come every few seconds: after a longer pause this process was frozen, and it is it that heard nothing. */
const FROZEN_MS = 20_000;

interface Followed {
  readonly silence: Silence;
  learned: Pace | undefined;
  /** The socket that heard its last event; its events come to no other. */
  heardBy: string | undefined;
  hasEnded: boolean;
}

/** Why a worker is not well, and how one sees that it is again. */
interface Trouble {
  readonly reason: string;
  readonly promptIds: readonly string[];
  readonly isCured: () => Promise<boolean>;
}

/**
 * Watches one worker: a running prompt of ours that shows no progress for a multiple of what was learned makes it
 * suspect, and then the rungs of the ladder are taken, gentlest first, until it is well or nothing is left.
 */
export class WatchDog {
  health: Health = "well";
  /** Why it is not well, as a sentence. */
  problem: string | undefined;
  readonly #options: DogOptions;
  readonly #stop = new AbortController();
  readonly #prompts = new Map<string, Followed>();
  readonly #unwatch: () => void;
  #trouble: Trouble | undefined;
  #isLooking = false;
  #isClimbing = false;
  /** One thing at a time is done to a worker. */
  #hands: Promise<void> = Promise.resolve();
  #deafSince: number | undefined;
  #lookedAt: number | undefined;
  #answeredIn = 0;

  constructor(options: DogOptions) {
    this.#options = options;
    this.#unwatch = options.link.watch({
      onQueue: () => {},
      onConnection: () => {},
      onFollow: (promptId, isFollowed) => this.#follow(promptId, isFollowed),
      onPrompt: (event) => this.#hear(event),
      onPoison: (reason) => reason === undefined ? void this.look(true) : this.#poisoned(reason),
    });
  }

  /** How long healthy runs like this one are silent at most. */
  learn(pace: Pace): void {
    const followed = this.#prompts.get(pace.promptId);
    if (followed) followed.learned = pace;
  }

  /** Every few seconds: is something silent for too long, and is what was wrong still so? */
  async look(isReachable: boolean): Promise<void> {
    if (this.#wasFrozen()) return;
    if (this.#isLooking || this.#isClimbing || this.#stop.signal.aborted) return;
    this.#isLooking = true;
    try {
      if (this.#trouble) await this.#lookAgain(this.#trouble);
      else if (!isReachable) this.#lookWhetherDeaf();
      else await this.#lookForSilence();
      if (isReachable) {
        this.#deafSince = undefined;
        this.#answeredIn = this.#options.kept()?.starts ?? 0;
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#options.log.debug("watch-dog could not look", { reason: errorMessage(error) });
      }
    } finally {
      this.#isLooking = false;
    }
  }

  /** Everything gets its time anew; and what ran here may be another process's by now, as its lease will tell. */
  #wasFrozen(): boolean {
    const { pulse = () => performance.now(), now } = this.#options;
    const pauseMs = pulse() - (this.#lookedAt ?? pulse());
    this.#lookedAt = pulse();
    if (pauseMs < FROZEN_MS) return false;
    this.#deafSince = undefined;
    for (const { silence } of this.#prompts.values()) silence.waits(now());
    return true;
  }

  /** Does what somebody asks for, after what is being done now. */
  async order(order: Order): Promise<void> {
    const before = this.#trouble;
    const { outcome, note } = await this.#do(order, [...this.#prompts.keys()]);
    if (this.#isClimbing) return;
    if (before) {
      if (await this.#isCured(before)) this.#recover();
      else if (this.#trouble === before) this.#turn("unhealthy", `${before.reason}. ${order.kind}: ${note}`);
    } else if (ENDS_RUNS.includes(order.kind)) {
      // What was well before is well after it, unless it did not come back.
      if (outcome !== "failed" || order.kind === "interrupt") return this.#recover();
      this.#trouble = { reason: note, promptIds: [], isCured: () => this.#answers() };
      this.#turn("unhealthy", note);
    }
  }

  close(): void {
    this.#stop.abort(new DOMException("Nobody watches the worker any more", "AbortError"));
    this.#unwatch();
  }

  /** Every later prompt will fail there: no gentler rung than a restart helps. */
  #poisoned(reason: string): void {
    if (this.#isClimbing) return;
    const { link, rules } = this.#options;
    const isCured = async () => {
      await link.poison.lookAgain();
      return link.poison.reason === undefined;
    };
    const trouble = { reason, promptIds: [], isCured };
    const { watchUpTo } = rules();
    if (watchUpTo === "restart" || watchUpTo === "kill") return void this.#climb(trouble, "restart");
    this.#trouble = trouble;
    this.#turn("unhealthy", `${reason}. Start it anew`);
  }

  #follow(promptId: string, isFollowed: boolean): void {
    const { workerId, now, tell } = this.#options;
    if (isFollowed) {
      const silence = new Silence(now());
      this.#prompts.set(promptId, { silence, learned: undefined, heardBy: undefined, hasEnded: false });
      return tell("follow", { workerId, promptId });
    }
    const followed = this.#prompts.get(promptId);
    this.#prompts.delete(promptId);
    if (followed?.hasEnded) tell("paced", { promptId, ...followed.silence.longest });
  }

  #hear(event: PromptEvent): void {
    const followed = this.#prompts.get(event.promptId);
    if (!followed) return;
    followed.heardBy = this.#options.link.socket.clientId;
    followed.hasEnded ||= event.type === "ended";
    followed.silence.take(event, this.#options.now());
  }

  async #lookForSilence(): Promise<void> {
    const { link, now, rules } = this.#options;
    for (const [promptId, { silence, learned, heardBy }] of this.#prompts) {
      const patience = patienceMs(silence, learned, heardBy === link.socket.clientId);
      if (silence.ms(now()) < patience) continue;
      const { state } = await link.truth(promptId, this.#stop.signal);
      if (state === "pending") silence.waits(now());
      // An end that was not heard is found by the follower; progress may have come while we asked.
      if (state !== "running" || silence.ms(now()) < patience) continue;
      const reason = `What runs there has shown no progress for ${spell(silence.ms(now()))}, where ${
        spell(patience)
      } is the most that it is given`;
      const trouble = { reason, promptIds: [promptId], isCured: () => this.#isFree([promptId]) };
      const { watchUpTo } = rules();
      if (watchUpTo !== null) return void this.#climb(trouble, "interrupt");
      this.#trouble = trouble;
      return this.#turn("suspect", `${reason}. Interrupt it, or start it anew`);
    }
  }

  /** Only a process of ours can be told to hang from one that is off, and can be ended. */
  #lookWhetherDeaf(): void {
    const { kept, now, rules } = this.#options;
    const process = kept();
    if (process?.pid === undefined || process.starts !== this.#answeredIn) {
      this.#deafSince = undefined;
      return;
    }
    this.#deafSince ??= now();
    const deafMs = now() - this.#deafSince;
    if (deafMs < DEAF_MS || rules().watchUpTo !== "kill") return;
    this.#deafSince = undefined;
    const reason = `Its process runs but has answered nothing for ${spell(deafMs)}`;
    void this.#climb({ reason, promptIds: [], isCured: () => this.#answers() }, "kill");
  }

  async #lookAgain(trouble: Trouble): Promise<void> {
    if (await trouble.isCured()) this.#recover();
  }

  async #climb(trouble: Trouble, from: Rung): Promise<void> {
    this.#isClimbing = true;
    this.#trouble = trouble;
    this.#turn("suspect", trouble.reason);
    try {
      await this.#climbFrom(trouble, from);
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#options.log.error("watch-dog fell off its ladder", { reason: errorMessage(error) });
      }
    } finally {
      this.#isClimbing = false;
    }
  }

  async #climbFrom(trouble: Trouble, from: Rung): Promise<void> {
    const { workerId, rules } = this.#options;
    const upTo = LADDER.indexOf(rules().watchUpTo ?? from);
    const notes: string[] = [];
    for (const kind of LADDER.slice(LADDER.indexOf(from), upTo + 1)) {
      if (kind !== from && await this.#isCured(trouble)) return this.#recover();
      const order = { id: newId<"worker order">(), workerId, kind, reason: trouble.reason };
      const { note } = await this.#do(order, trouble.promptIds);
      notes.push(`${kind}: ${note}`);
    }
    if (await this.#isCured(trouble)) return this.#recover();
    this.#turn("unhealthy", `${trouble.reason}. Nothing helped (${notes.join("; ")})`);
  }

  /** Told before and after; while it is done the worker gets nothing new, so that nothing new is lost. */
  #do(order: Order, promptIds: readonly string[]): Promise<Outcome> {
    const done = this.#hands.then(async () => {
      const { workerId, tell, log } = this.#options;
      if (ENDS_RUNS.includes(order.kind) && this.health !== "suspect") this.#turn("suspect", order.reason);
      tell("order_begun", { ...order, promptIds: [...promptIds] } satisfies OrderBegun);
      log.warn("worker is ordered about", { workerId, order: order.kind, reason: order.reason, promptIds });
      const signal = this.#stop.signal;
      const outcome = await doRung({ ...this.#options, signal }, order.kind, promptIds);
      tell("order_ended", { id: order.id, workerId, ...outcome } satisfies OrderEnded);
      return outcome;
    });
    this.#hands = done.then(() => {}, () => {});
    return done;
  }

  async #isCured(trouble: Trouble): Promise<boolean> {
    try {
      return await trouble.isCured();
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      this.#options.log.debug("worker does not answer the watch-dog", { reason: errorMessage(error) });
      return false;
    }
  }

  /** It answers, and none of these runs there any more. */
  async #isFree(promptIds: readonly string[]): Promise<boolean> {
    const running = await stillRunning(this.#options.link, promptIds, this.#stop.signal);
    if (running.length === 0) return true;
    // A step that was only slow: it goes on.
    const { now } = this.#options;
    return running.every((promptId) => {
      const followed = this.#prompts.get(promptId);
      return followed !== undefined &&
        followed.silence.ms(now()) < patienceMs(followed.silence, followed.learned, true) / 2;
    });
  }

  async #answers(): Promise<boolean> {
    await this.#options.link.client.systemStats({ signal: this.#stop.signal });
    return true;
  }

  #recover(): void {
    this.#trouble = undefined;
    this.#turn("well", undefined);
  }

  #turn(health: Health, problem: string | undefined): void {
    if (this.health === health && this.problem === problem) return;
    this.health = health;
    this.problem = problem;
    this.#options.onHealth();
  }
}

function spell(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
