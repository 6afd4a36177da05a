/** A database reached through a line that can be cut, as when the kernel ends a session: without a word. */
export class CutLine implements AsyncDisposable {
  /** The database's address through this line. */
  readonly url: string;
  readonly #target: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  /** New connections end at once, as while the database is away. */
  isDown = false;
  readonly #accepting: Promise<void>;

  constructor(databaseUrl: string) {
    const url = new URL(databaseUrl);
    this.#target = Number(url.port);
    // Listens on TCP; a socket file would go past it.
    url.port = String((this.#listener.addr as Deno.NetAddr).port);
    url.searchParams.delete("host");
    this.url = url.href;
    this.#accepting = this.#accept();
  }

  /** Ends all connections that are there; new ones are let through unless it is down. */
  cut(): void {
    for (const conn of this.#open) close(conn);
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#listener);
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const passing: Promise<unknown>[] = [];
    try {
      for await (const client of this.#listener) {
        if (this.isDown) {
          close(client);
          continue;
        }
        const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
        this.#open.add(client).add(server);
        passing.push(pass(client, server), pass(server, client));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(passing);
  }
}

async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  await from.readable.pipeTo(to.writable).catch(() => {});
  close(to);
}

function close(what: { close(): void }): void {
  try {
    what.close();
  } catch {
    // It was closed by the other end.
  }
}
