import { assertEquals } from "@std/assert/mod.js";
import * as fc from "fast-check";
import { readBinary, readEvent } from "./events.ts";

const promptId = "p";
const event = (type: string, data: unknown) => readEvent(JSON.stringify({ type, data }));

Deno.test("readEvent reads what ComfyUI sends of a prompt", () => {
  assertEquals(event("executing", { node: "3.0.1", display_node: "3", prompt_id: promptId }), {
    type: "prompt",
    event: { type: "executing", promptId, node: "3" },
  });
  assertEquals(event("executing", { node: null, prompt_id: promptId }), {
    type: "prompt",
    event: { type: "ended", promptId },
  });
  assertEquals(event("execution_cached", { nodes: ["1", 2], prompt_id: promptId }), {
    type: "prompt",
    event: { type: "cached", promptId, nodes: ["1"] },
  });
  const output = {
    gifs: [{ filename: "a.mp4", subfolder: "x", type: "output", fullpath: "/y" }],
    text: ["t"],
  };
  assertEquals(event("executed", { node: "9", output, prompt_id: promptId }), {
    type: "prompt",
    event: {
      type: "executed",
      promptId,
      node: "9",
      output: { files: [{ filename: "a.mp4", subfolder: "x", type: "output" }], texts: ["t"] },
    },
  });
});

Deno.test("readEvent takes a blocked branch for what it is, not for the end", () => {
  const blocked = { exception_type: "ExecutionBlocked", exception_message: "why", prompt_id: promptId };
  assertEquals(event("execution_error", blocked), {
    type: "prompt",
    event: { type: "blocked", promptId, message: "why" },
  });
  assertEquals(event("execution_error", { exception_type: "TypeError", prompt_id: promptId }), {
    type: "prompt",
    event: { type: "ending", promptId },
  });
});

Deno.test("readEvent tells status and what it doesn't know", () => {
  assertEquals(event("status", { status: { exec_info: { queue_remaining: 2 } }, sid: "s" }), {
    type: "status",
    queueRemaining: 2,
    sid: "s",
  });
  assertEquals(event("crystools.monitor", { a: 1 })?.type, "other");
  // After a reconnect: no prompt is named.
  assertEquals(event("executing", { node: "3" })?.type, "other");
});

Deno.test("readEvent gives a node that expanded no end before its own", () => {
  const nodes = {
    "3": { value: 0, max: 1, state: "running", node_id: "3", display_node_id: "3" },
    "3.0.0.1": { value: 1, max: 1, state: "finished", node_id: "3.0.0.1", display_node_id: "3" },
  };
  assertEquals(event("progress_state", { prompt_id: promptId, nodes }), {
    type: "prompt",
    event: {
      type: "progress",
      promptId,
      nodes: [
        { node: "3", value: 0, max: 1, finished: false },
        { node: "3", value: 0, max: 0, finished: false },
      ],
    },
  });
});

Deno.test("readEvent never throws, whatever comes", () => {
  fc.assert(fc.property(fc.string(), (text) => void readEvent(text)));
  const type = fc.constantFrom(
    "status",
    "executing",
    "progress",
    "progress_state",
    "executed",
    "execution_error",
  );
  fc.assert(fc.property(type, fc.jsonValue(), (name, data) => void event(name, data)));
  fc.assert(
    fc.property(
      type,
      fc.dictionary(fc.constantFrom("prompt_id", "node", "nodes", "output", "status"), fc.jsonValue()),
      (name, data) => void event(name, data),
    ),
  );
});

Deno.test("readBinary reads text and previews, and refuses what doesn't add up", () => {
  const frame = (...bytes: number[]) => new Uint8Array(bytes).buffer;
  assertEquals(readBinary(frame(0, 0, 0, 3, 0, 0, 0, 2, 49, 50, 104, 105)), {
    type: "text",
    node: "12",
    text: "hi",
  });
  const old = readBinary(frame(0, 0, 0, 1, 0, 0, 0, 2, 7));
  assertEquals(old?.type === "preview" ? [old.mediaType, [...old.image], old.promptId] : [], ["image/png", [
    7,
  ], undefined]);
  for (
    const bad of [[], [0, 0, 0], [0, 0, 0, 4, 0, 0, 0], [0, 0, 0, 9, 0, 0, 0, 0], [0, 0, 0, 3, 0, 0, 0, 9, 1]]
  ) {
    assertEquals(readBinary(frame(...bad)), undefined, bad.join());
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readBinary(bytes.slice().buffer)));
});
