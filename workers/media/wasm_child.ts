/**
 * The WebAssembly ffmpeg in a process of its own: a busy thread can't be ended on this runtime, a process
 * can. It reads commands from stdin one after the other and ends when stdin does, or when its parent is gone.
 */
import createCore from "@ffmpeg/core";
import { bytesOf, type EmscriptenFs, ERRNO, type FsStream, hostFileSystem } from "./host_fs.ts";
import { FRAME_HEADER_BYTES, FrameType, packFrame, type WasmCommand, type WasmExit } from "./wasm_frames.ts";

interface Core {
  FS: EmscriptenFs;
  exec(...args: string[]): number;
  ffprobe(...args: string[]): number;
  reset(): void;
  setLogger(log: (line: { type: string; message: string }) => void): void;
}

const parent = Deno.ppid;
const encoder = new TextEncoder();
// the glue was built for browser workers only and reads the page's address while starting
(globalThis as { location?: { href: string } }).location ??= { href: import.meta.url };
const wasmUrl = new URL("ffmpeg-core.wasm", import.meta.resolve("@ffmpeg/core"));
const compiled = await WebAssembly.compile(Deno.readFileSync(wasmUrl));

/** A fresh instance for each command: a used one corrupts its memory after about a hundred. */
async function newCore(): Promise<Core> {
  const core: Core = await (createCore as (options: unknown) => Promise<Core>)({
    instantiateWasm(
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) {
      WebAssembly.instantiate(compiled, imports).then((instance) => done(instance, compiled));
      return {};
    },
  });
  const host = hostFileSystem(core.FS, leaveWithParent);
  for (const folder of Deno.args) {
    // the same absolute path inside and outside, so that both backends take the same arguments
    if (!core.FS.analyzePath(folder).exists) core.FS.mkdir(folder);
    core.FS.mount(host, { root: folder }, folder);
  }
  wireStdio(core);
  return core;
}

let checkedAt = 0;

/** Called often while the WebAssembly runs, when no event can reach this process. */
function leaveWithParent(): void {
  const now = performance.now();
  if (now - checkedAt < 200) return;
  checkedAt = now;
  if (Deno.ppid !== parent) Deno.exit(0);
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength;) {
    try {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch (thrown) {
      if (thrown instanceof Deno.errors.WouldBlock) continue;
      Deno.exit(0);
    }
  }
}

function send(type: FrameType, payload: Uint8Array): void {
  writeAll(packFrame(type, payload));
}

/** Reads exactly `into.byteLength` bytes; false at the end of stdin. */
function readFully(into: Uint8Array): boolean {
  for (let at = 0; at < into.byteLength;) {
    const count = Deno.stdin.readSync(into.subarray(at));
    if (count === null) return false;
    at += count;
  }
  return true;
}

function readHeader(): { type: number; length: number } {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  if (!readFully(header)) Deno.exit(0);
  return { type: header[0] ?? 0, length: new DataView(header.buffer).getUint32(1, true) };
}

/** What is left of the Data frame that is being read, and whether End was seen. */
const input = { left: 0, ended: false };

function readInput(into: Uint8Array): number {
  while (input.left === 0 && !input.ended) {
    const { type, length } = readHeader();
    if (type === FrameType.End) input.ended = true;
    else input.left = length;
  }
  if (input.ended) return 0;
  const count = Deno.stdin.readSync(into.subarray(0, input.left));
  if (count === null) Deno.exit(0);
  input.left -= count;
  return count;
}

/** Puts this process's pipes in the place of the byte-by-byte terminals that emscripten makes. */
function wireStdio(core: Core): void {
  const [stdin, stdout] = core.FS.streams;
  const refuseSeek = () => {
    throw new core.FS.ErrnoError(ERRNO.SPIPE);
  };
  if (stdin) {
    stdin.seekable = false;
    stdin.stream_ops = {
      llseek: refuseSeek,
      read: (_: FsStream, heap: Int8Array, offset: number, length: number) =>
        readInput(bytesOf(heap, offset, length)),
    };
  }
  if (stdout) {
    stdout.seekable = false;
    stdout.stream_ops = {
      llseek: refuseSeek,
      write: (_: FsStream, heap: Int8Array, offset: number, length: number) => {
        leaveWithParent();
        send(FrameType.Data, bytesOf(heap, offset, length));
        return length;
      },
    };
  }
}

function runCommand(core: Core, command: WasmCommand): Omit<WasmExit, "rssBytes"> {
  core.reset();
  // the C loop polls this between frames; it never stops the run, but lets the process notice its parent's death
  Object.defineProperty(core, "timeout", { get: () => (leaveWithParent(), -1), set() {} });
  core.setLogger(({ message }) => {
    if (message !== "Aborted()") send(FrameType.Error, encoder.encode(message));
  });
  try {
    // ffprobe's own code is -1 even when all went well: what it printed is the judge
    if (command.tool === "ffprobe") core.ffprobe(...command.args);
    return { code: command.tool === "ffprobe" ? 0 : core.exec(...command.args) };
  } catch (thrown) {
    return { code: 1, broken: String(thrown) };
  }
}

send(FrameType.Ready, new Uint8Array());
for (;;) {
  const core = await newCore();
  const { type, length } = readHeader();
  const payload = new Uint8Array(length);
  if (type !== FrameType.Command || !readFully(payload)) Deno.exit(1);
  input.left = 0;
  input.ended = false;
  const ended = runCommand(core, JSON.parse(new TextDecoder().decode(payload)) as WasmCommand);
  send(FrameType.Exit, encoder.encode(JSON.stringify({ ...ended, rssBytes: Deno.memoryUsage().rss })));
  const rest = new Uint8Array(64 * 1024);
  while (!input.ended) readInput(rest);
  (globalThis as { gc?: () => void }).gc?.();
}
