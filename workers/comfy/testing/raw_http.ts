/** A request read by hand from a TCP connection. */
export interface RawRequest {
  readonly method: string;
  /** Path and query, "/api" taken off. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Buffers a connection so that lines and counts can be read from it. */
export class ConnectionReader {
  #rest = new Uint8Array();
  constructor(readonly connection: Deno.Conn) {}

  /** Up to and without the blank line; undefined at the end of the connection. */
  async head(): Promise<string | undefined> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#rest);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#rest = this.#rest.slice(end + 4);
        return text.slice(0, end);
      }
      if (!await this.#more()) return undefined;
    }
  }

  async bytes(count: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length < count) {
      if (!await this.#more()) return undefined;
    }
    const bytes = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return bytes;
  }

  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        const line = new TextDecoder("latin1").decode(this.#rest.slice(0, end));
        this.#rest = this.#rest.slice(end + 1);
        return line.trimEnd();
      }
      if (!await this.#more()) return undefined;
    }
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(65536);
    const read = await this.connection.read(chunk).catch(() => null);
    if (read === null) return false;
    const joined = new Uint8Array(this.#rest.length + read);
    joined.set(this.#rest);
    joined.set(chunk.subarray(0, read), this.#rest.length);
    this.#rest = joined;
    return true;
  }
}

export async function readRequest(reader: ConnectionReader): Promise<RawRequest | undefined> {
  const head = await reader.head();
  if (head === undefined) return undefined;
  const [first = "", ...lines] = head.split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const body = headers.get("transfer-encoding") === "chunked"
    ? await readChunked(reader)
    : await reader.bytes(Number(headers.get("content-length") ?? 0));
  if (body === undefined) return undefined;
  const url = new URL(target, "http://x");
  return { method, path: url.pathname.replace(/^\/api/, ""), query: url.searchParams, headers, body };
}

async function readChunked(reader: ConnectionReader): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const size = parseInt(await reader.line() ?? "", 16);
    if (Number.isNaN(size)) return undefined;
    const part = await reader.bytes(size);
    await reader.line();
    if (part === undefined) return undefined;
    if (size === 0) return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    parts.push(part);
  }
}

/** One WebSocket frame from server to client, as it goes over the wire. */
export function frame(opcode: number, payload: Uint8Array, announced = payload.length): Uint8Array {
  const head = new Uint8Array(announced < 126 ? 2 : announced < 65536 ? 4 : 10);
  const view = new DataView(head.buffer);
  head[0] = 0x80 | opcode;
  if (announced < 126) head[1] = announced;
  else if (announced < 65536) {
    head[1] = 126;
    view.setUint16(2, announced);
  } else {
    head[1] = 127;
    view.setBigUint64(2, BigInt(announced));
  }
  const whole = new Uint8Array(head.length + payload.length);
  whole.set(head);
  whole.set(payload, head.length);
  return whole;
}

/** Writes all of it; false when the connection is gone. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    return true;
  } catch {
    return false;
  }
}
