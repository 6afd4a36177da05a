import { join } from "node:path";
import { delay } from "#server/core/time.ts";

export interface ComfyProcessOptions {
  /** Where it will answer. */
  readonly url: string;
  /** Program and arguments; never a line for a shell. */
  readonly command: readonly string[];
  readonly folder?: string;
  /** Its output goes there. */
  readonly log: string;
}

const START_MS = 240_000;

/** A real ComfyUI that can be killed and started again. */
export class ComfyProcess implements AsyncDisposable {
  readonly url: string;
  readonly #options: ComfyProcessOptions;
  #child: Deno.ChildProcess | undefined;
  #logging: Promise<unknown> = Promise.resolve();
  /** How often it was started. */
  starts = 0;

  constructor(options: ComfyProcessOptions) {
    this.url = options.url.replace(/\/+$/, "");
    this.#options = options;
  }

  /** Resolves when it answers. Throws with the end of its log when it ends first or takes over four minutes. */
  async start(): Promise<void> {
    const [program = "", ...args] = this.#options.command;
    const { folder, log } = this.#options;
    const child = new Deno.Command(program, {
      args,
      ...(folder === undefined ? {} : { cwd: folder }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.starts++;
    this.#logging = Promise.all([append(child.stdout, log), append(child.stderr, log)]);
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    for (const end = Date.now() + START_MS; !await this.#answers(); await delay(200)) {
      if (!hasEnded && Date.now() < end) continue;
      const said = (await Deno.readTextFile(log).catch(() => "")).slice(-2000);
      throw new Error(`ComfyUI did not start with ${this.#options.command.join(" ")}:\n${said}`);
    }
  }

  /** Ends it without warning, as the kernel does when memory runs out. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    await child.status;
    await this.#logging;
  }

  async #answers(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/system_stats`, { signal: AbortSignal.timeout(5_000) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

/** The command for a ComfyUI checkout on the CPU, all of whose data is under `base`. */
export async function cpuCommand(
  comfyui: string,
  python: string,
  port: number,
  base: string,
): Promise<string[]> {
  for (const folder of ["custom_nodes", "models/checkpoints", "input", "output", "temp", "user", "no_face"]) {
    await Deno.mkdir(join(base, folder), { recursive: true });
  }
  const data = ["--base-directory", base, "--front-end-root", join(base, "no_face")];
  return [
    python,
    join(comfyui, "main.py"),
    "--cpu",
    "--port",
    String(port),
    "--disable-auto-launch",
    ...data,
  ];
}

/** A file system of `mib` MiB at `folder`, so that a disk can be filled; undefined where that isn't allowed. */
export async function mountSmall(folder: string, mib: number): Promise<AsyncDisposable | undefined> {
  const options = ["-t", "tmpfs", "-o", `size=${mib}m`, "seedloop", folder];
  const mount = await new Deno.Command("mount", { args: options, stderr: "null" }).output().catch(() =>
    undefined
  );
  if (!mount?.success) return undefined;
  return {
    async [Symbol.asyncDispose]() {
      await new Deno.Command("umount", { args: [folder], stderr: "null" }).output();
    },
  };
}

async function append(stream: ReadableStream<Uint8Array>, path: string): Promise<void> {
  const file = await Deno.open(path, { create: true, append: true });
  await stream.pipeTo(file.writable).catch(() => {});
}
