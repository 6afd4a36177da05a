import { signal } from "@lit-labs/signals";
import { signOut } from "#client/app/sign_out.ts";
import { session } from "#client/auth/session_store.ts";
import { ApiError, call, callOnce } from "#client/core/call.ts";
import {
  type ApiToken,
  createToken,
  endSession,
  listSessions,
  listTokens,
  revokeToken,
  type Session,
  signOutEverywhere,
} from "#server/auth/contract.ts";
import type { TokenScope } from "#server/core/permissions.ts";

/** One's own tokens and sessions as they were read last. */
export interface AccountFacts {
  readonly tokens: readonly ApiToken[] | undefined;
  readonly sessions: readonly Session[] | undefined;
  readonly problem: ApiError | undefined;
}

/** One's own API tokens, sessions and password. */
export class AccountStore {
  readonly #facts = signal<AccountFacts>({ tokens: undefined, sessions: undefined, problem: undefined });

  get facts(): AccountFacts {
    return this.#facts.get();
  }

  /** Reads both; what fails is told by `problem` and leaves the rest as it was. */
  async read(): Promise<void> {
    try {
      const [tokens, sessions] = await Promise.all([
        session.may("token.own") ? call(listTokens) : undefined,
        call(listSessions),
      ]);
      this.#facts.set({ tokens, sessions, problem: undefined });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#facts.set({ ...this.facts, problem: error });
    }
  }

  /** A new token with its secret, which is told this once. Throws ApiError. */
  async makeToken(
    input: { name: string; scopes: TokenScope[]; expiresInDays?: number },
  ): Promise<{ token: ApiToken; secret: string }> {
    const { secret, ...token } = await call(createToken, { body: input });
    this.#facts.set({ ...this.facts, tokens: [token, ...this.facts.tokens ?? []] });
    return { token, secret };
  }

  async revoke(tokenId: ApiToken["id"]): Promise<void> {
    await call(revokeToken, { params: { tokenId } });
    await this.read();
  }

  async endSession(sessionId: Session["id"]): Promise<void> {
    await call(endSession, { params: { sessionId } });
    await this.read();
  }

  async signOutEverywhere(): Promise<void> {
    await signOut(() => session.leave(() => callOnce(signOutEverywhere)));
  }

  /** All sessions end, and a new one begins here. Throws ApiError. */
  async changePassword(current: string, next: string): Promise<void> {
    await session.changePassword(current, next);
    await this.read();
  }
}

export const account: AccountStore = new AccountStore();
