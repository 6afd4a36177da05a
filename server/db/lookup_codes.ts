import type { Queryable } from "./db.ts";

const known = new WeakMap<Queryable, Map<string, Promise<ReadonlyMap<number, string>>>>();

/**
 * The codes of a fixed lookup by their ids, in the lookup's own order; read once for each pool. Only for lookups
 * whose rows come with the program: what an admin may edit has to be joined.
 */
export function lookupCodes(db: Queryable, lookup: string): Promise<ReadonlyMap<number, string>> {
  let read = known.get(db);
  if (!read) known.set(db, read = new Map());
  let codes = read.get(lookup);
  if (!codes) {
    codes = readCodes(db, lookup);
    read.set(lookup, codes);
    codes.catch(() => read.delete(lookup));
  }
  return codes;
}

async function readCodes(db: Queryable, lookup: string): Promise<ReadonlyMap<number, string>> {
  const rows = await db<{ id: number; code: string }[]>`select id, code from ${db(lookup)} order by sort, id`;
  return new Map(rows.map(({ id, code }) => [id, code]));
}
