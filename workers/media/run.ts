import { delay } from "#server/core/time.ts";
import { explainFailure, MediaError } from "./media_error.ts";
import { findNative, nativeEngine } from "./native.ts";
import { wasmEngine } from "./wasm.ts";

/** What runs the commands: the machine's own ffmpeg, or the one that ships as WebAssembly. */
export interface MediaBackend {
  readonly kind: "native" | "wasm";
  readonly version: string;
  readonly path?: string;
  /** Why it is this one, when another was looked for first; sentences. */
  readonly notes: readonly string[];
}

export interface CommandProgress {
  /** Frames written so far. */
  readonly frame: number;
  /** Microseconds of output so far. */
  readonly timeUs: number;
}

export type ByteSource = AsyncIterable<Uint8Array> | Uint8Array;

export interface CommandOptions {
  /** Aborting kills the command at once; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CommandProgress) => void) | undefined;
  /** What the command reads as `pipe:0`. Taken as fast as the command reads it, never held whole. */
  readonly stdin?: ByteSource | undefined;
  /** Every line of stderr that is not progress, e.g. what a metadata filter prints at `-loglevel info`. */
  readonly onStderr?: ((line: string) => void) | undefined;
  /** Killed after this many milliseconds; 30 minutes by default. */
  readonly timeoutMs?: number | undefined;
}

export interface CommandResult {
  /** What the command wrote to `pipe:1`; empty unless `stdout: "bytes"`. */
  readonly stdout: Uint8Array;
  /** The last lines of stderr. */
  readonly stderr: string;
}

/** The part of ffprobe's JSON that is used; times and rates are its strings. */
export interface ProbeDocument {
  readonly streams: readonly ProbeStream[];
  readonly format: {
    readonly format_name?: string;
    readonly duration?: string;
    readonly tags?: Record<string, string>;
  };
  readonly packets?: readonly {
    readonly pts?: number;
    readonly pts_time?: string;
    readonly flags?: string;
  }[];
}

export interface ProbeStream {
  readonly index: number;
  readonly codec_type: string;
  readonly codec_name?: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly time_base?: string;
  readonly r_frame_rate?: string;
  readonly avg_frame_rate?: string;
  readonly nb_frames?: string;
  readonly bits_per_raw_sample?: string;
  readonly color_primaries?: string;
  readonly color_transfer?: string;
  readonly color_space?: string;
  readonly color_range?: string;
  readonly profile?: string;
  readonly level?: number;
  readonly has_b_frames?: number;
  readonly tags?: Record<string, string>;
  readonly side_data_list?: readonly { readonly rotation?: number }[];
}

/**
 * ffmpeg as a function: the same argument lists run on the machine's ffmpeg and on the WebAssembly one.
 * Paths in arguments are absolute host paths on both. Failures are MediaErrors with the reason.
 */
export interface MediaTools {
  readonly backend: MediaBackend;
  ffmpeg(
    args: readonly string[],
    options?: CommandOptions & { stdout?: "bytes" | undefined },
  ): Promise<CommandResult>;
  /** Yields what the command writes to `pipe:1` while it runs; leaving the loop early kills the command. */
  ffmpegStream(args: readonly string[], options?: CommandOptions): AsyncGenerator<Uint8Array, void, void>;
  /** ffprobe's streams and format; with `packets` also the first video stream's packets. */
  probe(path: string, options?: CommandOptions & { packets?: boolean }): Promise<ProbeDocument>;
  /** Kills whatever runs and frees the children; later calls reject. */
  close(): Promise<void>;
}

/** A way to run one command; both backends implement it. Rejects only when the tool itself can't run. */
export interface MediaEngine {
  readonly backend: MediaBackend;
  run(tool: "ffmpeg" | "ffprobe", args: readonly string[], io: EngineIo): Promise<{ readonly code: number }>;
  close(): Promise<void>;
}

export interface EngineIo {
  readonly stdin?: ByteSource | undefined;
  readonly signal: AbortSignal;
  onStdout(chunk: Uint8Array): void | Promise<void>;
  onStderr(line: string): void;
}

export interface MediaToolsOptions {
  /** Path of an ffmpeg to use; ffprobe must lie beside it. */
  readonly ffmpeg?: string | undefined;
  readonly backend?: "native" | "wasm" | "auto" | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Folders that the WebAssembly child may touch; the whole disk by default, since jobs bring their own. */
  readonly folders?: readonly string[] | undefined;
}

const COMMON = ["-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-nostats", "-stats_period", "0.25"];
const TAIL_LINES = 40;
const MAX_STDOUT_BYTES = 512 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30 * 60_000;

/**
 * Opens the media tools: native ffmpeg when it is there and can do all that the studio asks of it, else
 * the WebAssembly one; `backend.notes` says why. Asked for "native" and none fits: throws a MediaError.
 */
export async function openMediaTools(options: MediaToolsOptions = {}): Promise<MediaTools> {
  const wanted = options.backend ?? "auto";
  const notes: string[] = [];
  if (wanted !== "wasm") {
    const found = await findNative(options.ffmpeg, options.signal);
    if ("path" in found) return bindTools(nativeEngine(found), options.signal);
    if (wanted === "native") throw new MediaError(found.reason, "missing");
    notes.push(found.reason);
  }
  return bindTools(
    await wasmEngine({ notes, folders: options.folders, signal: options.signal }),
    options.signal,
  );
}

