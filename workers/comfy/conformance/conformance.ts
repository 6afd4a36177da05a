import { CACHE_CHECKS } from "./cache_checks.ts";
import { type Check, skipReason } from "./check.ts";
import { FILE_CHECKS } from "./file_checks.ts";
import { HISTORY_CHECKS } from "./history_checks.ts";
import { Peer } from "./peer.ts";
import { PROMPT_CHECKS } from "./prompt_checks.ts";
import { QUEUE_CHECKS } from "./queue_checks.ts";
import { RUN_CHECKS } from "./run_checks.ts";
import { SOCKET_CHECKS } from "./socket_checks.ts";

/** What a server that speaks ComfyUI's protocol does: checked on ComfyUI itself and on the CPU engine. */
export const CHECKS: readonly Check[] = [
  ...RUN_CHECKS,
  ...PROMPT_CHECKS,
  ...CACHE_CHECKS,
  ...QUEUE_CHECKS,
  ...SOCKET_CHECKS,
  ...FILE_CHECKS,
  ...HISTORY_CHECKS,
];

export interface CheckResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly because: string | undefined;
}

/** Runs every check against the server at `url`, one after the other, telling each result as it comes. */
export async function runConformance(
  url: string,
  tell: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  const peer = await Peer.at(url);
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    const result = await runCheck(check, peer);
    results.push(result);
    tell(result);
  }
  return results;
}

/** Runs one check; never throws. */
export async function runCheck(check: Check, peer: Peer): Promise<CheckResult> {
  const { name } = check;
  const skip = skipReason(check, peer.facts);
  if (skip !== undefined) return { name, outcome: "skipped", because: skip };
  try {
    await check.run(peer);
    return { name, outcome: "passed", because: undefined };
  } catch (problem) {
    return { name, outcome: "failed", because: problem instanceof Error ? problem.message : String(problem) };
  }
}
