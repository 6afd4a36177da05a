import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { type GpuReading, NVIDIA_FIELDS, readNvidiaLine, readRocm } from "./gpu_readings.ts";

/** Readings older than this are no data. */
const STALE_MS = 5_000;
/** A tool that says nothing for so long hangs, as it does when a driver has crashed. */
const SILENT_MS = 10_000;
const ROCM_EVERY_MS = 2_000;
/** After this many ends in a row without a word there is no such tool, or no such card. */
const TRIES = 3;
const MAX_BACKOFF_MS = 60_000;

export interface GpuMonitor {
  /** What this machine's GPUs say now; none where there is no tool that tells. */
  readonly readings: readonly GpuReading[];
  close(): Promise<void>;
}

/** Watches this machine's GPUs by the tools of their drivers, each in a process of its own, until closed. */
export function watchGpus(log: Log): GpuMonitor {
  const stop = new AbortController();
  const kept = new Map<string, { readonly reading: GpuReading; readonly at: number }>();
  const take = (reading: GpuReading) => {
    kept.set(`${reading.index} ${reading.name}`, { reading, at: performance.now() });
  };
  const running = Promise.all([
    persist("nvidia-smi", () => followNvidia(take, stop.signal), stop.signal, log),
    persist("rocm-smi", () => followRocm(take, stop.signal), stop.signal, log),
  ]);
  return {
    get readings() {
      const now = performance.now();
      return [...kept.values()].filter(({ at }) => now - at < STALE_MS).map(({ reading }) => reading)
        .sort((one, other) => one.index - other.index);
    },
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

/** `follow` resolves with how much it read when its tool has ended. */
async function persist(
  tool: string,
  follow: () => Promise<number>,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  for (let failures = 0; failures < TRIES && !signal.aborted;) {
    try {
      const count = await follow();
      failures = count > 0 ? 0 : failures + 1;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      failures++;
      if (!signal.aborted) log.debug("GPU tool failed", { tool, reason: errorMessage(error) });
    }
    await delay(Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** failures), signal).catch(() => {});
  }
}

/** One process that writes a line for each card each second. */
async function followNvidia(take: (reading: GpuReading) => void, signal: AbortSignal): Promise<number> {
  const args = [`--query-gpu=${NVIDIA_FIELDS.join(",")}`, "--format=csv,noheader,nounits", "-l", "1"];
  const child = new Deno.Command("nvidia-smi", { args, stdin: "null", stdout: "piped", stderr: "null" })
    .spawn();
  let count = 0;
  await followLines(child, signal, (line) => {
    const reading = readNvidiaLine(line);
    if (!reading) return;
    count++;
    take(reading);
  });
  return count;
}

/** Reads a child's lines to its end; ends it when it is silent for too long or the signal aborts. */
export async function followLines(
  child: Deno.ChildProcess,
  signal: AbortSignal,
  take: (line: string) => void,
  silentMs = SILENT_MS,
): Promise<void> {
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  let silence = setTimeout(kill, silentMs);
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  try {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      clearTimeout(silence);
      silence = setTimeout(kill, silentMs);
      const lines = (rest + text).split(/\r?\n/);
      rest = (lines.pop() ?? "").slice(-10_000);
      for (const line of lines) take(line);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", kill);
    kill();
    await child.status;
  }
}

async function followRocm(take: (reading: GpuReading) => void, signal: AbortSignal): Promise<number> {
  const args = [
    "--showproductname",
    "--showuse",
    "--showmeminfo",
    "vram",
    "--showtemp",
    "--showpower",
    "--showfan",
  ];
  let count = 0;
  for (;;) {
    const { stdout } = await new Deno.Command("rocm-smi", {
      args: [...args, "--showclocks", "--json"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      signal: AbortSignal.any([signal, AbortSignal.timeout(SILENT_MS)]),
    }).output();
    const readings = readRocm(new TextDecoder().decode(stdout));
    if (readings.length === 0 || signal.aborted) return count;
    count += readings.length;
    for (const reading of readings) take(reading);
    await delay(ROCM_EVERY_MS, signal).catch(() => {});
  }
}
