import { dirname } from "@std/path/dirname.js";
import { join } from "@std/path/join.js";
import { errorMessage } from "#server/core/errors.ts";
import { eachLine } from "./lines.ts";
import type { EngineIo, MediaEngine } from "./run.ts";

export interface NativeFfmpeg {
  readonly path: string;
  readonly ffprobe: string;
  readonly version: string;
}

const NEEDED_FILTERS = [
  "blend",
  "blurdetect",
  "colorbalance",
  "concat",
  "deflicker",
  "fps",
  "framerate",
  "lutyuv",
  "minterpolate",
  "scdet",
  "scale",
  "select",
  "setparams",
  "signalstats",
  "split",
  "tile",
  "trim",
  "tpad",
  "xfade",
];
const NEEDED_ENCODERS = ["libx264", "ffv1", "png", "rawvideo", "mjpeg"];

const found = new Map<string, NativeFfmpeg>();

/**
 * Looks for an ffmpeg (and ffprobe beside it) that has every filter, encoder and option in use here. The
 * look costs four processes, so one that was found is remembered.
 */
export async function findNative(
  asked: string | undefined,
  signal?: AbortSignal,
): Promise<NativeFfmpeg | { readonly reason: string }> {
  const known = found.get(asked ?? "");
  if (known) return known;
  const result = await lookForNative(asked, signal);
  if ("path" in result) found.set(asked ?? "", result);
  return result;
}

async function lookForNative(
  asked: string | undefined,
  signal?: AbortSignal,
): Promise<NativeFfmpeg | { readonly reason: string }> {
  const path = asked ?? "ffmpeg";
  const ffprobe = asked
    ? join(dirname(asked), Deno.build.os === "windows" ? "ffprobe.exe" : "ffprobe")
    : "ffprobe";
  try {
    const trial = [
      "-f",
      "lavfi",
      "-i",
      "color=s=32x32:r=24:d=0.1",
      "-fps_mode",
      "passthrough",
      "-c:v",
      "libx264",
      "-f",
      "null",
      "-",
    ];
    const [encoders, filters, probe, encoded] = await Promise.all([
      ask(path, ["-hide_banner", "-encoders"], signal),
      ask(path, ["-hide_banner", "-filters"], signal),
      ask(ffprobe, ["-version"], signal),
      ask(path, ["-v", "error", "-nostdin", ...trial], signal),
    ]);
    const lacking = [
      ...NEEDED_ENCODERS.filter((name) => !new RegExp(`^ V\\S+ ${name} `, "m").test(encoders.text)),
      ...NEEDED_FILTERS.filter((name) => !new RegExp(`^ \\S+ ${name} `, "m").test(filters.text)),
    ];
    if (lacking.length > 0) {
      return { reason: `${path} lacks ${lacking.join(", ")}, so the built-in ffmpeg is used` };
    }
    if (!probe.success) return { reason: `${ffprobe} does not run, so the built-in ffmpeg is used` };
    if (!encoded.success) {
      return { reason: `${path} is too old or can't encode H.264, so the built-in ffmpeg is used` };
    }
    return { path, ffprobe, version: /^\S+ version (\S+)/.exec(probe.text)?.[1] ?? "unknown" };
  } catch (thrown) {
    signal?.throwIfAborted();
    const why = thrown instanceof Deno.errors.NotFound
      ? "is not installed"
      : `does not run (${errorMessage(thrown)})`;
    return { reason: `${path} ${why}, so the built-in ffmpeg is used` };
  }
}

async function ask(path: string, args: string[], signal?: AbortSignal) {
  const command = new Deno.Command(path, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    ...(signal ? { signal } : {}),
  });
  const { success, stdout } = await command.output();
  return { success, text: new TextDecoder().decode(stdout) };
}

/** Runs commands on a native ffmpeg. Cancelling kills the process. */
export function nativeEngine(found: NativeFfmpeg): MediaEngine {
  const running = new Set<Deno.ChildProcess>();
  const guard = deathGuard();
  return {
    backend: { kind: "native", version: found.version, path: found.path, notes: [] },
    async run(tool, args, io) {
      const binary = tool === "ffmpeg" ? found.path : found.ffprobe;
      const [command, ...before] = [...guard, binary];
      const child = new Deno.Command(command ?? binary, {
        args: [...before, ...args],
        stdin: io.stdin ? "piped" : "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      running.add(child);
      try {
        return await attend(child, io);
      } finally {
        running.delete(child);
      }
    },
    async close() {
      const ends = [...running].map((child) => {
        killChild(child);
        return child.status;
      });
      await Promise.all(ends);
    },
  };
}

async function attend(child: Deno.ChildProcess, io: EngineIo): Promise<{ code: number }> {
  const kill = () => killChild(child);
  if (io.signal.aborted) kill();
  io.signal.addEventListener("abort", kill, { once: true });
  let feedFailure: { readonly thrown: unknown } | undefined;
  if (io.stdin) feedChild(child.stdin, io.stdin).catch((thrown) => feedFailure = { thrown });
  try {
    const drains = [drain(child.stdout, io), eachLine(child.stderr, io.onStderr)].map((work) =>
      stopOnThrow(work, kill)
    );
    await Promise.all(drains);
    const { code } = await child.status;
    // a source that threw is the true reason of whatever ffmpeg then complained of
    if (feedFailure && !io.signal.aborted) throw feedFailure.thrown;
    return { code };
  } finally {
    kill();
    io.signal.removeEventListener("abort", kill);
    await child.status;
  }
}

async function stopOnThrow(work: Promise<void>, kill: () => void): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    kill();
    throw thrown;
  }
}

async function drain(stream: ReadableStream<Uint8Array>, io: EngineIo): Promise<void> {
  for await (const chunk of stream) await io.onStdout(chunk);
}

async function feedChild(
  stdin: WritableStream<Uint8Array>,
  source: AsyncIterable<Uint8Array> | Uint8Array,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      try {
        await writer.write(chunk);
      } catch {
        // the command has read all it wants, or died: its exit code says which
        return;
      }
    }
  } finally {
    await writer.close().catch(() => {});
  }
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has ended by itself
  }
}

/** On Linux, a prefix that has the kernel end the child when this process dies by any cause. */
export function deathGuard(): string[] {
  if (Deno.build.os !== "linux") return [];
  for (const path of ["/usr/bin/setpriv", "/bin/setpriv"]) {
    try {
      if (Deno.statSync(path).isFile) return [path, "--pdeathsig", "KILL", "--"];
    } catch {
      // not there
    }
  }
  return [];
}
