import type { Engine } from "#workers/engine/engine.ts";
import { isRecord } from "#workers/engine/json_text.ts";
import type { HistoryEntry, QueueItem } from "#workers/engine/queue.ts";
import { json, readJson } from "./http.ts";
import type { Call, Route } from "./route.ts";

type JobStatus = "pending" | "in_progress" | "completed" | "failed" | "cancelled";

interface Job {
  readonly item: QueueItem;
  readonly status: JobStatus;
  readonly entry?: HistoryEntry;
}

const STATUSES: readonly string[] = ["pending", "in_progress", "completed", "failed", "cancelled"];

/** The newer routes that show a prompt's state without races. */
export function jobRoutes(engine: Engine): Route[] {
  return [
    { method: "GET", path: "/jobs", at: "api", run: (call) => listJobs(engine, call) },
    {
      method: "GET",
      path: "/jobs/*",
      at: "api",
      run: ({ params: [id = ""] }) => {
        const job = findJob(engine, id);
        return job ? json(describeWhole(job)) : json({ error: "Job not found" }, 404);
      },
    },
    {
      method: "POST",
      path: "/jobs/*/cancel",
      at: "api",
      run: ({ params: [id = ""] }) => json({ cancelled: cancel(engine, id) }),
    },
    { method: "POST", path: "/jobs/cancel", at: "api", run: ({ request }) => cancelMany(engine, request) },
  ];
}

function listJobs(engine: Engine, { query }: Call): Response {
  const wanted = query.get("status")?.split(",").map((status) => status.trim());
  const unknown = wanted?.find((status) => !STATUSES.includes(status));
  if (unknown !== undefined) {
    return json({ error: `Invalid status: ${unknown}. Valid: ${STATUSES.join(", ")}` }, 400);
  }
  const sortBy = query.get("sort_by") ?? "created_at";
  if (!["created_at", "execution_duration"].includes(sortBy)) {
    return json({ error: `Invalid sort_by: ${sortBy}` }, 400);
  }
  const order = query.get("sort_order") ?? "desc";
  if (!["asc", "desc"].includes(order)) return json({ error: `Invalid sort_order: ${order}` }, 400);
  const limit = integer(query.get("limit"));
  const offset = integer(query.get("offset")) ?? 0;
  if (limit === "bad" || offset === "bad") return json({ error: "limit and offset must be integers" }, 400);
  const workflowId = query.get("workflow_id");
  const jobs = allJobs(engine)
    .filter((job) => wanted?.includes(job.status) ?? true)
    .filter((job) => workflowId === null || workflowIdOf(job.item) === workflowId);
  const key = (job: Job) => sortBy === "created_at" ? job.item.createTime : durationOf(job);
  jobs.sort((a, b) => (order === "asc" ? 1 : -1) * (key(a) - key(b)));
  const page = jobs.slice(offset, limit === undefined ? undefined : offset + limit);
  return json({
    jobs: page.map(describe),
    pagination: {
      offset,
      limit: limit ?? null,
      total: jobs.length,
      has_more: offset + page.length < jobs.length,
    },
  });
}

function allJobs({ queue }: Engine): Job[] {
  return [
    ...queue.pending.map((item): Job => ({ item, status: "pending" })),
    ...(queue.running ? [{ item: queue.running, status: "in_progress" } satisfies Job] : []),
    ...queue.history().map((entry): Job => ({ item: entry.item, status: statusOf(entry), entry })),
  ];
}

function findJob({ queue }: Engine, id: string): Job | undefined {
  const waiting = queue.pending.find((item) => item.promptId === id);
  if (waiting) return { item: waiting, status: "pending" };
  if (queue.running?.promptId === id) return { item: queue.running, status: "in_progress" };
  const entry = queue.find(id);
  return entry && { item: entry.item, status: statusOf(entry), entry };
}

function statusOf(entry: HistoryEntry): JobStatus {
  if (entry.status.completed) return "completed";
  return entry.status.messages.at(-1)?.[0] === "execution_interrupted" ? "cancelled" : "failed";
}

function describe(job: Job): Record<string, unknown> {
  const { item, entry, status } = job;
  const files = Object.entries(entry?.outputs ?? {}).flatMap(([nodeId, output]) => filesOf(nodeId, output));
  const last = entry?.status.messages.at(-1);
  const error = last?.[0] === "execution_error" ? last[1] : undefined;
  const described = {
    id: item.promptId,
    status,
    priority: item.number,
    create_time: item.createTime,
    execution_start_time: timeOf(entry, "execution_start"),
    execution_end_time: timeOf(entry, last?.[0]),
    execution_error: error,
    outputs_count: files.length,
    previewable_outputs_count: files.filter((file) => file["mediaType"] === "images").length,
    preview_output: files.findLast((file) => file["type"] === "output") ?? files.at(-1),
    workflow_id: workflowIdOf(item),
  };
  return Object.fromEntries(Object.entries(described).filter(([, value]) => value !== undefined));
}

function describeWhole(job: Job): Record<string, unknown> {
  return {
    ...describe(job),
    outputs: job.entry?.outputs ?? {},
    ...(job.entry ? { execution_status: job.entry.status } : {}),
    workflow: { prompt: job.item.prompt, extra_data: job.item.extraData },
  };
}

function filesOf(nodeId: string, output: unknown): Record<string, unknown>[] {
  if (!isRecord(output)) return [];
  return Object.entries(output).flatMap(([mediaType, list]) =>
    Array.isArray(list)
      ? list.filter(isRecord).filter((file) => "filename" in file).map((file) => ({
        ...file,
        nodeId,
        mediaType,
      }))
      : []
  );
}

function timeOf(entry: HistoryEntry | undefined, name: string | undefined): number | undefined {
  const time = entry?.status.messages.find((message) => message[0] === name)?.[1]["timestamp"];
  return typeof time === "number" ? time : undefined;
}

function durationOf({ entry }: Job): number {
  const start = timeOf(entry, "execution_start");
  const end = timeOf(entry, entry?.status.messages.at(-1)?.[0]);
  return start === undefined || end === undefined ? 0 : end - start;
}

function workflowIdOf(item: QueueItem): string | undefined {
  const extra = item.extraData["extra_pnginfo"];
  const workflow = isRecord(extra) ? extra["workflow"] : undefined;
  return isRecord(workflow) && typeof workflow["id"] === "string" ? workflow["id"] : undefined;
}

function cancel(engine: Engine, id: string): boolean {
  return engine.interrupt(id) || engine.queue.remove([id]) > 0;
}

async function cancelMany(engine: Engine, request: Request): Promise<Response> {
  const body = await readJson(request);
  const ids: unknown = isRecord(body) ? body["job_ids"] : undefined;
  if (!Array.isArray(ids)) return json({ error: "job_ids must be a list" }, 400);
  const invalid = ids.filter((id) =>
    typeof id !== "string" || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  );
  if (invalid.length > 0) return json({ error: "Invalid job ids", invalid_ids: invalid }, 400);
  return json({ cancelled: ids.map((id) => cancel(engine, String(id))).some(Boolean) });
}

function integer(text: string | null): number | "bad" | undefined {
  if (text === null || text === "") return undefined;
  return /^\d+$/.test(text) ? Number(text) : "bad";
}
