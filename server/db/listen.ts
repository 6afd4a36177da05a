import type { Log } from "#server/core/log.ts";
import type { Db } from "./db.ts";

export interface Listener {
  close(): Promise<void>;
}

/**
 * Calls `onSignal` for each notification on `channel`, and once after each (re)connection, since what was
 * sent while the connection was down is lost: `onSignal` must look for itself what is new.
 */
export async function listen(
  db: Db,
  channel: string,
  log: Log,
  onSignal: (payload: string) => void,
): Promise<Listener> {
  const subscription = await db.listen(channel, onSignal, () => {
    log.debug("listening", { channel });
    onSignal("");
  });
  return { close: () => subscription.unlisten() };
}
