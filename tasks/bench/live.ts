import { delay } from "#server/core/time.ts";
import { type Child, openDenoChild } from "./children.ts";
import { openCluster } from "./database.ts";
import type { Bench } from "./bench.ts";
import type { Sent } from "./live_child.ts";
import { type Clients, openClients, openStalled } from "./live_clients.ts";
import { type Figures, type Goal, measure, quantile } from "./method.ts";

const CLIENTS = 100;
const PER_SECOND = 30;
/** A preview of 512 pixels as ComfyUI sends it is about so large. */
const BYTES = 16 * 1024;
/** Short and often: a p99 is of the few worst pictures of a run, and only many runs tell those from the machine's. */
const SECONDS = 1.5;
const TIMES_THE_ROUNDS = 3;
/** The first of a showing come while the server still tidies up after the last one, and don't count into the delays. */
const WARMING = 10;
/** After the last picture was sent, what has not come by then counts as lost. */
const LATE_MS = 1_500;

/** What previews cost on their way to many clients, and what one that does not read costs the others. */
export const liveBench: Bench = {
  name: "live",
  goals: ["W2", "W3"],
  what: `${CLIENTS} sockets at ${PER_SECOND} pictures of ${
    BYTES / 1024
  } KiB a second, beside a bare broadcast`,
  async *run({ rounds, doublings, scale }) {
    await using cluster = await openCluster();
    const { url } = await cluster.createStudio("live");
    await using hub = await openDenoChild(new URL("./live_child.ts", import.meta.url), ["hub", url]);
    await using bare = await openDenoChild(new URL("./live_child.ts", import.meta.url), ["bare"]);
    await using toBare = await openAudience(bare);
    await using toHub = await openAudience(hub);
    const seconds = SECONDS * scale;
    const sides = {
      bare: () => show(toBare, seconds),
      ours: () => show(toHub, seconds),
      stalled: async () => {
        using _stalled = await openStalled(toHub.url);
        return await show(toHub, seconds);
      },
    };
    for (const side of Object.values(sides)) await side();
    yield* await measure(sides, liveGoals(), { rounds: TIMES_THE_ROUNDS * rounds, doublings });
  },
};

function liveGoals(): Goal[] {
  const beside = (side: "ours" | "stalled", peer: "bare" | "ours", figure: string) => ({
    ours: { side, figure },
    peer: { side: peer, figure },
    as: "ratio" as const,
  });
  return [
    {
      id: "W2a",
      what: "share of the pictures that came, beside the bare broadcast",
      ...beside("ours", "bare", "delivered"),
      must: "at least",
      bar: 0.99,
    },
    {
      id: "W2b",
      what: "p99 from when a picture was due until a client had it, beside the bare broadcast",
      ...beside("ours", "bare", "p99"),
      must: "at most",
      bar: 1.3,
    },
    {
      id: "W2c",
      what: "memory of the server's process while it sends, beside the bare broadcast",
      ...beside("ours", "bare", "rssMb"),
      must: "at most",
      bar: 1.3,
    },
    {
      id: "W2d",
      what: "processor time of the server for each picture that came, beside the bare broadcast",
      ...beside("ours", "bare", "cpuUs"),
      must: "at most",
      bar: 1.3,
    },
    {
      id: "W3a",
      what: "share of the pictures that came to the others while one client reads nothing",
      ...beside("stalled", "ours", "delivered"),
      must: "at least",
      bar: 0.99,
    },
    {
      id: "W3b",
      what: "p99 of the others while one client reads nothing",
      ...beside("stalled", "ours", "p99"),
      must: "at most",
      bar: 1.1,
    },
    {
      id: "W3c",
      what: "MiB that wait in memory for the slowest client, more than when all read",
      ours: { side: "stalled", figure: "heldMb" },
      peer: { side: "ours", figure: "heldMb" },
      as: "difference",
      must: "at most",
      bar: 1,
    },
  ];
}

/** A server and all who look at what it sends; they stay, as people do. */
interface Audience extends AsyncDisposable {
  readonly server: Child;
  readonly url: string;
  readonly clients: Clients;
}

async function openAudience(server: Child): Promise<Audience> {
  const url = await server.ask<string>({ t: "listen" });
  const clients = await openClients(url, CLIENTS);
  return { server, url, clients, [Symbol.asyncDispose]: () => clients.close() };
}

/** One showing: the pictures are sent at their times. */
async function show({ server, clients }: Audience, seconds: number): Promise<Figures> {
  const frames = WARMING + Math.round(PER_SECOND * seconds);
  clients.delays.length = 0;
  const sent = await server.ask<Sent>({ t: "send", frames, everyMs: 1_000 / PER_SECOND, bytes: BYTES });
  const expected = frames * CLIENTS;
  for (let waited = 0; waited < LATE_MS && clients.delays.length < expected; waited += 20) await delay(20);
  const arrived = clients.delays.length;
  const late = clients.delays.slice(WARMING * CLIENTS).sort((a, b) => a - b);
  return {
    delivered: arrived / expected,
    p50: quantile(late, 0.5),
    p99: quantile(late, 0.99),
    rssMb: sent.rssMb,
    cpuUs: 1_000 * sent.cpuMs / arrived,
    heldMb: sent.heldBytes / 2 ** 20,
  };
}
