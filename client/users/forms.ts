import { signal } from "@lit-labs/signals";
import { ApiError } from "#client/core/call.ts";
import { type KeptSignal, keptSignal } from "#client/core/kept_signal.ts";
import type { TokenScope } from "#server/core/permissions.ts";
import type { OneTimeLink, User } from "#server/users/contract.ts";

/** An invitation as it is typed. */
export interface InviteForm {
  readonly login: string;
  readonly displayName: string;
  readonly role: User["role"];
  readonly problem: ApiError | undefined;
}

/** A token as it is typed; days of life, 0 for ever. */
export interface TokenForm {
  readonly name: string;
  readonly scopes: readonly TokenScope[];
  readonly days: number;
  readonly problem: ApiError | undefined;
}

export interface PasswordForm {
  readonly current: string;
  readonly next: string;
  readonly problem: ApiError | undefined;
}

/** What was made and is shown only now. */
export interface Secret {
  readonly name: string;
  readonly text: string;
}

const EMPTY_INVITE: InviteForm = { login: "", displayName: "", role: "creator", problem: undefined };
const EMPTY_TOKEN: TokenForm = { name: "", scopes: ["read", "submit"], days: 90, problem: undefined };
const EMPTY_PASSWORD: PasswordForm = { current: "", next: "", problem: undefined };

/** A form that is open while it has a value; it comes back as it was typed, but for `unkept`. */
export class FormState<Form extends { readonly problem: ApiError | undefined }> {
  readonly #empty: Form;
  readonly #now: KeptSignal<Form | undefined>;

  constructor(name: string, empty: Form, unkept: Partial<Form> = {}) {
    this.#empty = empty;
    this.#now = keptSignal<Form | undefined>(name, undefined, {
      toKeep: (form) => form && { ...form, problem: undefined, ...unkept },
    });
  }

  get now(): Form | undefined {
    return this.#now.get();
  }

  open(): void {
    this.#now.set(this.#now.get() ?? this.#empty);
  }

  type(change: Partial<Form>): void {
    this.#now.set({ ...this.#now.get() ?? this.#empty, ...change });
  }

  close(): void {
    this.#now.set(undefined);
  }
}

export const inviteForm: FormState<InviteForm> = new FormState("users_invite", EMPTY_INVITE);
export const tokenForm: FormState<TokenForm> = new FormState("users_token", EMPTY_TOKEN);
export const passwordForm: FormState<PasswordForm> = new FormState(
  "users_password",
  EMPTY_PASSWORD,
  EMPTY_PASSWORD,
);

/** The link that was made last, and for whom; until it is closed. */
export const shownLink = signal<{ readonly name: string; readonly link: OneTimeLink } | undefined>(undefined);
/** The secret of the token that was made last; until it is closed. */
export const shownSecret = signal<Secret | undefined>(undefined);
/** What one is asked about again before it is done: a token's id, or "everywhere". */
export const askedAgain = signal<string | undefined>(undefined);

/** What a form shows of a refusal; anything else is thrown on. */
export function asProblem(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
