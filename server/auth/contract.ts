import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Name } from "#server/core/name.ts";
import { Permission, RoleCode, TokenScope } from "#server/core/permissions.ts";
import { Instant } from "#server/core/time.ts";

export const RevokeReason = z.enum([
  "signed_out",
  "signed_out_everywhere",
  "token_reused",
  "user_disabled",
  "password_changed",
  "expired",
  "by_admin",
]);
export type RevokeReason = z.infer<typeof RevokeReason>;
export const OneTimeLinkKind = z.enum(["first_admin", "invite", "password_reset"]);
export type OneTimeLinkKind = z.infer<typeof OneTimeLinkKind>;

export const Login = z.string().check(
  z.trim(),
  z.minLength(1),
  z.maxLength(120),
  z.regex(/^[^\p{Cc}\s]+$/u, "must not contain spaces"),
);
/** Long rather than odd: no rules of composition, nothing is cut off (ASVS 6.2). */
export const Password = z.string().check(
  z.minLength(10, "must have at least 10 characters"),
  z.maxLength(256, "must have at most 256 characters"),
);

export const Me = z.object({
  userId: id("user"),
  login: z.string(),
  displayName: z.string(),
  role: RoleCode,
  permissions: z.array(Permission),
});
export type Me = z.infer<typeof Me>;

export const SignedIn = z.object({
  /** JWT for `Authorization: Bearer`; the browser also gets it and the refresh token as cookies. */
  accessToken: z.string(),
  expiresAt: Instant,
  me: Me,
});
export type SignedIn = z.infer<typeof SignedIn>;

export const Session = z.object({
  id: id("session"),
  createdAt: Instant,
  lastUsedAt: Instant,
  ip: z.nullable(z.string()),
  userAgent: z.nullable(z.string()),
  isCurrent: z.boolean(),
});
export type Session = z.infer<typeof Session>;

export const ApiToken = z.object({
  id: id("api token"),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(TokenScope),
  createdAt: Instant,
  expiresAt: z.nullable(Instant),
  lastUsedAt: z.nullable(Instant),
});
export type ApiToken = z.infer<typeof ApiToken>;

const LinkToken = z.string().check(z.minLength(20), z.maxLength(200));

export const acceptLink = endpoint({
  method: "POST",
  path: "/auth/links/accept",
  can: "anyone",
  summary:
    "Use a one-time link: make the first admin, accept an invitation or set a new password. The token follows the link's #",
  body: z.object({
    token: LinkToken,
    login: z.optional(Login),
    displayName: z.optional(Name),
    password: Password,
  }),
  reply: SignedIn,
});

export const signIn = endpoint({
  method: "POST",
  path: "/auth/sign-in",
  can: "anyone",
  summary: "Sign in with name and password",
  body: z.object({ login: Login, password: z.string().check(z.minLength(1), z.maxLength(256)) }),
  reply: SignedIn,
});

export const refresh = endpoint({
  method: "POST",
  path: "/auth/refresh",
  can: "anyone",
  summary:
    "Rotate the refresh token (cookie) and get a new access token. Reuse of an old one ends the session",
  reply: SignedIn,
});

export const signOut = endpoint({
  method: "POST",
  path: "/auth/sign-out",
  can: "anyone",
  summary: "End this session",
});

export const signOutEverywhere = endpoint({
  method: "POST",
  path: "/auth/sign-out-everywhere",
  can: "signed_in",
  summary: "End all one's sessions, and their open sockets",
});

export const getMe = endpoint({
  method: "GET",
  path: "/auth/me",
  can: "signed_in",
  summary: "Who one is and what one may do",
  reply: Me,
});

export const changePassword = endpoint({
  method: "PUT",
  path: "/auth/password",
  can: "signed_in",
  summary: "Change one's password; all sessions end and a new one begins here",
  body: z.object({ current: z.string().check(z.minLength(1), z.maxLength(256)), next: Password }),
  reply: SignedIn,
});

export const listSessions = endpoint({
  method: "GET",
  path: "/auth/sessions",
  can: "signed_in",
  summary: "One's open sessions",
  reply: z.array(Session),
});

export const endSession = endpoint({
  method: "DELETE",
  path: "/auth/sessions/:sessionId",
  can: "signed_in",
  summary: "End one of one's sessions",
  params: z.object({ sessionId: id("session") }),
});

export const listTokens = endpoint({
  method: "GET",
  path: "/auth/tokens",
  can: "token.own",
  summary: "One's API tokens",
  reply: z.array(ApiToken),
});

export const createToken = endpoint({
  method: "POST",
  path: "/auth/tokens",
  can: "token.own",
  summary:
    "Make an API token; its secret is shown this once. Scopes: read, submit (make and generate), review, admin (all)",
  body: z.object({
    name: Name,
    scopes: z.array(TokenScope).check(z.minLength(1)),
    expiresInDays: z.optional(z.int().check(z.minimum(1), z.maximum(3650))),
  }),
  reply: z.extend(ApiToken, { secret: z.string() }),
  status: 201,
});

export const revokeToken = endpoint({
  method: "DELETE",
  path: "/auth/tokens/:tokenId",
  can: "token.own",
  summary: "Revoke one of one's API tokens",
  params: z.object({ tokenId: id("api token") }),
});

export const createSocketTicket = endpoint({
  method: "POST",
  path: "/auth/socket-ticket",
  can: "signed_in",
  summary: "A ticket for one WebSocket (/api/live?ticket=…): single use, 30 seconds. API tokens need none",
  reply: z.object({ ticket: z.string(), expiresAt: Instant }),
});

export const sessionRevoked = eventKind(
  "session.revoked",
  z.object({
    sessionIds: z.array(z.string()),
    /** API tokens that opened sockets may hold. */
    tokenIds: z.optional(z.array(z.string())),
    userId: z.string(),
  }),
);
