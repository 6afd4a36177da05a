import { delay } from "#server/core/time.ts";
import { preciseNow } from "./queue_job.ts";

/** Sockets that listen to previews and take note of how late each came. */
export interface Clients {
  /** Milliseconds from when a picture was due until a client had it, one for each picture and client; to be emptied at will. */
  readonly delays: number[];
  close(): Promise<void>;
}

/** The hub lets one user hold eight. */
const PER_USER = 8;

/** Opens so many sockets, each subscribed. */
export async function openClients(url: string, count: number): Promise<Clients> {
  const delays: number[] = [];
  const sockets = await Promise.all(Array.from({ length: count }, (_, n) => openOne(url, n, delays)));
  return {
    delays,
    async close() {
      const closed = sockets.map((socket) =>
        new Promise((resolve) => socket.addEventListener("close", resolve))
      );
      for (const socket of sockets) socket.close();
      await Promise.race([Promise.all(closed), delay(2_000)]);
    },
  };
}

async function openOne(url: string, n: number, delays: number[]): Promise<WebSocket> {
  const socket = new WebSocket(`${url}/?ticket=user_${Math.floor(n / PER_USER)}`);
  socket.binaryType = "arraybuffer";
  const ready = Promise.withResolvers<void>();
  socket.onopen = () => socket.send('{"t":"subscribe","topics":["jobs"]}');
  socket.onerror = () => ready.reject(new Error("Cannot open a socket to the server under test"));
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === "string") {
      if (data.includes('"subscribed"')) ready.resolve();
      return;
    }
    const view = new DataView(data);
    delays.push(preciseNow() - view.getFloat64(4 + view.getUint32(0)));
  };
  await ready.promise;
  return socket;
}

/** A client that shakes hands, asks for everything and then reads nothing more, until it is closed. */
export async function openStalled(url: string): Promise<Disposable> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  await write(
    connection,
    `GET /?ticket=stalled HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  const answer = new Uint8Array(4096);
  const read = await connection.read(answer);
  if (!new TextDecoder().decode(answer.subarray(0, read ?? 0)).includes(" 101 ")) {
    throw new Error("The server under test refused the stalled client");
  }
  await write(connection, maskedText('{"t":"subscribe","topics":["jobs"]}'));
  return connection;
}

async function write(connection: Deno.Conn, data: string | Uint8Array): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** A short text frame as clients must send it; a mask of zeros is one. */
function maskedText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array([0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}
