import { errorMessage } from "#server/core/errors.ts";
import type { Command } from "#workers/kit/fleet_messages.ts";

/** What a process of ours is given of the studio's own variables: never its secrets. */
const INHERITED = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "SystemRoot", "TEMP"];

/** The variables of a command's process: those that every program needs, and its own. */
export function environmentOf({ environment }: Pick<Command, "environment">): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    // deno-lint-ignore house/no-env -- the machine's own, for a program of the machine; no setting of the studio
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const own = environment.map((variable) => {
    const at = variable.indexOf("=");
    return [variable.slice(0, at), variable.slice(at + 1)] as const;
  });
  return Object.fromEntries([...inherited, ...own]);
}

const MOST_TOLD = 500;

/** Runs a command to its end; what is returned is why it failed, with the last that it said. */
export async function runCommand(
  command: Command,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [program = "", ...args] = command.args;
  const late = AbortSignal.timeout(deadlineMs);
  try {
    const { success, code, stderr } = await new Deno.Command(program, {
      args,
      ...(command.folder === null ? {} : { cwd: command.folder }),
      clearEnv: true,
      env: environmentOf(command),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal: AbortSignal.any([signal, late]),
    }).output();
    signal.throwIfAborted();
    if (late.aborted) return `it took longer than ${deadlineMs / 1000} s`;
    if (success) return undefined;
    const said = new TextDecoder().decode(stderr).trim().slice(-MOST_TOLD);
    return `it ended with ${code}${said === "" ? "" : `: ${said}`}`;
  } catch (error) {
    signal.throwIfAborted();
    return errorMessage(error);
  }
}
