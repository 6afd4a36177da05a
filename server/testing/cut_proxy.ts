/** A way to a studio that can be cut like a cable, and mended: TCP on loopback, port 0. */
export interface CutProxy extends AsyncDisposable {
  /** "http://127.0.0.1:40123", instead of the studio's own. */
  readonly url: string;
  /** Ends every connection at once and lets no new one through. */
  cut(): void;
  mend(): void;
}

/** Stands before `target`, "http://127.0.0.1:7420". */
export function cutProxy(target: string): CutProxy {
  const { hostname, port } = new URL(target);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ends = new Set<Deno.Conn>();
  let isCut = false;
  const close = (end: Deno.Conn) => {
    if (!ends.delete(end)) return;
    try {
      end.close();
    } catch {
      // The pipe was faster.
    }
  };
  const join = async (from: Deno.Conn) => {
    ends.add(from);
    let to: Deno.Conn | undefined;
    try {
      to = await Deno.connect({ hostname, port: Number(port) });
      ends.add(to);
      if (isCut) return;
      await Promise.race([pump(from, to), pump(to, from)]);
    } catch {
      // Cut, or the studio is gone: both ends learn it below.
    } finally {
      close(from);
      if (to) close(to);
    }
  };
  const serving = (async () => {
    for await (const connection of listener) {
      if (isCut) connection.close();
      else void join(connection);
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    cut: () => {
      isCut = true;
      for (const end of [...ends]) close(end);
    },
    mend: () => void (isCut = false),
    [Symbol.asyncDispose]: async () => {
      for (const end of [...ends]) close(end);
      listener.close();
      await serving;
    },
  };
}

async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
  }
}
