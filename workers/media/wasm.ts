import { fromFileUrl } from "@std/path/from_file_url.js";
import { MediaError } from "./media_error.ts";
import { deathGuard } from "./native.ts";
import type { ByteSource, EngineIo, MediaEngine } from "./run.ts";
import { FrameType, packFrame, readFrames, type WasmCommand, type WasmExit } from "./wasm_frames.ts";

/** At most this many commands at once; each child holds about 150 MB, more while it runs. */
const MAX_CHILDREN = 2;
/** A child that grew past this is replaced: instances leave some memory behind. */
const RETIRE_ABOVE_BYTES = 900 * 1024 * 1024;

interface Child {
  readonly process: Deno.ChildProcess;
  readonly input: WritableStreamDefaultWriter<Uint8Array>;
  readonly frames: AsyncGenerator<{ type: number; payload: Uint8Array }, void, void>;
}

/** ffmpeg as WebAssembly in child processes, which are kept warm, replaced when big, and killed to cancel. */
export async function wasmEngine(
  options: {
    notes: readonly string[];
    folders?: readonly string[] | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<MediaEngine> {
  const pool = new ChildPool(options.folders);
  const first = await pool.take(options.signal ?? new AbortController().signal);
  pool.giveBack(first);
  return {
    backend: { kind: "wasm", version: "5.1.4 (@ffmpeg/core 0.12.10)", notes: options.notes },
    async run(tool, args, io) {
      const child = await pool.take(io.signal);
      const kill = () => pool.discard(child);
      io.signal.addEventListener("abort", kill, { once: true });
      let reusable = false;
      try {
        io.signal.throwIfAborted();
        const exit = await runOn(child, { tool, args }, io);
        reusable = exit.broken === undefined && exit.rssBytes < RETIRE_ABOVE_BYTES;
        if (exit.broken) {
          throw new MediaError(
            `The built-in ffmpeg broke down (${exit.broken}): try again, or install native ffmpeg`,
            "crashed",
          );
        }
        return { code: exit.code };
      } finally {
        io.signal.removeEventListener("abort", kill);
        if (reusable && !io.signal.aborted) pool.giveBack(child);
        else await pool.discard(child);
      }
    },
    close: () => pool.close(),
  };
}

async function runOn(child: Child, command: WasmCommand, io: EngineIo): Promise<WasmExit> {
  const decoder = new TextDecoder();
  const feeding = { stop: false };
  let feedFailure: { readonly thrown: unknown } | undefined;
  await child.input.write(packFrame(FrameType.Command, new TextEncoder().encode(JSON.stringify(command))));
  const fed = feed(child, io.stdin, feeding).catch((thrown) => feedFailure = { thrown });
  for (;;) {
    const { done, value } = await child.frames.next();
    if (done) {
      throw new MediaError(
        "The built-in ffmpeg ended unexpectedly: try again, or install native ffmpeg",
        "crashed",
      );
    }
    if (value.type === FrameType.Data) await io.onStdout(value.payload);
    if (value.type === FrameType.Error) {
      for (const line of decoder.decode(value.payload).split(/[\r\n]+/)) if (line) io.onStderr(line);
    }
    if (value.type !== FrameType.Exit) continue;
    feeding.stop = true;
    if (feedFailure) throw feedFailure.thrown;
    // the child reads on until End, so a frame on its way can't block for ever
    await fed;
    return JSON.parse(decoder.decode(value.payload)) as WasmExit;
  }
}

async function feed(
  child: Child,
  source: ByteSource | undefined,
  state: { readonly stop: boolean },
): Promise<void> {
  try {
    for await (const chunk of source === undefined ? [] : source instanceof Uint8Array ? [source] : source) {
      if (state.stop) break;
      if (chunk.byteLength > 0) await child.input.write(packFrame(FrameType.Data, chunk));
    }
  } finally {
    await child.input.write(packFrame(FrameType.End, new Uint8Array())).catch(() => {});
  }
}

class ChildPool {
  readonly #folders: readonly string[] | undefined;
  readonly #idle: Child[] = [];
  readonly #all = new Set<Child>();
  readonly #waiting: (() => void)[] = [];
  #starting = 0;

  constructor(folders: readonly string[] | undefined) {
    this.#folders = folders;
  }

  async take(signal: AbortSignal): Promise<Child> {
    for (;;) {
      if (signal.aborted) {
        // a turn that this caller can't use is another's
        this.#waiting.shift()?.();
        throw signal.reason;
      }
      const child = this.#idle.pop();
      if (child) return child;
      if (this.#all.size + this.#starting < MAX_CHILDREN) return await this.#start();
      await this.#turn(signal);
    }
  }

  giveBack(child: Child): void {
    this.#idle.push(child);
    this.#waiting.shift()?.();
  }

  async discard(child: Child): Promise<void> {
    try {
      child.process.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
    child.input.abort().catch(() => {});
    await child.process.status;
    if (this.#all.delete(child)) this.#waiting.shift()?.();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((child) => this.discard(child)));
  }

  async #start(): Promise<Child> {
    this.#starting++;
    try {
      const process = spawnChild(this.#folders);
      const child: Child = { process, input: process.stdin.getWriter(), frames: readFrames(process.stdout) };
      this.#all.add(child);
      const { value } = await child.frames.next();
      if (!value || value.type !== FrameType.Ready) {
        await this.discard(child);
        throw new MediaError(
          "The built-in ffmpeg did not start: run `deno install` and see the log",
          "crashed",
        );
      }
      return child;
    } finally {
      this.#starting--;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        reject(signal.reason);
      };
      const wake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(wake);
    });
  }
}

/** No network, no processes, no environment: files only. */
function spawnChild(folders: readonly string[] | undefined): Deno.ChildProcess {
  const script = fromFileUrl(import.meta.resolve("./wasm_child.ts"));
  const wasm = fromFileUrl(new URL("ffmpeg-core.wasm", import.meta.resolve("@ffmpeg/core")));
  const reads = folders ? `--allow-read=${[wasm, ...folders].join(",")}` : "--allow-read";
  const writes = folders ? `--allow-write=${folders.join(",")}` : "--allow-write";
  const [command, ...args] = [
    ...deathGuard(),
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--v8-flags=--expose-gc",
    reads,
    writes,
    script,
    ...(folders ?? topFolders()),
  ];
  return new Deno.Command(command ?? Deno.execPath(), {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** The folders of "/" that hold people's files; each is mounted under its own name. */
function topFolders(): string[] {
  const own = new Set(["dev", "proc", "sys"]);
  return [...Deno.readDirSync("/")].filter((entry) => !entry.isFile && !own.has(entry.name)).map((entry) =>
    `/${entry.name}`
  );
}
