import { signal } from "@lit-labs/signals";
import { ApiError, call } from "#client/core/call.ts";
import { type AuditEntry, listAudit, listAuditActions } from "#server/audit/contract.ts";

/** What the log shows: kept in the panel. */
export interface AuditView {
  /** A code of an action; empty for all. */
  readonly action: string;
  readonly userId: string;
  /** How far back, in hours; 0 for ever. */
  readonly hours: number;
}

export interface AuditFacts {
  readonly entries: readonly AuditEntry[] | undefined;
  /** Where the earlier ones begin; undefined when these are all. */
  readonly next: string | undefined;
  readonly actions: readonly { readonly action: string; readonly label: string }[];
  readonly problem: ApiError | undefined;
}

export const EVERYTHING: AuditView = { action: "", userId: "", hours: 0 };
const PAGE = 100;
const NOTHING: AuditFacts = { entries: undefined, next: undefined, actions: [], problem: undefined };

/** Who did what, a page at a time, newest first. */
export class AuditStore {
  readonly #facts = signal<AuditFacts>(NOTHING);
  #view: AuditView = EVERYTHING;
  #reading = 0;

  get facts(): AuditFacts {
    return this.#facts.get();
  }

  /** Reads the newest entries of a view; those of an earlier view that come late are left out. */
  async read(view: AuditView = this.#view): Promise<void> {
    this.#view = view;
    await this.#load(undefined);
  }

  /** Adds the page before; nothing happens when there is none. */
  async readEarlier(): Promise<void> {
    const { next } = this.facts;
    if (next !== undefined) await this.#load(next);
  }

  async #load(cursor: string | undefined): Promise<void> {
    const reading = ++this.#reading;
    const { action, userId, hours } = this.#view;
    try {
      const [page, actions] = await Promise.all([
        call(listAudit, {
          query: {
            limit: PAGE,
            ...(cursor === undefined ? {} : { cursor }),
            ...(action ? { action } : {}),
            ...(userId ? { userId: userId as NonNullable<AuditEntry["userId"]> } : {}),
            ...(hours > 0 ? { since: new Date(Date.now() - hours * 3_600_000).toISOString() } : {}),
          },
        }),
        this.facts.actions.length > 0
          ? this.facts.actions
          : call(listAuditActions).then(({ items }) => items),
      ]);
      if (reading !== this.#reading) return;
      const before = cursor === undefined ? [] : this.facts.entries ?? [];
      this.#facts.set({ entries: [...before, ...page.items], next: page.next, actions, problem: undefined });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (reading === this.#reading) this.#facts.set({ ...this.facts, problem: error });
    }
  }
}

export const auditLog: AuditStore = new AuditStore();
