import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { asList, asNumber, asRecord, asText } from "#workers/comfy/json.ts";
import { holds, outline, same } from "./assert.ts";
import { type Check, check, isAtLeast } from "./check.ts";
import { INVALID, oneImage, twoOutputs } from "./graphs.ts";
import type { Answer } from "./peer.ts";

/** What is accepted, what is refused, and how the refusal says why. */
export const PROMPT_CHECKS: readonly Check[] = [
  check("an accepted prompt answers id, number and no errors", async (peer) => {
    const { status, json, promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()));
    same(status, 200, "status");
    const answer = asRecord(json) ?? {};
    same(Object.keys(answer).sort(), ["node_errors", "number", "prompt_id"], "keys");
    same([answer.prompt_id, answer.node_errors], [promptId, {}], "answer");
    await peer.untilHistory(promptId);
  }),

  check("no prompt, an empty one and broken JSON are refused, each in its way", async (peer) => {
    const none = await peer.post("/prompt", {});
    same([none.status, errorOf(none).type], [400, "no_prompt"], "no prompt");
    const empty = await peer.post("/prompt", { prompt: {} });
    same([empty.status, errorOf(empty).type], [400, "prompt_no_outputs"], "empty prompt");
    const noOutput: ApiGraph = {
      "1": { class_type: "EmptyImage", inputs: { width: 8, height: 8, batch_size: 1, color: 0 } },
    };
    same(
      errorOf(await peer.post("/prompt", { prompt: noOutput })).type,
      "prompt_no_outputs",
      "no output node",
    );
    const broken = await peer.post("/prompt", undefined, { body: "{nope" });
    same([broken.status, broken.json], [500, undefined], "broken JSON");
  }),

  check("an unknown class rejects the whole prompt and names the node, even a loose one", async (peer) => {
    const graph = oneImage(peer.freshPrefix(), 1);
    graph["77"] = { class_type: "NoSuchClassAnywhere", inputs: {} };
    const answer = await peer.post("/prompt", { prompt: graph });
    const { type, details } = errorOf(answer);
    same(answer.status, 400, "status");
    holds(type === "invalid_prompt" || type === "missing_node_type", `type is ${type}`);
    holds(String(details).includes("#77"), `details are ${details}`);
  }),

  check("every wrong value is listed by node, and nothing is told over the socket", async (peer) => {
    const listener = await peer.listen();
    const answer = await peer.post("/prompt", { prompt: INVALID, client_id: listener.clientId });
    const before = listener.frames.length;
    same(answer.status, 400, "status");
    same([errorOf(answer).type, errorOf(answer).details], ["prompt_outputs_failed_validation", ""], "error");
    const expected = [
      "invalid_input_type",
      "required_input_missing",
      "value_bigger_than_max",
      "value_smaller_than_min",
    ];
    same(errorTypes(answer, "1"), expected, "errors of node 1");
    same(errorTypes(answer, "2"), ["value_not_in_list"], "errors of node 2");
    same(Object.keys(nodeErrors(answer)).sort(), ["1", "2"], "nodes with errors");
    const second = asRecord(nodeErrors(answer)["2"]) ?? {};
    same([second.dependent_outputs, second.class_type], [["3"], "ImageScale"], "of node 2");
    const { extra_info, details } = asRecord(asList(second.errors)[0]) ?? {};
    const info = asRecord(extra_info) ?? {};
    same([info.input_name, info.received_value], ["upscale_method", "zzz"], "extra_info");
    holds(String(details).startsWith("upscale_method: 'zzz' not in ["), `details are ${details}`);
    await peer.get("/prompt");
    same(listener.frames.length, before, "frames after the refusal");
    await listener.close();
  }, { classes: ["ImageScale"] }),

  check("links are checked: missing node, slot out of range, wrong type, number as id", async (peer) => {
    const refuse = async (image: unknown) => {
      const graph = oneImage(peer.freshPrefix(), 1);
      graph["2"]!.inputs.images = image;
      const answer = await peer.post("/prompt", { prompt: graph });
      same(answer.status, 400, `status for ${JSON.stringify(image)}`);
      return Object.keys(nodeErrors(answer)).flatMap((node) => errorTypes(answer, node));
    };
    for (const image of [["9", 0], ["1", 5], [1, 0]]) {
      const types = await refuse(image);
      const known = types.every((type) =>
        /^exception_during(_inner)?_validation$|^bad_linked_input$/.test(type)
      );
      holds(types.length > 0 && known, `${JSON.stringify(image)} gives ${types}`);
    }
    same(await refuse(["1"]), ["bad_linked_input"], "a link of one");
  }),

  check("one good and one bad output: the good one runs, the bad one is in node_errors", async (peer) => {
    const graph = twoOutputs(peer.freshPrefix(), peer.freshColor());
    graph["8"] = { class_type: "EmptyImage", inputs: { width: 0, height: 8, batch_size: 1, color: 0 } };
    graph["9"] = { class_type: "PreviewImage", inputs: { images: ["8", 0] } };
    const answer = await peer.submit(graph);
    same(answer.status, 200, "status");
    same(Object.keys(nodeErrors(answer)), ["8"], "node_errors");
    const history = await peer.untilHistory(answer.promptId);
    same(Object.keys(asRecord(history.outputs) ?? {}).sort(), ["3", "4"], "outputs");
  }),

  check("partial_execution_targets runs only what feeds them", async (peer) => {
    const { messages, history } = await peer.run(twoOutputs(peer.freshPrefix(), peer.freshColor()), {
      partial_execution_targets: ["4"],
    });
    const executed = outline(messages).filter((line) => line.startsWith("executing"));
    same(executed, ["executing 1", "executing 4"], "executed");
    same(asList(history.prompt)[4], ["4"], "outputs in history's prompt");
  }),

  check("literals are coerced to their inputs' types, unknown inputs and _meta are ignored", async (peer) => {
    const graph = oneImage(peer.freshPrefix(), peer.freshColor());
    Object.assign(graph["1"]!.inputs, { width: "24", height: 16.7, nonsense: { a: 1 } });
    graph["1"]!._meta = { title: "with a title" };
    const { history } = await peer.run(graph);
    const sent = asRecord(asRecord(asRecord(asList(history.prompt)[2])?.["1"])?.inputs) ?? {};
    same([sent.width, sent.height], [24, 16], "coerced");
  }),

  check("the number counts up, refused prompts included, and front is its negative", async (peer) => {
    const number = async (extra: Record<string, unknown>) => {
      const answer = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()), extra);
      return asNumber(asRecord(answer.json)?.number) ?? Number.NaN;
    };
    const first = await number({});
    await peer.post("/prompt", { prompt: {} });
    same(await number({}), first + 2, "number after a refused one");
    same(await number({ front: true }), -(first + 3), "number of front");
    same(await number({ number: 0.5 }), 0.5, "given number");
    same(await number({}), first + 4, "number after a given one");
    await peer.untilIdle();
  }),

  check("history keeps the prompt as a 5-tuple with client_id in its extra data", async (peer) => {
    const extra = { extra_pnginfo: { workflow: { note: "x" } } };
    const { history, promptId } = await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()), {
      extra_data: extra,
    });
    const prompt = asList(history.prompt);
    same([prompt.length, prompt[1], prompt[4]], [5, promptId, ["2"]], "prompt");
    const data = asRecord(prompt[3]) ?? {};
    same(data.extra_pnginfo, extra.extra_pnginfo, "extra_pnginfo");
    holds(asText(data.client_id) !== undefined, "no client_id");
  }),

  check("routes exist bare and under /api", async (peer) => {
    for (
      const path of [
        "/prompt",
        "/queue",
        "/history",
        "/object_info/SaveImage",
        "/system_stats",
        "/features",
        "/models",
      ]
    ) {
      same([(await peer.get(path)).status, (await peer.get(`/api${path}`)).status], [200, 200], path);
    }
    same((await peer.get("/no/such/path")).status, 404, "an unknown path");
  }),

  check("a prompt_id that is no UUID is refused", async (peer) => {
    const answer = await peer.post("/prompt", { prompt: oneImage("x", 1), prompt_id: "not-a-uuid" });
    same([answer.status, errorOf(answer).type], [400, "invalid_prompt_id"], "answer");
  }, { skip: (facts) => isAtLeast(facts, 0, 38) ? undefined : `${facts.version} takes any id` }),
];

function errorOf(answer: Answer): Record<string, unknown> {
  return asRecord(asRecord(answer.json)?.error) ?? {};
}

function nodeErrors(answer: Answer): Record<string, unknown> {
  return asRecord(asRecord(answer.json)?.node_errors) ?? {};
}

function errorTypes(answer: Answer, node: string): string[] {
  return asList(asRecord(nodeErrors(answer)[node])?.errors).map((one) => String(asRecord(one)?.type)).sort();
}
