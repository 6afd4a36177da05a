import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { delay } from "#server/core/time.ts";
import { listDescendants, type ProcessMark } from "./processes.ts";

export interface StudioProcessOptions {
  readonly data: string;
  readonly port: number;
  readonly mediaBackend?: string;
  readonly env?: Record<string, string>;
}

/** `deno run tasks/start.ts` in a process of its own, as a person starts it, so that it can be killed. */
export class StudioProcess {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<unknown>;
  #said = "";
  #isEnded = false;

  constructor({ data, port, mediaBackend = "auto", env = {} }: StudioProcessOptions) {
    this.url = `http://127.0.0.1:${port}`;
    const program = fileURLToPath(import.meta.resolve("#tasks/start.ts"));
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", program, "--data", data, "--port", String(port), "--media-backend", mediaBackend],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child.status.then(() => this.#isEnded = true);
    this.#drained = Promise.all([this.#listen(this.#child.stdout), this.#listen(this.#child.stderr)]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether the process is over, for whatever reason. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Everything that it has printed. */
  get said(): string {
    return this.#said;
  }

  /** The one-time link for the first admin, once it is printed. */
  get firstAdminUrl(): string | undefined {
    return /http:\/\/\S+\/setup#\S+/.exec(this.#said)?.[0];
  }

  /** Whether "Seedloop is at" came before the process ended; false when it ended first. */
  async isUp(): Promise<boolean> {
    while (!this.#isEnded && !this.#said.includes("Ctrl-C stops it")) {
      await Promise.race([this.#child.status, delay(20)]);
    }
    return !this.#isEnded;
  }

  /** Ends it as the kernel would when memory runs out. Returns the processes that hung on it at that moment. */
  async kill(): Promise<ProcessMark[]> {
    const children = await listDescendants(this.pid);
    this.#signal("SIGKILL");
    await this.#child.status;
    await this.#drained;
    return children;
  }

  /** Stops it in order and returns its exit code. */
  async stop(): Promise<number> {
    this.#signal("SIGTERM");
    const { code } = await this.#child.status;
    await this.#drained;
    return code;
  }

  #signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch {
      // It has ended by itself.
    }
  }

  async #listen(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#said += text;
  }
}

/** The address of a data folder's built-in database while it runs. */
export async function databaseUrlOf(data: string): Promise<string> {
  const port = (await Deno.readTextFile(join(data, "pg", "postmaster.pid"))).split("\n")[3];
  const password = (await Deno.readTextFile(join(data, "pg.password"))).trim();
  return `postgres://seedloop:${password}@127.0.0.1:${port}/postgres`;
}

/** A port of the loopback that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
