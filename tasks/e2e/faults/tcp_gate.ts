/**
 * Stands between a bridge and a worker on raw TCP. It passes everything on, until told to hold a request back or to
 * let the connections that are there die without a word.
 */
export class TcpGate implements AsyncDisposable {
  /** Called with the first line of each request, which is passed on when it resolves. */
  onRequest: (line: string) => void | Promise<void> = () => {};
  readonly #target: Deno.ConnectOptions;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Passage>();
  readonly #accepting: Promise<void>;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#target = { hostname, port: Number(port) };
    this.#accepting = this.#accept();
  }

  get url(): string {
    const { port } = this.#listener.addr as Deno.NetAddr; // it listens on TCP
    return `http://127.0.0.1:${port}`;
  }

  /** How many connections are passed now. */
  get connections(): number {
    return this.#open.size;
  }

  /** Nothing more comes or goes on the connections that are there, and nobody is told: both ends are half-open. */
  freeze(): number {
    for (const passage of this.#open) passage.isFrozen = true;
    return this.#open.size;
  }

  /** Ends the connections that are there. */
  cut(): void {
    for (const passage of this.#open) passage.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) void this.#pass(client);
    } catch {
      // The listener was closed.
    }
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect(this.#target);
    } catch {
      // Nobody listens there: the client is to see a line that breaks at once.
      return close(client);
    }
    const passage: Passage = {
      isFrozen: false,
      close() {
        close(client);
        close(server);
      },
    };
    this.#open.add(passage);
    await Promise.all([
      pump(client, server, passage, (chunk) => this.onRequest(firstLine(chunk))),
      pump(server, client, passage, () => {}),
    ]);
    this.#open.delete(passage);
  }
}

interface Passage {
  isFrozen: boolean;
  close(): void;
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  passage: Passage,
  before: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const chunk = new Uint8Array(65536);
  try {
    for (let read = await from.read(chunk); read !== null; read = await from.read(chunk)) {
      if (passage.isFrozen) continue;
      await before(chunk.subarray(0, read));
      for (let at = 0; at < read;) at += await to.write(chunk.subarray(at, read));
    }
  } catch {
    // Either end is gone; so is the other then.
  }
  if (!passage.isFrozen) passage.close();
}

function firstLine(chunk: Uint8Array): string {
  const line = new TextDecoder("latin1").decode(chunk.subarray(0, 300)).split("\r\n", 1)[0] ?? "";
  return / HTTP\/1\.1$/.test(line) ? line : "";
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
