import * as z from "zod/mini";
import { Login } from "#server/auth/contract.ts";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Name } from "#server/core/name.ts";
import { page, PageQuery } from "#server/core/page.ts";
import { Permission, RoleCode } from "#server/core/permissions.ts";
import { Instant } from "#server/core/time.ts";

export const UserStatus = z.enum(["invited", "active", "disabled"]);
export type UserStatus = z.infer<typeof UserStatus>;

export const User = z.object({
  id: id("user"),
  login: z.string(),
  displayName: z.string(),
  role: RoleCode,
  status: UserStatus,
  /** When one of their sessions or API tokens was last used. */
  lastSeenAt: z.nullable(Instant),
  createdAt: Instant,
});
export type User = z.infer<typeof User>;

/** A one-time link; its secret part is shown this once. */
export const OneTimeLink = z.object({
  /** To be put behind the studio's address: "/invite#sll_…", "/reset#sll_…". */
  path: z.string(),
  expiresAt: Instant,
});
export type OneTimeLink = z.infer<typeof OneTimeLink>;

export const Invitation = z.object({ user: User, link: OneTimeLink });
export type Invitation = z.infer<typeof Invitation>;

export const InvitationInput = z.object({
  id: z.optional(id("user")),
  login: Login,
  displayName: z.optional(Name),
  role: RoleCode,
});
export type InvitationInput = z.infer<typeof InvitationInput>;

export const UserChange = z.object({
  displayName: z.optional(Name),
  role: z.optional(RoleCode),
  status: z.optional(z.enum(["active", "disabled"])),
});
export type UserChange = z.infer<typeof UserChange>;

export const UserFilter = z.extend(PageQuery, {
  status: z.optional(UserStatus),
  role: z.optional(RoleCode),
});
export type UserFilter = z.infer<typeof UserFilter>;

export const Role = z.object({ role: RoleCode, label: z.string(), permissions: z.array(Permission) });
export type Role = z.infer<typeof Role>;

const userParams = z.object({ userId: id("user") });

export const listUsers = endpoint({
  method: "GET",
  path: "/users",
  can: "user.read",
  summary: "Everyone who has or had an account, newest first",
  query: UserFilter,
  reply: page(User),
});

export const getUser = endpoint({
  method: "GET",
  path: "/users/:userId",
  can: "user.read",
  summary: "One user",
  params: userParams,
  reply: User,
});

export const inviteUser = endpoint({
  method: "POST",
  path: "/users",
  can: "user.admin",
  summary: "Invite someone: makes the account and a one-time link with which they choose a password",
  body: InvitationInput,
  reply: Invitation,
  status: 201,
});

export const changeUser = endpoint({
  method: "PATCH",
  path: "/users/:userId",
  can: "user.admin",
  summary: "Rename a user, change the role, disable or enable; disabling ends sessions and tokens at once",
  params: userParams,
  body: UserChange,
  reply: User,
});

export const createUserLink = endpoint({
  method: "POST",
  path: "/users/:userId/links",
  can: "user.admin",
  summary: "A new one-time link: the invitation again, or a new password for one who has lost it",
  params: userParams,
  reply: OneTimeLink,
  status: 201,
});

export const listRoles = endpoint({
  method: "GET",
  path: "/roles",
  can: "user.read",
  summary: "The roles and what each may do",
  reply: z.array(Role),
});

/** A user was invited or changed; with new rights, their sockets are closed to come back with them. */
export const userChanged = eventKind(
  "user.changed",
  z.object({ userId: id("user"), hasNewRights: z.boolean() }),
);
