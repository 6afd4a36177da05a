import { delay } from "#server/core/time.ts";
import type { ComfyClient } from "./client.ts";
import { isPassing } from "./failure.ts";
import type { Features } from "./features.ts";
import type { Timings } from "./timings.ts";
import { readTruth, type Truth } from "./truth.ts";

/** Asks the worker once to drop or stop exactly one prompt. Says nothing of the effect. */
export async function sendCancel(
  client: ComfyClient,
  features: Features,
  promptId: string,
  signal?: AbortSignal,
): Promise<void> {
  const options = { signal };
  if (features.cancelPath === "jobs") {
    await client.postJson(`/jobs/${encodeURIComponent(promptId)}/cancel`, {}, options);
    return;
  }
  // Without effect unless it is pending; from here on it can only be running or over.
  await client.dequeue([promptId], options);
  if (features.cancelPath === "interrupt_running") {
    // This server interrupts whatever runs: only when that is ours, asked at the last moment.
    const { running } = await client.queue(options);
    if (running.length !== 1 || running[0]?.promptId !== promptId) return;
  }
  await client.interrupt(promptId, options);
}

/**
 * Cancels one prompt and repeats until the server shows that it is over: an interrupt that falls between
 * dequeue and start is lost, and a busy node notices it late. Rejects when `signal` aborts or after
 * `cancelGiveUpMs`.
 */
export async function cancelUntilOver(
  client: ComfyClient,
  features: Features,
  promptId: string,
  timings: Timings,
  signal: AbortSignal,
): Promise<Truth> {
  const end = performance.now() + timings.cancelGiveUpMs;
  const again = Math.max(1, Math.min(timings.hintMs, timings.cancelAgainMs));
  for (let sentAt = -Infinity;;) {
    signal.throwIfAborted();
    try {
      if (performance.now() - sentAt >= timings.cancelAgainMs) {
        sentAt = performance.now();
        await sendCancel(client, features, promptId, signal);
      }
      const truth = await readTruth(client, features, promptId, signal);
      if (truth.state === "ended" || truth.state === "unknown") return truth;
    } catch (problem) {
      if (signal.aborted || !isPassing(problem)) throw problem;
    }
    if (performance.now() > end) {
      throw new Error(
        `Cannot cancel prompt ${promptId} on ${client.url}: its node doesn't stop; restart that ComfyUI`,
      );
    }
    await delay(again, signal);
  }
}
