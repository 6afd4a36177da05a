import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { AGENT_PORT, AgentReport, agentUrl } from "./agent.ts";
import { readCapped } from "./body.ts";

export interface AgentWatch {
  /** What the agent said last; undefined where there is none, or what it said is old. */
  readonly report: AgentReport | undefined;
  close(): Promise<void>;
}

export interface AgentWatchOptions {
  readonly log: Log;
  readonly port?: number | undefined;
  /** How often an agent that answers is asked. */
  readonly everyMs?: number;
  /** How soon one is looked for again where there was none. */
  readonly againMs?: number;
  /** What is older is no data. */
  readonly staleMs?: number;
}

/** A report of 64 cards has some 16 kB. */
const MAX_BYTES = 100_000;
const CALL_MS = 2_000;
/** So many failures in a row, and the agent is gone. */
const PATIENCE = 5;

/** Asks the machine of the worker at `workerUrl` how it is, where an agent runs there, until closed. */
export function watchAgent(workerUrl: string, options: AgentWatchOptions): AgentWatch {
  const { log, port = AGENT_PORT, everyMs = 1_000, againMs = 30_000, staleMs = 5_000 } = options;
  const url = agentUrl(workerUrl, port);
  const stop = new AbortController();
  let last: { readonly report: AgentReport; readonly at: number } | undefined;
  const follow = async () => {
    for (let failures = PATIENCE; !stop.signal.aborted;) {
      try {
        const report = await ask(url, stop.signal);
        if (failures >= PATIENCE) log.info("agent answers", { url, version: report.version });
        last = { report, at: performance.now() };
        failures = 0;
      } catch (error) {
        if (++failures === PATIENCE && !stop.signal.aborted) {
          log.warn("agent is gone", { url, reason: errorMessage(error) });
        }
      }
      await delay(failures >= PATIENCE ? againMs : everyMs, stop.signal).catch(() => {});
    }
  };
  const following = follow();
  return {
    get report() {
      return last && performance.now() - last.at < staleMs ? last.report : undefined;
    },
    close: async () => {
      stop.abort();
      await following;
    },
  };
}

/** Throws when nobody answers there, or somebody else does. */
async function ask(url: string, stopping: AbortSignal): Promise<AgentReport> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(CALL_MS)]);
  const response = await fetch(url, { signal, redirect: "manual" });
  const bytes = await readCapped(response.body, MAX_BYTES);
  if (!response.ok || bytes === undefined) throw new Error(`It answered ${response.status}`);
  return AgentReport.parse(JSON.parse(new TextDecoder().decode(bytes), withinReason));
}

/** A number beyond all that can be measured, or kept, is no data. */
function withinReason(_key: string, value: unknown): unknown {
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER ? null : value;
}
