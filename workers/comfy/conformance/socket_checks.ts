import { readBinary } from "#workers/comfy/events.ts";
import { asRecord } from "#workers/comfy/json.ts";
import { holds, outline, same } from "./assert.ts";
import { type Check, check } from "./check.ts";
import { oneImage, previewing, slowChain, twoOutputs } from "./graphs.ts";
import { Listener } from "./peer.ts";

/** Who hears what over `/ws`. */
export const SOCKET_CHECKS: readonly Check[] = [
  check("the first frame is status with sid; later ones have none", async (peer) => {
    const listener = await peer.listen("conformance-sid");
    const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()), {
      client_id: listener.clientId,
    });
    await listener.untilEnd(promptId);
    const [first, ...later] = listener.messages.filter((one) => one.type === "status");
    same(first?.data.sid, "conformance-sid", "sid");
    holds(
      asRecord(asRecord(first?.data.status)?.exec_info)?.queue_remaining !== undefined,
      "no queue_remaining",
    );
    same(later.filter((one) => "sid" in one.data), [], "later frames with sid");
    await listener.close();
  }),

  check("without a clientId the server makes one up", async (peer) => {
    const socket = await Listener.open(peer.url, undefined, undefined);
    const sid = String(socket.messages[0]?.data.sid);
    holds(/^[0-9a-f]{32}$/.test(sid), `sid is ${sid}`);
    await socket.close();
  }),

  check("status goes to everybody, a prompt's messages only to its client", async (peer) => {
    const [own, other] = [await peer.listen(), await peer.listen()];
    const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()), {
      client_id: own.clientId,
    });
    await own.untilEnd(promptId);
    const statuses = (listener: Listener) => listener.messages.filter((one) => one.type === "status").length;
    await other.until("status", () => statuses(other) >= 4);
    same([statuses(own), statuses(other)], [4, 4], "status frames");
    same(other.of(promptId), [], "messages to the other");
    await own.close();
    await other.close();
  }),

  check("feature_flags are answered when they come first, once", async (peer) => {
    const listener = await peer.listen(crypto.randomUUID());
    listener.send("this is no JSON");
    listener.send(JSON.stringify({ type: "feature_flags", data: { supports_preview_metadata: true } }));
    await listener.until("the answer", () => flagsOf(listener).length === 1);
    same(typeof flagsOf(listener)[0]?.supports_preview_metadata, "boolean", "supports_preview_metadata");
    listener.send(JSON.stringify({ type: "feature_flags", data: {} }));
    const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()), {
      client_id: listener.clientId,
    });
    await listener.untilEnd(promptId);
    same(flagsOf(listener).length, 1, "answers");
    await listener.close();
  }),

  check("another first message uses up the chance for feature_flags", async (peer) => {
    const listener = await peer.listen(crypto.randomUUID());
    listener.send(JSON.stringify({ type: "hello", data: {} }));
    listener.send(JSON.stringify({ type: "feature_flags", data: {} }));
    const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()), {
      client_id: listener.clientId,
    });
    await listener.untilEnd(promptId);
    same(flagsOf(listener), [], "answers");
    await listener.close();
  }),

  check("a prompt without client_id runs in silence but for status", async (peer) => {
    const listener = await peer.listen();
    const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()));
    const history = await peer.untilHistory(promptId);
    same(Object.keys(asRecord(history.outputs) ?? {}), ["2"], "outputs");
    await peer.untilIdle();
    const told = outline(listener.of(promptId));
    same(told, [], "messages");
    await listener.close();
  }),

  check("a second socket of the same client takes over", async (peer) => {
    const first = await peer.listen("conformance-twice");
    const second = await peer.listen("conformance-twice");
    const { promptId } = await peer.submit(twoOutputs(peer.freshPrefix(), peer.freshColor()), {
      client_id: "conformance-twice",
    });
    await second.untilEnd(promptId);
    same(first.of(promptId), [], "messages to the first");
    await first.close();
    await second.close();
  }),

  check("closing the first of two sockets of a client leaves the second in place", async (peer) => {
    const first = await peer.listen("conformance-heir");
    const second = await peer.listen("conformance-heir");
    await first.close();
    const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()), {
      client_id: "conformance-heir",
    });
    await second.untilEnd(promptId);
    await second.close();
  }, { skip: (facts) => facts.isEngine ? undefined : "ComfyUI loses the second socket here: a known bug" }),

  check("a client that comes back mid-run is told the running node, then goes on hearing", async (peer) => {
    const clientId = crypto.randomUUID();
    const before = await peer.listen(clientId);
    const { promptId } = await peer.submit(slowChain(peer.freshColor(), 4), { client_id: clientId });
    await before.until("the first blur", () => outline(before.of(promptId)).includes("executing 10"));
    await before.close();
    const after = await peer.listen(clientId);
    await after.until("the running node", () => after.messages.length >= 2);
    const [status, executing] = after.messages;
    same([status?.type, status?.data.sid], ["status", clientId], "first frame");
    same([executing?.type, executing?.data.prompt_id], ["executing", undefined], "second frame");
    holds(/^1\d$/.test(String(executing?.data.node)), `node is ${executing?.data.node}`);
    await after.until("a live event", () => after.of(promptId).length > 0);
    await peer.post("/interrupt", { prompt_id: promptId });
    await after.untilEnd(promptId);
    await after.close();
  }, { classes: ["ImageBlur"] }),

  check(
    "previews name prompt and node where the client asked for that, else they come plain",
    async (peer) => {
      const asking = await peer.listen(crypto.randomUUID(), { supports_preview_metadata: true });
      const plain = await peer.listen();
      for (const listener of [asking, plain]) {
        const graph = previewing(peer.freshPrefix(), peer.freshColor());
        const { promptId } = await peer.submit(graph, { client_id: listener.clientId });
        await listener.untilEnd(promptId);
        const frames = listener.binaries.map((bytes) => readBinary(bytes.slice().buffer));
        holds(frames.length > 0, "no preview came");
        for (const frame of frames) {
          if (frame?.type !== "preview") throw new Error("Cannot read a frame as a preview");
          const named = listener === asking;
          same(
            [frame.promptId, frame.node],
            named ? [promptId, "2"] : [undefined, undefined],
            "prompt and node",
          );
          const start = [...frame.image.subarray(0, 2)];
          same(
            start,
            frame.mediaType === "image/png" ? [0x89, 0x50] : [0xff, 0xd8],
            `start of ${frame.mediaType}`,
          );
        }
        const steps = listener.of(promptId).filter((one) => one.type === "progress");
        holds(steps.length > 0, "no progress came");
      }
      await asking.close();
      await plain.close();
    },
    { classes: ["SeedloopMotion"] },
  ),

  check("GetImageSize broadcasts a binary text frame", async (peer) => {
    const listener = await peer.listen();
    const other = await peer.listen();
    const graph = oneImage(peer.freshPrefix(), peer.freshColor(), 24);
    graph["5"] = { class_type: "GetImageSize", inputs: { image: ["1", 0] } };
    graph["6"] = { class_type: "PreviewAny", inputs: { source: ["5", 0] } };
    const { promptId } = await peer.submit(graph, { client_id: listener.clientId });
    await listener.untilEnd(promptId);
    for (const frame of [listener.binaries[0], other.binaries[0]]) {
      const view = new DataView((frame ?? new Uint8Array(9)).slice().buffer);
      same(
        [view.getUint32(0), view.getUint32(4), String.fromCharCode(view.getUint8(8))],
        [3, 1, "5"],
        "frame head",
      );
      holds(new TextDecoder().decode(frame?.subarray(9)).includes("24"), "text");
    }
    await listener.close();
    await other.close();
  }, { classes: ["GetImageSize", "PreviewAny"] }),
];

function flagsOf(listener: Listener): Record<string, unknown>[] {
  return listener.messages.filter((one) => one.type === "feature_flags").map((one) => one.data);
}