function bindTools(engine: MediaEngine, lifetime: AbortSignal | undefined): MediaTools {
  const closing = new AbortController();
  const life = lifetime ? AbortSignal.any([lifetime, closing.signal]) : closing.signal;
  const tools: MediaTools = {
    backend: engine.backend,
    async ffmpeg(args, command = {}) {
      const kept: Uint8Array[] = [];
      let size = 0;
      const stderr = await runCommand(
        engine,
        "ffmpeg",
        [...COMMON, "-progress", "pipe:2", ...args],
        command,
        life,
        (chunk) => {
          if (command.stdout !== "bytes") return;
          size += chunk.byteLength;
          if (size > MAX_STDOUT_BYTES) {
            throw new MediaError("A media command wrote more than 512 MB: stream it", "failed");
          }
          kept.push(chunk);
        },
      );
      return { stdout: concatBytes(kept, size), stderr };
    },
    ffmpegStream: (args, command = {}) =>
      streamCommand(engine, [...COMMON, "-progress", "pipe:2", ...args], command, life),
    probe: (path, command = {}) => probeFile(engine, path, command, life),
    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new MediaError("The media tools were closed", "failed"));
      await engine.close();
    },
  };
  return tools;
}

async function runCommand(
  engine: MediaEngine,
  tool: "ffmpeg" | "ffprobe",
  args: readonly string[],
  command: CommandOptions,
  life: AbortSignal,
  onStdout: (chunk: Uint8Array) => void | Promise<void>,
): Promise<string> {
  const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const late = new AbortController();
  const signal = AbortSignal.any([late.signal, life, ...(command.signal ? [command.signal] : [])]);
  signal.throwIfAborted();
  const tail: string[] = [];
  const readProgress = progressReader(command.onProgress);
  const timer = setTimeout(() => {
    late.abort(
      new MediaError(
        `A media command took longer than ${Math.round(timeoutMs / 1000)} s and was stopped`,
        "timeout",
      ),
    );
  }, timeoutMs);
  try {
    const { code } = await engine.run(tool, args, {
      stdin: command.stdin,
      signal,
      onStdout,
      onStderr(line) {
        if (readProgress(line)) return;
        command.onStderr?.(line);
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
      },
    });
    signal.throwIfAborted();
    if (code !== 0) throw explainFailure(tool, code, tail.join("\n"));
    return tail.join("\n");
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

async function* streamCommand(
  engine: MediaEngine,
  args: readonly string[],
  command: CommandOptions,
  life: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const leaving = new AbortController();
  const signal = command.signal ? AbortSignal.any([command.signal, leaving.signal]) : leaving.signal;
  const hand = new TransformStream<Uint8Array, Uint8Array>();
  const writer = hand.writable.getWriter();
  const run = runCommand(engine, "ffmpeg", args, { ...command, signal }, life, (chunk) => writer.write(chunk))
    .then(() => writer.close(), (thrown) => writer.abort(thrown));
  run.catch(() => {});
  const reader = hand.readable.getReader();
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    finished = true;
  } finally {
    if (!finished) {
      leaving.abort(new DOMException("The reader left", "AbortError"));
      reader.cancel().catch(() => {});
    }
    await Promise.race([run.catch(() => {}), delay(2000)]);
  }
}

async function probeFile(
  engine: MediaEngine,
  path: string,
  command: CommandOptions & { packets?: boolean },
  life: AbortSignal,
): Promise<ProbeDocument> {
  const args = [
    "-v",
    "error",
    "-protocol_whitelist",
    "file",
    "-print_format",
    "json",
    "-show_format",
    "-show_streams",
  ];
  if (command.packets) args.push("-show_packets", "-select_streams", "v:0");
  const kept: Uint8Array[] = [];
  let size = 0;
  const options = { timeoutMs: 60_000, ...command };
  const errors = await runCommand(engine, "ffprobe", [...args, `file:${path}`], options, life, (chunk) => {
    size += chunk.byteLength;
    kept.push(chunk);
  });
  const document = parseProbe(new TextDecoder().decode(concatBytes(kept, size)));
  if (!document) throw explainFailure("ffprobe", 0, errors || "Invalid data found when processing input");
  return document;
}

function parseProbe(text: string): ProbeDocument | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const document = value as Partial<ProbeDocument>;
  // ffprobe prints "{}" for what it can't open
  if (!document.streams || !document.format) return undefined;
  return document as ProbeDocument;
}

/** Eats the key=value lines of `-progress`; returns whether the line was one. */
function progressReader(
  onProgress: ((progress: CommandProgress) => void) | undefined,
): (line: string) => boolean {
  let frame = 0;
  let timeUs = 0;
  return (line) => {
    const match =
      /^(frame|fps|stream_\d+_\d+_\w+|bitrate|total_size|out_time\w*|dup_frames|drop_frames|speed|progress)=\s*(\S*)/
        .exec(line);
    if (!match) return false;
    const value = Number(match[2]);
    if (match[1] === "frame" && Number.isFinite(value)) frame = value;
    if (match[1] === "out_time_us" && Number.isFinite(value)) timeUs = Math.max(0, value);
    if (match[1] === "progress") onProgress?.({ frame, timeUs });
    return true;
  };
}

function concatBytes(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
