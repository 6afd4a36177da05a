import type { Db, Tx } from "./db.ts";

/** What a transaction knows of its connection. */
interface Line {
  isLost: boolean;
}

const LOST = "CONNECTION_CLOSED";

/**
 * Runs `work` in one transaction, and throws when its connection is lost on the way, whatever `work` is at. postgres.js
 * would then roll back on the connection that is gone, or send what `work` asks next to it: both end the process with
 * an error that nobody can catch, or reach another session. So nothing more is asked once the connection is lost.
 */
export async function runTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  const line: Line = { isLost: false };
  try {
    return await db.begin((tx) => untilLost(line, () => work(guard(tx, line)))) as T;
  } catch (error) {
    line.isLost ||= isLoss(error);
    throw error;
  }
}

/** Never settles when the connection is lost: `begin` has been told so by the connection itself, and throws. */
async function untilLost<T>(line: Line, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    line.isLost ||= isLoss(error);
    if (!line.isLost) throw error;
    return await new Promise<never>(() => {});
  }
}

function guard(tx: Tx, line: Line): Tx {
  const refuse = () => {
    if (line.isLost) throw Object.assign(new Error(`write ${LOST}`), { code: LOST });
  };
  return new Proxy(tx, {
    apply(target, self, args) {
      refuse();
      return Reflect.apply(target, self, args);
    },
    get(target, name) {
      refuse();
      const value = Reflect.get(target, name);
      if (name !== "savepoint") return value;
      return async (...args: [...name: string[], work: (inner: Tx) => Promise<unknown>]) => {
        const work = args.pop() as (inner: Tx) => Promise<unknown>;
        return await Reflect.apply(value, target, [
          ...args,
          (inner: Tx) => untilLost(line, () => work(guard(inner, line))),
        ]);
      };
    },
  });
}

function isLoss(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === LOST;
}
