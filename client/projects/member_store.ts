import { session } from "#client/auth/session_store.ts";
import { call } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { inNameOrder } from "#client/core/order.ts";
import { callPages, Store, storesBy } from "#client/core/store.ts";
import type { RoleCode } from "#server/core/permissions.ts";
import {
  listMembers,
  type Project,
  type ProjectMember,
  removeMember,
  setMember,
} from "#server/projects/contract.ts";
import { listUsers, type User } from "#server/users/contract.ts";
import { readProjectIds } from "./project_store.ts";

/** Who is in one project, by name. */
export class MemberStore {
  readonly #store: Store<ProjectMember>;
  readonly #projectId: Project["id"];

  constructor(projectId: string) {
    // An id that the studio gave, out of an address.
    this.#projectId = projectId as Project["id"];
    this.#store = new Store<ProjectMember>({
      idOf: ({ userId }) => userId,
      list: () => call(listMembers, { params: { projectId: this.#projectId } }),
      topics: () => [`project:${projectId}`],
      concerns: (event) => readProjectIds(event) ? "all" : undefined,
      order: (one, other) => inNameOrder(one.displayName, other.displayName),
    }, live);
  }

  get all(): readonly ProjectMember[] {
    return this.#store.items;
  }

  get reading(): Pick<Store<ProjectMember>, "isKnown" | "isStale" | "problem" | "read"> {
    return this.#store;
  }

  open(): () => void {
    return this.#store.open();
  }

  /** Adds a person or gives them another role. Throws ApiError. */
  async set(userId: ProjectMember["userId"], role: RoleCode): Promise<void> {
    await this.#store.act(
      userId,
      (member) => member && { ...member, role },
      () => call(setMember, { params: { projectId: this.#projectId, userId }, body: { role } }),
    );
  }

  async remove(userId: ProjectMember["userId"]): Promise<void> {
    await this.#store.act(
      userId,
      () => undefined,
      () => call(removeMember, { params: { projectId: this.#projectId, userId } }),
    );
  }
}

export const membersOf: (projectId: string) => MemberStore = storesBy((projectId) =>
  new MemberStore(projectId)
);

/** Everyone with an account that works; nobody where one may not see them. Throws ApiError. */
export async function readPeople(): Promise<readonly User[]> {
  if (!session.may("user.read")) return [];
  const users = await callPages(listUsers);
  return users.filter(({ status }) => status !== "disabled");
}
