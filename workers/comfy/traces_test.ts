import { assert, assertEquals } from "@std/assert/mod.js";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { type PromptEvent, readEvent } from "./events.ts";
import { readHistoryEntry } from "./history.ts";
import { asRecord } from "./json.ts";
import { PromptProgress } from "./progress.ts";

/** What was recorded of one prompt on a real ComfyUI. */
interface Trace {
  readonly request: { readonly prompt: ApiGraph };
  readonly ws: readonly unknown[];
  readonly history: Record<string, unknown> | null;
}

const folder = new URL("../../../shared/comfyui/traces/", import.meta.url);
const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name).catch(() => []);

Deno.test({
  name: `recorded prompts are read to their end${
    names.length > 0 ? "" : ": skipped, ../shared/comfyui is not there"
  }`,
  ignore: names.length === 0,
  fn: async (t) => {
    for (const name of names.toSorted()) {
      await t.step(name, async () => readTrace(JSON.parse(await Deno.readTextFile(new URL(name, folder)))));
    }
  },
});

function readTrace(trace: Trace): void {
  const events = trace.ws.flatMap((frame): PromptEvent[] => {
    const event = readEvent(JSON.stringify(frame));
    return event?.type === "prompt" ? [event.event] : [];
  });
  const ratios: number[] = [];
  const progress = new PromptProgress(trace.request.prompt, (ratio) => ratios.push(ratio));
  for (const event of events) progress.take(event);
  assertEquals(ratios, ratios.toSorted((a, b) => a - b));
  const [record] = Object.values(trace.history ?? {});
  if (record === undefined) return assertEquals(events, []); // it was refused
  const entry = readHistoryEntry(asRecord(record) ?? {});
  assertEquals(entry.graph, trace.request.prompt);
  assertEquals(events.at(-1)?.type, "ended");
  if (entry.ended !== "success") return assertEquals(entry.outputs.size, 0);
  const files = [...entry.outputs.values()].flatMap((output) => output.files);
  assert(files.length > 0);
  const executed = events.filter((event) => event.type === "executed").flatMap((event) => event.output.files);
  assertEquals(
    executed.map((file) => file.filename).toSorted(),
    files.map((file) => file.filename).toSorted(),
  );
  assert(progress.cachedNodes.length > 0 || ratios.at(-1) === 0.95, `ends at ${ratios.at(-1)}`);
}
