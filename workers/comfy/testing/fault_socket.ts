import { createHash } from "node:crypto";
import { type ConnectionReader, frame, type RawRequest, writeAll } from "./raw_http.ts";

/** A WebSocket connection of the stand-in, open to any abuse. */
export class FakeSocket {
  constructor(readonly connection: Deno.Conn, readonly clientId: string) {}

  event(type: string, data: unknown): Promise<boolean> {
    return this.text(JSON.stringify({ type, data }));
  }

  text(text: string): Promise<boolean> {
    return this.raw(frame(1, new TextEncoder().encode(text)));
  }

  binary(bytes: Uint8Array): Promise<boolean> {
    return this.raw(frame(2, bytes));
  }

  raw(bytes: Uint8Array): Promise<boolean> {
    return writeAll(this.connection, bytes);
  }

  /** Ends without a closing handshake, as a dead process does. */
  drop(): void {
    close(this.connection);
  }
}

/** Answers the upgrade with a handshake and the first status, as ComfyUI does. */
export async function acceptSocket(request: RawRequest, connection: Deno.Conn): Promise<FakeSocket> {
  const key = request.headers.get("sec-websocket-key") ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
  const socket = new FakeSocket(connection, request.query.get("clientId") ?? "");
  await socket.raw(new TextEncoder().encode(head));
  await socket.event("status", { status: { exec_info: { queue_remaining: 0 } }, sid: socket.clientId });
  return socket;
}

/** Reads what the client sends until it closes or its line ends; a close is answered. */
export async function drainSocket(socket: FakeSocket, reader: ConnectionReader): Promise<void> {
  for (let first = await reader.bytes(2); first !== undefined; first = await reader.bytes(2)) {
    const length = first[1]! & 0x7f; // two bytes were read
    const size = length === 126
      ? new DataView((await reader.bytes(2) ?? new Uint8Array(2)).buffer).getUint16(0)
      : length;
    await reader.bytes(4 + size);
    if ((first[0]! & 0x0f) !== 8) continue;
    await socket.raw(frame(8, new Uint8Array([3, 232])));
    return;
  }
}

/** Ends a connection that may be over already. */
export function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
