import postgres from "postgres";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { delay } from "#server/core/time.ts";
import type { Db } from "./db.ts";

export interface Listener {
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

/**
 * Calls `onSignal` for each notification on `channel`, and once after each (re)connection, since what was
 * sent while the connection was down is lost: `onSignal` must look for itself what is new. A lost connection is
 * opened again until `close()`, however long the database is away.
 */
export async function listen(
  db: Db,
  channel: string,
  log: Log,
  onSignal: (payload: string) => void,
): Promise<Listener> {
  const ended = new AbortController();
  let lost = Promise.withResolvers<void>();
  const line = openLine(db, { heard: onSignal, lost: () => lost.resolve() });
  const subscribe = async () => {
    lost = Promise.withResolvers();
    await line`listen ${line(channel)}`;
    log.debug("listening", { channel });
    onSignal("");
  };
  const close = async () => {
    ended.abort();
    lost.resolve();
    await line.end({ timeout: 1 });
  };
  const keep = async () => {
    for (let waitMs = FIRST_WAIT_MS; !ended.signal.aborted;) {
      await lost.promise;
      if (ended.signal.aborted) return;
      try {
        await subscribe();
        waitMs = FIRST_WAIT_MS;
      } catch (error) {
        log.debug("not listening, trying again", { channel, reason: errorMessage(error), waitMs });
        lost.resolve();
        await delay(waitMs, ended.signal).catch(() => {});
        waitMs = Math.min(LONGEST_WAIT_MS, 2 * waitMs);
      }
    }
  };
  try {
    await subscribe();
  } catch (error) {
    await close();
    throw error;
  }
  void keep();
  return { close };
}

/**
 * One connection of its own, told of notifications and of its loss. Not `db.listen()`: that listens again once after
 * a loss, and when the database is not back by then it never hears anything again, nor says so.
 */
function openLine(db: Db, on: { heard: (payload: string) => void; lost: () => void }): Db {
  const settings = {
    ...db.options,
    max: 1,
    idle_timeout: null,
    max_lifetime: null,
    fetch_types: false,
    onnotify: (_channel: string, payload: string) => on.heard(payload),
    onclose: on.lost,
  };
  // postgres.js types no `onnotify`, and its own listen() passes parsed options like this.
  return postgres(
    settings as unknown as postgres.Options<Record<string, postgres.PostgresType>>,
  ) as unknown as Db;
}
