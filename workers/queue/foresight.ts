/** Ahead of the slots at most: what a statement costs by itself is little by then, shared among so many jobs. */
const MOST_AHEAD = 500;
/** Of many slots more, as a multiple of them. */
const MOST_PER_SLOT = 20;
/** How much a new measurement counts. */
const WEIGHT = 0.2;

/**
 * How many jobs to claim beyond the free slots, so that none stands idle while a statement is under way. Jobs shorter
 * than the way to the database and back are taken ahead for two such ways; of longer ones, none: what is claimed here
 * can't be begun by another process, nor passed by a more urgent one.
 */
export class Foresight {
  /** Mean run time of each kind, in milliseconds. */
  readonly #runMs = new Map<string, number>();
  #tripMs = 0;

  sawRun(kind: string, ms: number): void {
    this.#runMs.set(kind, blend(this.#runMs.get(kind), ms));
  }

  sawTrip(ms: number): void {
    this.#tripMs = blend(this.#tripMs || undefined, ms);
  }

  /** By the slowest kind that the lane has seen: a lane that also does long work takes nothing ahead. */
  ahead(slots: number): number {
    if (this.#runMs.size === 0) return 0;
    const slowest = Math.max(0.1, ...this.#runMs.values());
    return Math.min(
      Math.max(MOST_AHEAD, MOST_PER_SLOT * slots),
      Math.floor(slots * 2 * this.#tripMs / slowest),
    );
  }
}

function blend(known: number | undefined, seen: number): number {
  return known === undefined ? seen : known + WEIGHT * (seen - known);
}
