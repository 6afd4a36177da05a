import sharp from "sharp";
import { asNumber, asRecord, asText } from "#workers/comfy/json.ts";
import { filesOf, historyMessages, historyStatus, holds, namesOf, outline, same } from "./assert.ts";
import { type Check, check } from "./check.ts";
import { animatedWebp, imageList, oneImage, slowChain, tinySampler, twoOutputs, video } from "./graphs.ts";
import type { Peer } from "./peer.ts";

const TINY_MODEL = "tiny-h3d.safetensors";

/** What runs, in which order it is told, and what it leaves. */
export const RUN_CHECKS: readonly Check[] = [
  check("a fresh run tells start, cached, each node, success, status, end", async (peer) => {
    const { messages, history } = await peer.run(twoOutputs(peer.freshPrefix(), peer.freshColor()));
    const told = outline(messages);
    same(
      told.slice(0, 2).concat(told.slice(-3)),
      ["status", "status", "success", "status", "end"],
      "first and last",
    );
    const within = told.slice(2, -3);
    // A preview fed by a root runs early.
    const order = ["executing 1", "executing 4", "executed 4", "executing 2", "executing 3", "executed 3"];
    same(within, ["start", "cached", ...order], "nodes");
    same(historyStatus(history), ["success", true], "status in history");
    same(
      historyMessages(history),
      ["execution_start", "execution_cached", "execution_success"],
      "history's messages",
    );
  }),

  check("times in execution messages are whole milliseconds of now", async (peer) => {
    const { messages } = await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()));
    const timed = messages.filter((one) => one.type.startsWith("execution_"));
    same(timed.length, 3, "messages with a time");
    for (const { data } of timed) {
      const at = asNumber(data.timestamp) ?? 0;
      holds(Number.isInteger(at) && Math.abs(at - Date.now()) < 3_600_000, `timestamp is ${data.timestamp}`);
    }
  }),

  check("progress_state runs each node from running to finished and names it", async (peer) => {
    const { messages, promptId } = await peer.run(twoOutputs(peer.freshPrefix(), peer.freshColor()));
    const states = messages.filter((one) => one.type === "progress_state").map((one) =>
      asRecord(one.data.nodes) ?? {}
    );
    holds(states.length >= 8, `only ${states.length} progress_state messages`);
    const last = states.at(-1) ?? {};
    same(Object.keys(last).sort(), ["1", "2", "3", "4"], "nodes in the last one");
    for (const [id, item] of Object.entries(last)) {
      const { state, value, max, node_id, display_node_id, real_node_id, parent_node_id, prompt_id } =
        asRecord(item)!;
      same([state, value, max], ["finished", 1, 1], `node ${id}`);
      same([node_id, display_node_id, real_node_id, parent_node_id], [id, id, id, null], `ids of node ${id}`);
      same(prompt_id, promptId, `prompt of node ${id}`);
    }
    same(asRecord(states[0]?.["1"])?.state, "running", "the first state of node 1");
  }),

  check(
    "saved files count up under their prefix, previews are temp files, both can be viewed",
    async (peer) => {
      const prefix = peer.freshPrefix();
      const { outputs } = await peer.run(twoOutputs(prefix, peer.freshColor()));
      const [folder = "", name = ""] = prefix.split("/");
      same(namesOf(outputs["3"]), [`${name}_00001_.png`, `${name}_00002_.png`], "names");
      same(filesOf(outputs["3"]).map((file) => [file.subfolder, file.type]), [[folder, "output"], [
        folder,
        "output",
      ]], "places");
      same(filesOf(outputs["4"]).map((file) => file.type), ["temp", "temp"], "type of previews");
      const again = await peer.run(oneImage(prefix, peer.freshColor()));
      same(namesOf(again.outputs["2"]), [`${name}_00003_.png`], "name of a later file");
      for (const file of [...filesOf(outputs["3"]), ...filesOf(outputs["4"])]) {
        same((await peer.view(file)).status, 200, `view of ${file.filename}`);
      }
    },
  ),

  check("an inverted colour is that colour to the bit", async (peer) => {
    const { outputs } = await peer.run(twoOutputs(peer.freshPrefix(), 0x12fe80));
    const { bytes } = await peer.view(filesOf(outputs["3"])[0]);
    const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    same([info.width, info.height], [64, 48], "size");
    // Pictures are 32-bit floats, cut off and not rounded when they are saved: 1 − 254/255 is a little less than 1/255.
    same([...data.subarray(0, 3)], [0xed, 0x00, 0x7e], "first pixel");
    same([...data.subarray(-3)], [0xed, 0x00, 0x7e], "last pixel");
  }),

  check("history's meta maps each output to its node", async (peer) => {
    const { history } = await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()));
    const expected = { node_id: "2", display_node: "2", parent_node: null, real_node_id: "2" };
    same(asRecord(history.meta)?.["2"], expected, "meta of node 2");
  }),

  check("a failing node ends the prompt with its name and message", async (peer) => {
    const { messages, history } = await peer.run(oneImage("../../evil", peer.freshColor()));
    const told = outline(messages).filter((line) => line !== "status");
    same(told, ["start", "cached", "executing 1", "executing 2", "error", "end"], "messages");
    const data = messages.find((one) => one.type === "execution_error")?.data ?? {};
    same([data.node_id, data.node_type, data.exception_type], ["2", "SaveImage", "Exception"], "who failed");
    holds(
      String(data.exception_message).includes("Saving image outside the output folder is not allowed"),
      "message",
    );
    for (const key of ["executed", "traceback", "current_inputs", "current_outputs", "timestamp"]) {
      holds(data[key] !== undefined, `execution_error has no ${key}`);
    }
    same(historyStatus(history), ["error", false], "status in history");
    same(historyMessages(history).at(-1), "execution_error", "history's last message");
  }),

  check("a list runs the nodes after it once per element, inside one executing", async (peer) => {
    const { messages, outputs } = await peer.run(imageList(peer.freshPrefix(), peer.freshColor()));
    same(namesOf(outputs["4"]).length, 3, "files");
    same(outline(messages).filter((line) => line === "executing 3").length, 1, "executing of node 3");
  }, { classes: ["RebatchImages"] }),

  check("a video is listed under images with animated, and plays", async (peer) => {
    const { outputs } = await peer.run(video(peer.freshPrefix(), peer.freshColor()));
    same(asRecord(outputs["5"])?.animated, [true], "animated");
    const [file] = filesOf(outputs["5"]);
    holds(/_00001_\.mp4$/.test(String(file?.filename)), `name is ${file?.filename}`);
    const part = await peer.view(file, "", { headers: { range: "bytes=0-99" } });
    same([part.status, part.bytes.length], [206, 100], "a range");
    holds(part.text.includes("ftyp"), "the file is no MP4");
    const whole = await peer.view(file);
    same(whole.headers.get("content-range"), null, "content-range of the whole");
    same(part.headers.get("content-range"), `bytes 0-99/${whole.bytes.length}`, "content-range");
    holds(whole.text.includes("avc1"), "no H.264 inside");
  }, { classes: ["CreateVideo", "SaveVideo", "ImageBatch"] }),

  check("an animated WebP is listed under images with animated", async (peer) => {
    const { outputs } = await peer.run(animatedWebp(peer.freshPrefix(), peer.freshColor()));
    same(asRecord(outputs["6"])?.animated, [true], "animated");
    const { text } = await peer.view(filesOf(outputs["6"])[0]);
    same([text.slice(0, 4), text.slice(8, 12)], ["RIFF", "WEBP"], "magic");
  }, { classes: ["SaveAnimatedWEBP"] }),

  check("an interrupt by id stops before the next node; a resubmit goes on from there", async (peer) => {
    await interruptAndResume(peer);
  }, { classes: ["ImageBlur"] }),

  check("a sampler tells each step of its slice", async (peer) => {
    const seed = Math.floor(Math.random() * 1e9);
    const { messages, outputs } = await peer.run(tinySampler(peer.freshPrefix(), seed, TINY_MODEL));
    const steps = messages.filter((one) => one.type === "progress").map((
      { data },
    ) => [data.node, data.value, data.max]);
    same(steps.at(-1), ["5", 3, 3], "last step");
    holds(steps.length >= 2 && steps.every(([, , max]) => max === 3), `steps: ${JSON.stringify(steps)}`);
    const [file] = Array.isArray(asRecord(outputs["6"])?.latents)
      ? asRecord(outputs["6"])!.latents as unknown[]
      : [];
    holds(/_00001_\.latent$/.test(asText(asRecord(file)?.filename) ?? ""), "no latent was saved");
    same((await peer.view(file)).status, 200, "view of the latent");
  }, {
    classes: ["UNETLoader", "LotusConditioning", "KSamplerAdvanced", "EmptyLatentHunyuan3Dv2", "SaveLatent"],
    skip: (facts) => facts.diffusionModels.includes(TINY_MODEL) ? undefined : `no ${TINY_MODEL} there`,
  }),
];

