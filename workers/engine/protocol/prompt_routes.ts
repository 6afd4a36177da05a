import type { Engine } from "#workers/engine/engine.ts";
import { isRecord } from "#workers/engine/json_text.ts";
import type { HistoryEntry, QueueItem } from "#workers/engine/queue.ts";
import { empty, json, readBody, readJson } from "./http.ts";
import type { Route } from "./route.ts";
import { parseJson } from "#workers/engine/json_text.ts";

/** Submitting, watching and stopping prompts. */
export function promptRoutes(engine: Engine): Route[] {
  const { queue } = engine;
  return [
    { method: "GET", path: "/prompt", run: () => json(engine.status()) },
    { method: "POST", path: "/prompt", run: async ({ request }) => await submit(engine, request) },
    {
      method: "GET",
      path: "/queue",
      run: () =>
        json({
          queue_running: queue.running ? [asTuple(queue.running)] : [],
          queue_pending: queue.pending.map(asTuple),
        }),
    },
    {
      method: "POST",
      path: "/queue",
      run: async ({ request }) => {
        const { clear, ids } = readRemoval(await readJson(request));
        if (clear) queue.clear();
        if (ids.length > 0) queue.remove(ids);
        return empty();
      },
    },
    {
      method: "POST",
      path: "/interrupt",
      run: async ({ request }) => {
        engine.interrupt(promptIdOf(await readBody(request)));
        return empty();
      },
    },
    {
      method: "POST",
      path: "/free",
      run: async ({ request }) => {
        const body = await readJson(request);
        if (isRecord(body) && body["free_memory"]) engine.freeMemory();
        return empty();
      },
    },
    {
      method: "GET",
      path: "/history",
      run: ({ query }) => {
        const entries = queue.history(integer(query.get("max_items")), integer(query.get("offset")));
        return json(Object.fromEntries(entries.map((entry) => [entry.item.promptId, showEntry(entry)])));
      },
    },
    {
      method: "GET",
      path: "/history/*",
      run: ({ params: [id = ""] }) => {
        const entry = queue.find(id);
        return json(entry ? { [id]: showEntry(entry) } : {});
      },
    },
    {
      method: "POST",
      path: "/history",
      run: async ({ request }) => {
        const { clear, ids } = readRemoval(await readJson(request));
        if (clear) queue.forgetAll();
        queue.forget(ids);
        return empty();
      },
    },
  ];
}

async function submit(engine: Engine, request: Request): Promise<Response> {
  const submission = await engine.submit(await readJson(request));
  if (!submission.accepted) {
    return json({ error: submission.error, node_errors: submission.nodeErrors }, 400);
  }
  const { promptId, number, nodeErrors } = submission;
  return json({ prompt_id: promptId, number, node_errors: nodeErrors });
}

function asTuple(item: QueueItem): unknown[] {
  return [item.number, item.promptId, item.prompt, item.extraData, item.outputs];
}

function showEntry({ item, outputs, status, meta }: HistoryEntry): Record<string, unknown> {
  return { prompt: asTuple(item), outputs, status, meta };
}

function readRemoval(body: unknown): { clear: boolean; ids: string[] } {
  if (!isRecord(body)) throw new TypeError("The body is not an object");
  const ids = Array.isArray(body["delete"]) ? body["delete"].filter((id) => typeof id === "string") : [];
  return { clear: Boolean(body["clear"]), ids };
}

/** The body of an interrupt is optional, and what is no JSON counts as none. */
function promptIdOf(body: Uint8Array): string | undefined {
  try {
    const value = parseJson(new TextDecoder().decode(body));
    const id = isRecord(value) ? value["prompt_id"] : undefined;
    return id ? String(id) : undefined;
  } catch {
    return undefined;
  }
}

function integer(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new TypeError(`${text} is no integer`);
  return Number(text);
}
