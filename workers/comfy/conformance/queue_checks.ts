import { asList, asNumber, asRecord, asText } from "#workers/comfy/json.ts";
import { historyMessages, holds, outline, same } from "./assert.ts";
import { type Check, check } from "./check.ts";
import { oneImage, slowChain } from "./graphs.ts";
import type { Listener, Peer } from "./peer.ts";

/** Order, removal and interruption. */
export const QUEUE_CHECKS: readonly Check[] = [
  check("the queue runs by number, newest front first; removed prompts never ran", async (peer) => {
    await withSlow(peer, 4, async (slow, listener) => {
      const put = async (extra: Record<string, unknown>) => {
        const graph = oneImage(peer.freshPrefix(), peer.freshColor(), 8);
        return (await peer.submit(graph, { client_id: listener.clientId, ...extra })).promptId;
      };
      const ids = {
        b: await put({}),
        c: await put({}),
        front1: await put({ front: true }),
        front2: await put({ front: true }),
        half: await put({ number: 0.5 }),
        least: await put({ number: -1000 }),
        d: await put({}),
      };
      same((await peer.queue()).pending.toSorted(), Object.values(ids).toSorted(), "pending");
      same(await remaining(peer), 8, "queue_remaining");
      same((await peer.post("/queue", { delete: [ids.c, slow, "unknown"] })).status, 200, "answer to delete");
      same((await peer.queue()).running, [slow], "running after its delete");
      await peer.post("/interrupt", { prompt_id: slow });
      const wanted = [ids.least, ids.front2, ids.front1, ids.half, ids.b, ids.d];
      for (const id of wanted) await listener.untilEnd(id);
      const started = listener.messages.filter((one) => one.type === "execution_start").map((one) =>
        one.data.prompt_id
      );
      const nameOf = (id: unknown) => Object.entries(ids).find(([, value]) => value === id)?.[0] ?? "slow";
      same(started.map(nameOf), ["slow", ...wanted.map(nameOf)], "order");
      same(await peer.history(ids.c), undefined, "history of the removed prompt");
      same(listener.of(ids.c), [], "messages of the removed prompt");
    });
  }, { classes: ["ImageBlur"] }),

  check("/queue lists 5-tuples of number, id, graph, extra data and outputs", async (peer) => {
    await withSlow(peer, 3, async (slow) => {
      const queue = asRecord((await peer.get("/queue")).json) ?? {};
      same(Object.keys(queue).sort(), ["queue_pending", "queue_running"], "keys");
      const [number, id, graph, extra, outputs] = asList(asList(queue.queue_running)[0]);
      same([id, outputs], [slow, ["99"]], "id and outputs");
      holds(
        asNumber(number) !== undefined && asRecord(asRecord(graph)?.["99"]) !== undefined,
        "number and graph",
      );
      holds(asText(asRecord(extra)?.client_id) !== undefined, "client_id in extra data");
    });
  }, { classes: ["ImageBlur"] }),

  check("clear drops what is pending and leaves what runs", async (peer) => {
    await withSlow(peer, 4, async (slow) => {
      const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()));
      const { pending } = await peer.queue();
      // Others may use this server: only our own queue is cleared.
      if (pending.some((id) => !peer.ours.has(id))) return;
      same((await peer.post("/queue", { clear: true })).status, 200, "answer");
      same(await peer.queue(), { running: [slow], pending: [] }, "queue");
      same(await remaining(peer), 1, "queue_remaining");
      same(await peer.history(promptId), undefined, "history of the dropped prompt");
    });
  }, { classes: ["ImageBlur"] }),

  check("an interrupt with another prompt's id changes nothing", async (peer) => {
    await withSlow(peer, 2, async (slow, listener) => {
      const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()));
      same((await peer.post("/interrupt", { prompt_id: promptId })).status, 200, "of the pending one");
      same(
        (await peer.post("/interrupt", { prompt_id: crypto.randomUUID() })).status,
        200,
        "of an unknown one",
      );
      await listener.untilEnd(slow);
      holds(outline(listener.of(slow)).includes("success"), "the running prompt was hit");
      same(
        historyMessages(await peer.untilHistory(promptId)).at(-1),
        "execution_success",
        "the pending prompt",
      );
    });
  }, { classes: ["ImageBlur"] }),

  check("an interrupt while idle doesn't hit the next prompt", async (peer) => {
    await peer.untilIdle();
    const answer = await peer.post("/interrupt");
    same([answer.status, answer.text], [200, ""], "answer without a body");
    const { history } = await peer.run(oneImage(peer.freshPrefix(), peer.freshColor()));
    same(historyMessages(history).at(-1), "execution_success", "the next prompt");
  }),

  check("a job can be read and cancelled by /api/jobs", async (peer) => {
    await withSlow(peer, 4, async (slow, listener) => {
      const { promptId } = await peer.submit(oneImage(peer.freshPrefix(), peer.freshColor()));
      const statusOf = async (id: string) =>
        asText(asRecord((await peer.get(`/api/jobs/${id}`)).json)?.status);
      same([await statusOf(slow), await statusOf(promptId)], ["in_progress", "pending"], "status");
      const cancel = async (id: string) => (await peer.post(`/api/jobs/${id}/cancel`)).json;
      same(await cancel(promptId), { cancelled: true }, "cancel of the pending one");
      same(await cancel(slow), { cancelled: true }, "cancel of the running one");
      same(await cancel(crypto.randomUUID()), { cancelled: false }, "cancel of an unknown one");
      await listener.untilEnd(slow);
      holds(outline(listener.of(slow)).includes("interrupted"), "the running one was not interrupted");
      same((await peer.get(`/api/jobs/${crypto.randomUUID()}`)).status, 404, "an unknown job");
    });
  }, { classes: ["ImageBlur"], skip: (facts) => facts.hasJobs ? undefined : "no /api/jobs there" }),
];

/** Runs `work` while a slow prompt runs, and stops that prompt afterwards. */
async function withSlow(
  peer: Peer,
  blurs: number,
  work: (slow: string, listener: Listener) => Promise<void>,
): Promise<void> {
  await peer.untilIdle();
  const listener = await peer.listen();
  const graph = slowChain(peer.freshColor(), blurs);
  const { promptId } = await peer.submit(graph, { client_id: listener.clientId });
  try {
    await listener.until("the first blur", () => outline(listener.of(promptId)).includes("executing 10"));
    await work(promptId, listener);
  } finally {
    await peer.post("/interrupt", { prompt_id: promptId });
    await peer.untilIdle();
    await listener.close();
  }
}

async function remaining(peer: Peer): Promise<unknown> {
  return asRecord(asRecord((await peer.get("/prompt")).json)?.exec_info)?.queue_remaining;
}