async function interruptAndResume(peer: Peer): Promise<void> {
  const graph = slowChain(peer.freshColor(), 5);
  const listener = await peer.listen();
  try {
    const { promptId } = await peer.submit(graph, { client_id: listener.clientId });
    await listener.until("the second blur", () => outline(listener.of(promptId)).includes("executing 11"));
    same((await peer.post("/interrupt", { prompt_id: promptId })).status, 200, "answer to interrupt");
    await listener.untilEnd(promptId);
    const told = outline(listener.of(promptId));
    same(told.slice(-2), ["interrupted", "end"], "last messages");
    holds(!told.includes("executing 14"), "it ran on to the end");
    const data = listener.of(promptId).find((one) => one.type === "execution_interrupted")?.data ?? {};
    for (const key of ["node_id", "node_type", "executed", "timestamp"]) holds(key in data, `no ${key}`);
    const history = await peer.untilHistory(promptId);
    same(historyStatus(history), ["error", false], "status in history");
    same(historyMessages(history).at(-1), "execution_interrupted", "history's last message");
    const resumed = outline((await peer.run(graph)).messages);
    const cached = resumed.find((line) => line.startsWith("cached")) ?? "";
    holds(/\b1,10\b/.test(cached), `resumed with “${cached}”`);
    holds(!resumed.includes("executing 10") && resumed.includes("executing 99"), "not resumed after node 10");
  } finally {
    await listener.close();
  }
}
