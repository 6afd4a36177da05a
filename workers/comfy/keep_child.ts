import { deadline } from "#server/core/time.ts";
import { errorMessage } from "#server/core/errors.ts";
import { killTree, signalTree } from "./process_tree.ts";

/**
 * The guard of one kept process: starts the command of its first line on stdin in a group of its own, and ends that
 * group when its stdin ends, which happens when the studio dies.
 */
async function main(): Promise<void> {
  const lines = readLines(Deno.stdin.readable);
  const first = await lines.next();
  if (first.done) return;
  // Written by keep_process.ts.
  const { args: [program = "", ...args], folder } = JSON.parse(first.value) as {
    args: string[];
    folder: string | null;
  };
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      ...(folder === null ? {} : { cwd: folder }),
      detached: true,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    return say({ end: errorMessage(error) });
  }
  say({ pid: child.pid });
  const parentGone = drain(lines);
  const ended = await Promise.race([child.status, parentGone]);
  if (ended === undefined) {
    await signalTree(child.pid, "SIGTERM");
    await deadline(child.status, 1_200, () => new Error("Late")).catch(() => {});
  }
  // Those that it started and left behind.
  await killTree(child.pid);
  const { code, signal } = await child.status;
  say({ end: signal === null ? `it ended with code ${code}` : `it was ended by ${signal}` });
}

function say(word: { pid: number } | { end: string }): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`\n${JSON.stringify({ seedloopKeeper: word })}\n`));
}

async function drain(lines: AsyncIterator<string>): Promise<undefined> {
  while (!(await lines.next()).done);
  return undefined;
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

if (import.meta.main) {
  await main();
  Deno.exit(0);
}
