// Sends preview pictures to all who listen, by the studio's hub or by a bare broadcast; told what to do over stdin.
import * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { silentLog } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import { connect } from "#server/db/db.ts";
import { LiveHub } from "#server/live/hub.ts";
import { answerRequests } from "./children.ts";
import { preciseNow } from "./queue_job.ts";

const Request = z.discriminatedUnion("t", [
  z.object({ t: z.literal("listen") }),
  z.object({ t: z.literal("send"), frames: z.int(), everyMs: z.number(), bytes: z.int() }),
]);

/** What a server that sends frames holds meanwhile. */
export interface Sent {
  /** The most that was ever waiting in memory for one socket. */
  readonly heldBytes: number;
  readonly rssMb: number;
  /** Of the whole process, all threads. */
  readonly cpuMs: number;
}

/** Gives everybody who is connected a picture whose first eight bytes say when it was due. */
type Send = (picture: Uint8Array<ArrayBuffer>) => void;

async function main(kind: string, databaseUrl: string): Promise<void> {
  const sockets = watchSockets();
  const { accept, send, close } = kind === "hub" ? await openHub(databaseUrl) : openBare();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, accept);
  await answerRequests(async (given) => {
    const request = Request.parse(given);
    if (request.t === "listen") return `ws://127.0.0.1:${server.addr.port}`;
    return await sendAll(request, send, sockets);
  });
  await close();
  await server.shutdown().catch(() => {});
}

async function sendAll(
  { frames, everyMs, bytes }: { frames: number; everyMs: number; bytes: number },
  send: Send,
  sockets: ReadonlySet<WebSocket>,
): Promise<Sent> {
  let heldBytes = 0;
  let rss = 0;
  const cpuBefore = readCpuMs();
  const begun = preciseNow() + everyMs;
  for (let n = 0; n < frames; n++) {
    const due = begun + n * everyMs;
    const waitMs = due - preciseNow();
    if (waitMs > 0) await delay(waitMs);
    const picture = new Uint8Array(bytes);
    new DataView(picture.buffer).setFloat64(0, due);
    send(picture);
    for (const socket of sockets) heldBytes = Math.max(heldBytes, socket.bufferedAmount);
    if (n % 10 === 0) rss = Math.max(rss, Deno.memoryUsage().rss);
  }
  return { heldBytes, rssMb: rss / 2 ** 20, cpuMs: readCpuMs() - cpuBefore };
}

/** Processor time of this process so far, which others on the machine don't count into; 0 where it is not told. */
function readCpuMs(): number {
  if (Deno.build.os !== "linux") return 0;
  const stat = Deno.readTextFileSync("/proc/self/stat");
  // The name stands in brackets and may hold anything: fields are counted from the last bracket, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** All sockets that this process has opened and that are not closed, whoever opened them. */
function watchSockets(): ReadonlySet<WebSocket> {
  const open = new Set<WebSocket>();
  const upgrade = Deno.upgradeWebSocket;
  Deno.upgradeWebSocket = (request, options) => {
    const upgraded = upgrade(request, options);
    open.add(upgraded.socket);
    upgraded.socket.addEventListener("close", () => open.delete(upgraded.socket));
    return upgraded;
  };
  return open;
}

async function openHub(databaseUrl: string) {
  const db = connect({ url: databaseUrl, max: 2 });
  const actorOf = (userId: string): Promise<Actor> =>
    Promise.resolve({ userId, roleCode: "admin", permissions: new Set(["queue.admin"] as const) });
  const hub = await LiveHub.open({
    db,
    log: silentLog,
    actors: { read: actorOf, readTicket: actorOf, isOpen: () => Promise.resolve(true), forget: () => {} },
  });
  const jobId = crypto.randomUUID();
  return {
    accept: (request: globalThis.Request) => hub.accept(request),
    send: (bytes: Uint8Array<ArrayBuffer>) =>
      hub.preview({ jobId, projectId: null, bytes, mediaType: "image/jpeg" }),
    close: async () => {
      await hub.close();
      await db.end({ timeout: 1 });
    },
  };
}

/** The least that Deno can do: every socket is sent every frame, and nobody looks at what has not been taken. */
function openBare() {
  const sockets = new Set<WebSocket>();
  const accept = (request: globalThis.Request): Response => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => void sockets.add(socket);
    socket.onclose = () => void sockets.delete(socket);
    socket.onerror = () => void sockets.delete(socket);
    socket.onmessage = () => socket.send('{"t":"subscribed"}');
    return response;
  };
  const send = (picture: Uint8Array<ArrayBuffer>): void => {
    // As many bytes as the hub's frames have, whose first four say how long its header is.
    const frame = new Uint8Array(4 + picture.length);
    frame.set(picture, 4);
    for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(frame);
  };
  return { accept, send, close: () => Promise.resolve() };
}

if (import.meta.main) await main(Deno.args[0] ?? "", Deno.args[1] ?? "");
