import { type ConnectionReader, type RawRequest, writeAll } from "./raw_http.ts";
import type { WholeAnswer } from "./fault_routes.ts";

/** What the stand-in does with one request instead of answering it rightly; undefined = answer it. */
export type Misdeed =
  | {
    readonly answer: { readonly status: number; readonly type: string; readonly body: string | Uint8Array };
  }
  /** Announces all of it, sends so many bytes, cuts the line. */
  | { readonly truncateAt: number }
  /** Does what is asked, then cuts the line without an answer. */
  | { readonly loseAnswer: true }
  /** Sends a head and nothing more until closed. */
  | { readonly stall: true }
  | { readonly cut: true };

/** Answers `request` over its connection: rightly, or as `misdeed` says. */
export async function respond(
  reader: ConnectionReader,
  request: RawRequest,
  misdeed: Misdeed | undefined,
  rightly: () => WholeAnswer,
): Promise<void> {
  const { connection } = reader;
  if (misdeed === undefined) return await write(connection, rightly(), request);
  if ("answer" in misdeed) {
    const { status, type, body } = misdeed.answer;
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    return await write(connection, { status, type, body: bytes });
  }
  if ("stall" in misdeed) {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    await writeAll(connection, new TextEncoder().encode(head));
    await reader.head(); // until the other side has had enough
  } else if ("truncateAt" in misdeed) await write(connection, rightly(), request, misdeed.truncateAt);
  else if ("loseAnswer" in misdeed) rightly();
}

async function write(
  connection: Deno.Conn,
  { status, type, body }: WholeAnswer,
  request?: RawRequest,
  cutAt?: number,
): Promise<void> {
  const range = status === 200 && request?.headers.get("range") === "bytes=0-0";
  const sent = range ? body.subarray(0, 1) : body;
  const ranged = range ? `Content-Range: bytes 0-0/${body.length}\r\n` : "";
  const head =
    `HTTP/1.1 ${range ? 206 : status} X\r\nContent-Type: ${type}\r\nContent-Length: ${sent.length}\r\n` +
    `${ranged}Connection: close\r\n\r\n`;
  await writeAll(connection, new TextEncoder().encode(head));
  await writeAll(connection, cutAt === undefined ? sent : sent.subarray(0, cutAt));
}
