import { join } from "node:path";
import { delay } from "#server/core/time.ts";
import { connect, type Db } from "#server/db/db.ts";
import { listDescendants, listSurvivors, type ProcessMark } from "#tasks/e2e/processes.ts";
import { databaseUrlOf, freePort } from "#tasks/e2e/studio_process.ts";

/** What a fault program ends: the whole process, one thread, the database's server or one process of it. */
export type Victim = "server" | "queue" | "comfy" | "media" | "vision" | "engine" | "postgres" | "backend";

interface Running {
  readonly process: Deno.ChildProcess;
  readonly stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly up: Promise<{ url: string; firstAdminUrl: string | null } | undefined>;
  readonly drained: Promise<unknown>;
}

const KEPT_CHARS = 200_000;
/** A studio that ends by itself while it starts is started again so often in all. */
const MOST_OWN_ENDS = 10;

/** A studio in a process of its own, on one folder and port, with a hand at the throat of each of its parts. */
export class StudioUnderFire {
  readonly data: string;
  readonly #port = freePort();
  readonly #env: Record<string, string>;
  readonly #orphans: ProcessMark[] = [];
  #running: Running;
  #db: { readonly url: string; readonly pool: Db } | undefined;
  #said = "";
  #isStopped = false;
  /** How often it ended by itself: before it was up, after which it is started again, and later, which it may not. */
  readonly ownEnds = { starting: 0, running: 0 };
  /** Killed by us, or looked at already. */
  readonly #accounted = new WeakSet<Running>();

  constructor(data: string, env: Record<string, string> = {}) {
    this.data = data;
    this.#env = env;
    this.#running = this.#start();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The end of everything that it has logged. */
  get said(): string {
    return this.#said;
  }

  /** Its one-time link for the first admin. Throws when it ended before it was up and is not started again. */
  async untilUp(): Promise<{ firstAdminUrl: string | null }> {
    for (;;) {
      const running = this.#running;
      const up = await running.up;
      if (up) return up;
      await this.#account(running);
      if (this.#running === running) {
        throw new Error(`The studio ended by itself:\n${this.#said.slice(-4_000)}`);
      }
    }
  }

  /** Its database as it is reached now: after each start of the server at another port. Throws while there is none. */
  async db(): Promise<Db> {
    const url = this.#env["DATABASE_URL"] ?? await databaseUrlOf(this.data);
    if (this.#db?.url !== url) {
      await this.#db?.pool.end({ timeout: 0 });
      this.#db = { url, pool: connect({ url, max: 3 }) };
    }
    return this.#db.pool;
  }

  /** Ends the victim as the kernel would; false when it was not there to be ended. A dead server is started again. */
  async kill(victim: Victim, random: () => number): Promise<boolean> {
    switch (victim) {
      case "server":
        return await this.#killServer();
      case "postgres":
        return killProcess(await this.#postmaster());
      case "backend": {
        const postmaster = await this.#postmaster();
        const all = postmaster === undefined ? [] : await listDescendants(postmaster);
        const backends = all.filter(({ command }) => command.includes("seedloop"));
        return killProcess(backends[Math.floor(random() * backends.length)]?.pid);
      }
      default:
        return await this.#running.stdin.write(new TextEncoder().encode(`${victim}\n`)).then(
          () => true,
          () => false,
        );
    }
  }

  /** Processes of killed servers that still live; ten seconds are given to each. */
  async listOrphans(): Promise<ProcessMark[]> {
    let left = await listSurvivors(this.#orphans);
    for (let waited = 0; left.length > 0 && waited < 10_000; waited += 200) {
      await delay(200);
      left = await listSurvivors(left);
    }
    return left;
  }

  /** Stops it in order. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.#db?.pool.end({ timeout: 0 });
    await this.#running.stdin.close().catch(() => {});
    await this.#running.process.status;
    await this.#running.drained;
  }

  async #killServer(): Promise<boolean> {
    const { process, drained, stdin } = this.#running;
    this.#accounted.add(this.#running);
    this.#orphans.push(...await listDescendants(process.pid));
    const wasThere = killProcess(process.pid);
    await process.status;
    await drained;
    await stdin.abort().catch(() => {});
    this.#running = this.#start();
    return wasThere;
  }

  /** Starts one again that ended by itself while it started. */
  async #account(running: Running): Promise<void> {
    const up = await running.up;
    await running.process.status;
    await running.drained;
    if (this.#isStopped || this.#accounted.has(running)) return;
    this.#accounted.add(running);
    this.ownEnds[up ? "running" : "starting"]++;
    void running.stdin.abort().catch(() => {});
    if (!up && this.ownEnds.starting < MOST_OWN_ENDS) this.#running = this.#start();
  }

  async #postmaster(): Promise<number | undefined> {
    const text = await Deno.readTextFile(join(this.data, "pg", "postmaster.pid")).catch(() => "");
    const pid = Number(text.split("\n")[0]);
    return pid > 1 ? pid : undefined;
  }

  #start(): Running {
    const program = new URL("./fire_studio.ts", import.meta.url);
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", program.href, "--data", this.data, "--port", String(this.#port)],
      env: this.#env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const up = Promise.withResolvers<{ url: string; firstAdminUrl: string | null } | undefined>();
    const listen = async () => {
      let text = "";
      for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
        text += part;
        if (text.includes("\n")) up.resolve(JSON.parse(text.split("\n")[0] ?? ""));
      }
      up.resolve(undefined);
    };
    const keep = async () => {
      for await (const part of process.stderr.pipeThrough(new TextDecoderStream())) {
        this.#said = (this.#said + part).slice(-KEPT_CHARS);
        // For whoever looks into the folder of a run that went wrong.
        await Deno.writeTextFile(join(this.data, "studio.log"), part, { append: true }).catch(() => {});
      }
    };
    const running: Running = {
      process,
      stdin: process.stdin.getWriter(),
      up: up.promise,
      drained: Promise.all([listen(), keep()]),
    };
    void this.#account(running);
    return running;
  }
}

function killProcess(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false; // It has ended by itself.
  }
}
