import type { Facts, Peer } from "./peer.ts";

/** One thing that a server speaking ComfyUI's protocol does. It throws when it doesn't. */
export interface Check {
  readonly name: string;
  /** Node classes without which the check has no meaning. */
  readonly classes: readonly string[];
  /** Why it can't be asked of this server, or undefined. */
  readonly skip: (facts: Facts) => string | undefined;
  readonly run: (peer: Peer) => Promise<void>;
}

export interface CheckOptions {
  readonly classes?: readonly string[];
  readonly skip?: (facts: Facts) => string | undefined;
}

export function check(name: string, run: (peer: Peer) => Promise<void>, options: CheckOptions = {}): Check {
  return { name, run, classes: options.classes ?? [], skip: options.skip ?? (() => undefined) };
}

/** Why `check` is not run against a server of these facts; undefined when it is. */
export function skipReason(check: Check, facts: Facts): string | undefined {
  const lacking = check.classes.filter((name) => !facts.classes.has(name));
  if (lacking.length > 0) return `no ${lacking.join(", ")} here`;
  return check.skip(facts);
}

/** True for a version of at least `major.minor`; the versions under which behaviour changed are few. */
export function isAtLeast(facts: Facts, major: number, minor: number): boolean {
  const [has = 0, then = 0] = facts.version.split(".").map(Number);
  return has > major || (has === major && then >= minor);
}
