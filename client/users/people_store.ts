import { signal } from "@lit-labs/signals";
import { call } from "#client/core/call.ts";
import { type Live, live } from "#client/core/live.ts";
import { inNameOrder } from "#client/core/order.ts";
import { callPages, orGone, Store } from "#client/core/store.ts";
import type { LiveEvent } from "#server/core/event.ts";
import {
  changeUser,
  createUserLink,
  getUser,
  inviteUser,
  listRoles,
  listUsers,
  type OneTimeLink,
  type Role,
  type User,
  type UserChange,
  userChanged,
} from "#server/users/contract.ts";
import { session } from "#client/auth/session_store.ts";

/** Everyone with an account, what each role may do, and what an admin changes. */
export class PeopleStore {
  readonly #store: Store<User>;
  readonly #roles = signal<readonly Role[]>([]);

  constructor(live: Pick<Live, "listen" | "state">) {
    this.#store = new Store<User>({
      idOf: ({ id }) => id,
      list: async () => {
        const [users, roles] = await Promise.all([callPages(listUsers), call(listRoles)]);
        this.#roles.set(roles);
        return users;
      },
      read: (id) => orGone(call(getUser, { params: { userId: id as User["id"] } })),
      topics: () => session.me ? [`user:${session.me.userId}`] : [],
      concerns,
      order: (one, other) => inNameOrder(one.displayName, other.displayName),
    }, live);
  }

  get all(): readonly User[] {
    return this.#store.items;
  }

  get roles(): readonly Role[] {
    return this.#roles.get();
  }

  get reading(): Pick<Store<User>, "isKnown" | "isStale" | "problem"> {
    return this.#store;
  }

  find(userId: string): User | undefined {
    return this.#store.find(userId);
  }

  open(): () => void {
    return this.#store.open();
  }

  async read(): Promise<void> {
    await this.#store.read();
  }

  /** Makes the account; the link is told this once. Throws ApiError. */
  async invite(
    input: { login: string; displayName?: string; role: User["role"] },
  ): Promise<{ user: User; link: OneTimeLink }> {
    const made = await call(inviteUser, { body: input });
    this.#store.put(made.user);
    return made;
  }

  /** The invitation again, or a new password; earlier links of theirs are worth nothing. Throws ApiError. */
  async makeLink(userId: string): Promise<OneTimeLink> {
    return await call(createUserLink, { params: { userId: userId as User["id"] } });
  }

  async change(userId: string, change: UserChange): Promise<void> {
    await this.#store.act(
      userId,
      (user) => user && { ...user, ...change as Partial<User> },
      () => call(changeUser, { params: { userId: userId as User["id"] }, body: change }),
    );
  }
}

function concerns({ code, data }: LiveEvent): readonly string[] | undefined {
  if (code !== userChanged.code) return undefined;
  const read = userChanged.data.safeParse(data);
  return read.success ? [read.data.userId] : undefined;
}

/** The people of this studio. */
export const people: PeopleStore = new PeopleStore(live);
