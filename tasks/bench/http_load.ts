export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  readonly connections: number;
  readonly milliseconds: number;
}

/** Answers a second of GETs over kept connections, each asking again as soon as it was answered. Throws on any not 200. */
export async function loadHttp(load: HttpLoad): Promise<number> {
  const until = performance.now() + load.milliseconds;
  const begun = performance.now();
  const counts = await Promise.all(Array.from({ length: load.connections }, () => askUntil(load, until)));
  return counts.reduce((sum, count) => sum + count, 0) / (performance.now() - begun) * 1_000;
}

/** Plain sockets: fetch() costs more than the server that is to be measured. */
async function askUntil({ port, path, token }: HttpLoad, until: number): Promise<number> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`,
  );
  const buffer = new Uint8Array(1 << 17);
  let count = 0;
  while (performance.now() < until) {
    await connection.write(request);
    await readAnswer(connection, buffer, path);
    count++;
  }
  return count;
}

async function readAnswer(connection: Deno.Conn, buffer: Uint8Array, path: string): Promise<void> {
  let filled = 0;
  let end = Infinity;
  while (filled < end) {
    const read = await connection.read(buffer.subarray(filled));
    if (read === null || filled + read >= buffer.length) throw new Error(`Cannot read the answer of ${path}`);
    filled += read;
    if (end === Infinity) end = endOfAnswer(buffer.subarray(0, filled), path);
  }
}

/** Where the answer ends by its own word; Infinity until its head is there. */
function endOfAnswer(bytes: Uint8Array, path: string): number {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 2_048));
  const bodyAt = head.indexOf("\r\n\r\n") + 4;
  if (bodyAt < 4) return Infinity;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (!head.startsWith("HTTP/1.1 200") || length === undefined) {
    throw new Error(`${path} was answered: ${new TextDecoder().decode(bytes).slice(0, 500)}`);
  }
  return bodyAt + Number(length);
}
