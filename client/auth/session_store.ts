import { signal } from "@lit-labs/signals";
import {
  acceptLink,
  getMe,
  type Me,
  refresh,
  type SignedIn,
  signIn,
  signOut,
} from "#server/auth/contract.ts";
import type { Permission } from "#server/core/permissions.ts";
import { ApiError, call } from "#client/core/call.ts";

/** Until when the access cookie is good, as an instant; there while this browser has a session. No secret. */
const EXPIRES = "seedloop.session_expires";
const EARLY_MS = 60_000;

/** Who is signed in; `undefined` until it is known, `null` for nobody. Tokens stay in cookies that no script reads. */
export class SessionStore {
  readonly #me = signal<Me | null | undefined>(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;

  get me(): Me | null | undefined {
    return this.#me.get();
  }

  /** Whether this browser has had a session that may still be good; who is signed in only the studio knows. */
  get isLikely(): boolean {
    return localStorage.getItem(EXPIRES) !== null;
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
        this.#me.set(await call(getMe));
        this.#plan(expires);
      } else await this.#renew();
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      await this.#renewOrLeave();
    }
  }

  async signIn(login: string, password: string): Promise<void> {
    this.#enter(await call(signIn, { body: { login, password } }));
  }

  /** Uses a one-time link's token and is signed in by it. */
  async acceptLink(
    input: { token: string; login?: string; displayName?: string; password: string },
  ): Promise<void> {
    this.#enter(await call(acceptLink, { body: input }));
  }

  /** Ends this browser's session, also where the studio can't be told. The page must be loaded anew afterwards. */
  async signOut(): Promise<void> {
    await call(signOut).catch(() => {});
    this.forget();
  }

  /** Leaves a page of nobody's until it is loaded anew: what is typed into a sign-in shown before would be lost. */
  forget(): void {
    this.#leave({ isLoadedAnew: true });
  }

  /** The studio says that the session is over. */
  end(): void {
    if (this.#me.get()) this.#leave();
  }

  async #renewOrLeave(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      this.#leave();
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
      if (now !== null && now !== before && leftMs(now) > EARLY_MS) {
        this.#me.set(await call(getMe));
        this.#plan(now);
      } else this.#enter(await call(refresh));
    });
  }

  #enter({ me, expiresAt }: SignedIn): void {
    localStorage.setItem(EXPIRES, expiresAt);
    this.#me.set(me);
    this.#plan(expiresAt);
  }

  #plan(expiresAt: string): void {
    clearTimeout(this.#timer);
    const waitMs = Math.max(10_000, leftMs(expiresAt) - EARLY_MS);
    this.#timer = setTimeout(() => void this.#renewOrLeave().catch(() => this.#plan(expiresAt)), waitMs);
  }

  #leave({ isLoadedAnew = false } = {}): void {
    clearTimeout(this.#timer);
    localStorage.removeItem(EXPIRES);
    this.#me.set(isLoadedAnew ? undefined : null);
  }
}

function leftMs(instant: string): number {
  return new Date(instant).getTime() - Date.now();
}

function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Runs `work` while no other tab of this browser does; where the browser has no locks, at once. */
async function alone(work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request("seedloop.refresh", work);
  else await work();
}

export const session: SessionStore = new SessionStore();
