import { errorMessage } from "#server/core/errors.ts";
import type { LiveEvent } from "#server/core/event.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";

const BATCH = 500;
const GAP_RETRY_MS = 40;
const FALLBACK_MS = 5_000;

/**
 * Reads the event table forward and hands over each committed event once, in the order of `seq`. Numbers are given
 * out before transactions commit, so a missing one may still come: the reader waits at a gap until every transaction
 * that ran when it was first seen has ended; then the number was rolled back and never comes.
 */
export class EventReader {
  readonly #db: Db;
  readonly #log: Log;
  readonly #deliver: (event: LiveEvent) => void;
  readonly #setBack: () => void;
  #lastSeq = 0;
  #gap: { readonly seq: number; readonly xmax: bigint | undefined } | undefined;
  #isReading = false;
  #isWoken = false;
  #isToCompare = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** @param setBack Told when the database gives numbers out again that were handed over already. */
  constructor(db: Db, log: Log, deliver: (event: LiveEvent) => void, setBack: () => void = () => {}) {
    this.#db = db;
    this.#log = log;
    this.#deliver = deliver;
    this.#setBack = setBack;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  async start(): Promise<void> {
    const [row] = await this.#db<{ seq: number }[]>`select coalesce(max(seq), 0) as seq from events`;
    this.#lastSeq = row?.seq ?? 0;
    this.#schedule(FALLBACK_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** There may be something new. */
  wake(): void {
    if (this.#isStopped) return;
    if (this.#isReading) {
      this.#isWoken = true;
      return;
    }
    void this.#read();
  }

  /** wake(), when the database was away: it may have come back without its last moment, or from a backup. */
  reconnected(): void {
    this.#isToCompare = true;
    this.wake();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    clearTimeout(this.#timer);
    let waitMs = FALLBACK_MS;
    try {
      do {
        this.#isWoken = false;
        if (this.#isToCompare) await this.#compare();
        waitMs = await this.#readBatch() ? FALLBACK_MS : GAP_RETRY_MS;
      } while (this.#isWoken && !this.#isStopped);
    } catch (error) {
      this.#log.warn("events could not be read", { reason: errorMessage(error) });
      waitMs = 1_000;
    } finally {
      this.#isReading = false;
      this.#schedule(waitMs);
    }
  }

  /** Events that nobody waited for the disk with (a claim's) are lost in a power cut, and their numbers come again. */
  async #compare(): Promise<void> {
    const newest = await newestSeq(this.#db);
    this.#isToCompare = false;
    if (newest >= this.#lastSeq) return;
    this.#log.warn("the database was set back: clients read the state anew", {
      was: this.#lastSeq,
      is: newest,
    });
    this.#lastSeq = newest;
    this.#gap = undefined;
    this.#setBack();
  }

  /** False when it waits at a gap. */
  async #readBatch(): Promise<boolean> {
    const rows = await this.#db<(LiveEvent & { xmin: string; xmax: string })[]>`
      select e.seq, k.code, e.topic, e.at, e.data, s.xmin, s.xmax
        from events e join event_kind k on k.id = e.kind_id
       cross join (select pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
                          pg_snapshot_xmax(pg_current_snapshot())::text as xmax) s
       where e.seq > ${this.#lastSeq} order by e.seq limit ${BATCH}`;
    for (const { xmin, xmax, ...event } of rows) {
      const expected = this.#lastSeq + 1;
      if (event.seq !== expected && !this.#isDead(expected, BigInt(xmin), BigInt(xmax))) return false;
      this.#gap = undefined;
      this.#lastSeq = event.seq;
      this.#deliver(event);
    }
    if (rows.length === BATCH) this.#isWoken = true;
    return true;
  }

  /**
   * Only a snapshot taken after the gap was seen knows all transactions that may hold the number, and only the one
   * that a reading sees says that they had ended for it: hence over three readings, or two on a quiet database.
   */
  #isDead(seq: number, xmin: bigint, xmax: bigint): boolean {
    if (this.#gap?.seq !== seq) {
      this.#gap = { seq, xmax: undefined };
      return false;
    }
    const allBefore = this.#gap.xmax ?? xmax;
    this.#gap = { seq, xmax: allBefore };
    return xmin >= allBefore;
  }

  #schedule(ms: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), ms);
  }
}

export async function listEvents(
  db: Db,
  wanted: { topics?: readonly string[]; after: number; upTo?: number; limit: number },
): Promise<LiveEvent[]> {
  return await db<LiveEvent[]>`
    select e.seq, k.code, e.topic, e.at, e.data
      from events e join event_kind k on k.id = e.kind_id
     where e.seq > ${wanted.after}
       ${wanted.upTo === undefined ? db`` : db`and e.seq <= ${wanted.upTo}`}
       ${wanted.topics ? db`and e.topic = any(${[...wanted.topics]}::text[])` : db``}
     order by e.seq
     limit ${wanted.limit}`;
}

/** The last number that was given to an event, committed or not. */
export async function newestSeq(db: Db): Promise<number> {
  const [row] = await db<{ seq: number }[]>`
    select coalesce(pg_sequence_last_value(pg_get_serial_sequence('events', 'seq')::regclass), 0) as seq`;
  return row?.seq ?? 0;
}

export async function oldestSeq(db: Db): Promise<number | undefined> {
  const [row] = await db<{ seq: number }[]>`select seq from events order by seq limit 1`;
  return row?.seq;
}
