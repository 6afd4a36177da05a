import { signal } from "@lit-labs/signals";
import {
  acceptLink,
  changePassword,
  getMe,
  type Me,
  refresh,
  RevokeReason,
  type SignedIn,
  signIn,
  signOut,
} from "#server/auth/contract.ts";
import type { Permission } from "#server/core/permissions.ts";
import { ApiError, callOnce, isSignedOut, renewSessionBy } from "#client/core/call.ts";

/** Until when the access cookie is good, as an instant; there while this browser has a session. No secret. */
const EXPIRES = "seedloop.session_expires";
const EARLY_MS = 60_000;

/** Who is signed in; `undefined` until it is known, `null` for nobody. Tokens stay in cookies that no script reads. */
export class SessionStore {
  readonly #me = signal<Me | null | undefined>(undefined);
  readonly #endedBy = signal<RevokeReason | undefined>(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: Promise<boolean> | undefined;
  /** The page is about to be loaded anew, and is nobody's whatever is still refused. */
  #isLeft = false;

  get me(): Me | null | undefined {
    return this.#me.get();
  }

  /** Whether this browser has had a session that may still be good; who is signed in only the studio knows. */
  get isLikely(): boolean {
    return localStorage.getItem(EXPIRES) !== null;
  }

  /** Why the session that this page had goes on no more; undefined while there is one, and where nobody says. */
  get endedBy(): RevokeReason | undefined {
    return this.#endedBy.get();
  }

  may(permission: Permission): boolean {
    return this.me?.permissions.includes(permission) ?? false;
  }

  /** Takes up this browser's session, where there is one. Throws ApiError when the studio can't be asked. */
  async resume(): Promise<void> {
    const expires = localStorage.getItem(EXPIRES);
    // No question where the answer is known: a refused one would stand in the console as an error.
    if (expires === null) return this.#leave();
    try {
      if (leftMs(expires) > EARLY_MS) {
        this.#me.set(await callOnce(getMe));
        this.#plan(expires);
      } else await this.#renew();
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      await this.#renewOrLeave();
    }
  }

  async signIn(login: string, password: string): Promise<void> {
    this.#enter(await callOnce(signIn, { body: { login, password } }));
  }

  /** Uses a one-time link's token and is signed in by it. */
  async acceptLink(
    input: { token: string; login?: string; displayName?: string; password: string },
  ): Promise<void> {
    this.#enter(await callOnce(acceptLink, { body: input }));
  }

  /** Changes the password: all sessions end, and a new one begins here. Throws ApiError. */
  async changePassword(current: string, next: string): Promise<void> {
    await alone(async () => this.#enter(await callOnce(changePassword, { body: { current, next } })));
  }

  /** Ends this browser's session, also where the studio can't be told. The page must be loaded anew afterwards. */
  async signOut(): Promise<void> {
    await this.leave(() => callOnce(signOut).catch(() => {}));
  }

  /**
   * Leaves by `act` a page of nobody's until it is loaded anew: what is typed into a sign-in shown before would be
   * lost. Throws what `act` throws.
   */
  async leave(act: () => Promise<void>): Promise<void> {
    await alone(async () => {
      await act();
      this.#isLeft = true;
      this.#leave();
    });
  }

  /**
   * Takes up a session that the studio has just refused, where it can be: its access ran out while the machine slept,
   * or another tab has a new one. Whether it goes on; if not, nobody is signed in here. Throws ApiError when the
   * studio can't be asked.
   */
  renew(): Promise<boolean> {
    // Many are refused at once where a page full of pictures wakes up.
    this.#renewal ??= this.#takeUp().finally(() => this.#renewal = undefined);
    return this.#renewal;
  }

  async #takeUp(): Promise<boolean> {
    if (this.#me.get()) await this.#renewOrLeave();
    return Boolean(this.#me.get());
  }

  async #renewOrLeave(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      this.#leave();
      this.#endedBy.set(reasonOf(error));
    }
  }

  /**
   * One tab at a time: a refresh token that is used twice ends the session. The tab that waited finds what the other
   * one got.
   */
  async #renew(): Promise<void> {
    const before = localStorage.getItem(EXPIRES);
    await alone(async () => {
      const now = localStorage.getItem(EXPIRES);
      // Left meanwhile, here or in another tab.
      if (before !== null && now === null) return this.#me.get() && this.#leave();
      if (now !== null && now !== before && leftMs(now) > EARLY_MS) {
        this.#me.set(await callOnce(getMe));
        this.#plan(now);
      } else this.#enter(await callOnce(refresh));
    });
  }

  #enter({ me, expiresAt }: SignedIn): void {
    localStorage.setItem(EXPIRES, expiresAt);
    this.#endedBy.set(undefined);
    this.#me.set(me);
    this.#plan(expiresAt);
  }

  #plan(expiresAt: string): void {
    clearTimeout(this.#timer);
    const waitMs = Math.max(10_000, leftMs(expiresAt) - EARLY_MS);
    this.#timer = setTimeout(() => void this.#renewOrLeave().catch(() => this.#plan(expiresAt)), waitMs);
  }

  #leave(): void {
    clearTimeout(this.#timer);
    localStorage.removeItem(EXPIRES);
    this.#me.set(this.#isLeft ? undefined : null);
  }
}

/** Why a session or an account opens nothing, where the studio says so. */
export function reasonOf(error: unknown): RevokeReason | undefined {
  const read = error instanceof ApiError ? RevokeReason.safeParse(error.details["reason"]) : undefined;
  return read?.success ? read.data : undefined;
}

function leftMs(instant: string): number {
  return new Date(instant).getTime() - Date.now();
}

/** Runs `work` while no other tab of this browser does; where the browser has no locks, at once. */
async function alone(work: () => Promise<unknown>): Promise<void> {
  if (navigator.locks) await navigator.locks.request("seedloop.refresh", work);
  else await work();
}

export const session: SessionStore = new SessionStore();

renewSessionBy(() => session.renew());
