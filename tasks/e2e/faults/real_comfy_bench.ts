import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import type { JobRow, QueueBridge } from "#server/testing/queue_bridge.ts";
import { until } from "#server/testing/until.ts";
import type { ComfyProcess } from "./comfy_process.ts";
import type { TcpGate } from "./tcp_gate.ts";

/** What the cases work with: a real ComfyUI, the gate before it, and the studio's queue and bridge. */
export interface RealBench {
  /** Undefined when it was started by somebody else: then it can't be killed. */
  readonly comfy: ComfyProcess | undefined;
  /** Its own address, past the gate. */
  readonly url: string;
  readonly gate: TcpGate;
  readonly studio: QueueBridge;
  readonly workerId: string;
  /** Its folders, where it was started from one. */
  readonly base: string | undefined;
  readonly random: () => number;
}

let color = 0;

/** The least graph that leaves a file; each is another, so that nothing comes from the cache. */
export function still(width = 64, batch = 1): ApiGraph {
  return {
    "1": {
      class_type: "EmptyImage",
      inputs: { width, height: width, batch_size: batch, color: nextColor() },
    },
    "2": { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "%SEEDLOOP_PREFIX%/a" } },
  };
}

/** A graph of many steps, each a good part of a second on a CPU: it can be interrupted between any two. */
export function slow(steps: number): ApiGraph {
  const graph: ApiGraph = {
    "1": {
      class_type: "EmptyImage",
      inputs: { width: 1024, height: 1024, batch_size: 2, color: nextColor() },
    },
  };
  for (let step = 0; step < steps; step++) {
    graph[`s${step}`] = {
      class_type: "ImageScale",
      inputs: {
        image: [step === 0 ? "1" : `s${step - 1}`, 0],
        upscale_method: "bicubic",
        width: 1024 + (step % 7),
        height: 1024 + (step % 5),
        crop: "disabled",
      },
    };
  }
  const last = `s${steps - 1}`;
  const save = { images: [last, 0], filename_prefix: "%SEEDLOOP_PREFIX%/a" };
  return { ...graph, "2": { class_type: "SaveImage", inputs: save } };
}

function nextColor(): number {
  color = (color + 4099) % 0xffffff;
  return color;
}

export interface HistoryRow {
  readonly promptId: string;
  readonly isSuccess: boolean;
  readonly files: number;
}

/** All that the ComfyUI at `url` remembers of prompts that have ended. */
export async function readHistory(url: string): Promise<HistoryRow[]> {
  const answer: Record<string, { status?: { status_str?: string }; outputs?: Record<string, unknown> }> =
    await ask(url, "/history");
  return Object.entries(answer).map(([promptId, { status, outputs }]) => ({
    promptId,
    isSuccess: status?.status_str === "success",
    files: JSON.stringify(outputs ?? {}).split('"filename"').length - 1,
  }));
}

/** Ids of the prompts that run and that wait there. */
export async function readQueue(url: string): Promise<{ running: string[]; pending: string[] }> {
  const answer: { queue_running: unknown[][]; queue_pending: unknown[][] } = await ask(url, "/queue");
  const ids = (items: unknown[][]) => items.map((item) => String(item[1]));
  return { running: ids(answer.queue_running), pending: ids(answer.queue_pending) };
}

async function ask(url: string, route: string) {
  const response = await fetch(url + route, { signal: AbortSignal.timeout(60_000) });
  return await response.json();
}

/** The prompt under which the job's present run was submitted, once it runs on the worker. */
export async function untilRuns(bench: RealBench, jobId: string): Promise<string> {
  let promptId = "";
  await until("the prompt runs on the worker", async () => {
    const [row] = await bench.studio.db<{ attemptId: string | null }[]>`
      select attempt_id from jobs where id = ${jobId}`;
    promptId = row?.attemptId ?? "";
    return (await readQueue(bench.url)).running.includes(promptId);
  });
  return promptId;
}

/** Prompt ids of all runs of the jobs. */
export async function listPrompts(studio: QueueBridge, jobIds: readonly string[]): Promise<string[]> {
  const rows = await studio.db<{ id: string }[]>`
    select id from job_attempts where job_id = any(${jobIds as string[]}::uuid[])`;
  return rows.map((row) => row.id);
}

export function expect(isTrue: boolean, what: string, row?: JobRow): void {
  if (isTrue) return;
  throw new Error(row === undefined ? what : `${what}: ${JSON.stringify(row)}`);
}

/** Throws unless the job failed of that class and said all of this. */
export function expectParked(row: JobRow, failureClass: string, ...said: readonly string[]): void {
  expect(row.status === "failed" && row.failureClass === failureClass, `not parked as ${failureClass}`, row);
  for (const words of said) expect(row.error?.includes(words) === true, `it doesn't say “${words}”`, row);
}
