/** Processes that the benches ask to do things: one JSON object a line, one answer each. */

/** Whether processes are given a core each, so that what is measured and what loads it don't share one. */
export async function canPin(): Promise<boolean> {
  if (Deno.build.os !== "linux" || navigator.hardwareConcurrency < 2) return false;
  return await findProgram("taskset") !== undefined;
}

/** The full path of a program on PATH. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const found = await Deno.stat(`${folder}/${name}`).then((file) => file.isFile, () => false);
    if (folder !== "" && found) return `${folder}/${name}`;
  }
  return undefined;
}

/** Core of the system under test and of PostgreSQL. */
export const TESTED_CORE = 0;
/** Core of what asks it, which is this process. */
export const LOAD_CORE = 1;

/** Moves a running process with all its threads to a core. */
export async function pinProcess(pid: number, core: number): Promise<void> {
  if (!await canPin()) return;
  const { success } = await new Deno.Command("taskset", {
    args: ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)],
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`Cannot pin process ${pid} to core ${core}: taskset refused`);
}

/** Lets a process, and the children that it starts from now on, run on all cores again. */
export async function unpinProcess(pid: number): Promise<void> {
  if (!await canPin()) return;
  await new Deno.Command("taskset", {
    args: ["--all-tasks", "--cpu-list", "--pid", `0-${navigator.hardwareConcurrency - 1}`, String(pid)],
    stdout: "null",
    stderr: "null",
  }).output();
}

/** A command that will run on that core, where processes can be pinned. */
export async function pinnedCommand(
  core: number,
  program: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<Deno.Command> {
  if (!await canPin()) return new Deno.Command(program, { ...options, args: [...args] });
  return new Deno.Command("taskset", { ...options, args: ["--cpu-list", String(core), program, ...args] });
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Sends one request and gives its answer; one at a time. Throws what the child says went wrong. */
  ask<Answer>(request: unknown): Promise<Answer>;
}

/** Starts a process, on the tested core unless told, that answers requests; it ends when it is disposed of or we die. */
export async function openChild(
  program: string,
  args: readonly string[],
  core = TESTED_CORE,
): Promise<Child> {
  const options = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  const process = (await pinnedCommand(core, program, args, options)).spawn();
  const writer = process.stdin.getWriter();
  const lines = readLines(process.stdout);
  const encoder = new TextEncoder();
  return {
    pid: process.pid,
    async ask<Answer>(request: unknown): Promise<Answer> {
      await writer.write(encoder.encode(`${JSON.stringify(request)}\n`));
      const { value, done } = await lines.next();
      if (done) throw new Error(`A process of the bench ended before it answered: ${args.join(" ")}`);
      const answer = JSON.parse(value) as { ok?: Answer; failed?: string };
      if (answer.failed !== undefined) throw new Error(answer.failed);
      return answer.ok as Answer;
    },
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await process.status;
    },
  };
}

/** openChild() for one of our own files. */
export async function openDenoChild(url: URL, args: readonly string[] = []): Promise<Child> {
  return await openChild(Deno.execPath(), ["run", "-A", "--no-prompt", url.pathname, ...args]);
}

/** The other side of openChild(): answers each request, and returns when there are no more. */
export async function answerRequests(answer: (request: unknown) => Promise<unknown>): Promise<void> {
  const encoder = new TextEncoder();
  for await (const line of readLines(Deno.stdin.readable)) {
    const reply = await answer(JSON.parse(line)).then((ok) => ({ ok: ok ?? null }), (error) => ({
      failed: error instanceof Error ? error.stack ?? error.message : String(error),
    }));
    Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(reply)}\n`));
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  return undefined;
}
