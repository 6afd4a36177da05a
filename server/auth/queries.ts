import type { Permission, RoleCode, TokenScope } from "#server/core/permissions.ts";
import type { Queryable } from "#server/db/db.ts";
import type { ApiToken, Me, OneTimeLinkKind, RevokeReason, Session } from "./contract.ts";

export interface UserRow {
  readonly id: string;
  readonly login: string;
  readonly displayName: string;
  readonly passwordHash: string | null;
  readonly role: RoleCode;
  readonly status: string;
  readonly tokenVersion: number;
}

const selectUser = (db: Queryable) =>
  db`select u.id, u.login, u.display_name, u.password_hash, r.code as role, s.code as status, u.token_version
       from users u join role r on r.id = u.role_id join user_status s on s.id = u.status_id`;

export async function findUserByLogin(db: Queryable, login: string): Promise<UserRow | undefined> {
  const [row] = await db<UserRow[]>`${selectUser(db)} where lower(u.login) = lower(${login})`;
  return row;
}

export async function findUser(db: Queryable, userId: string): Promise<UserRow | undefined> {
  const [row] = await db<UserRow[]>`${selectUser(db)} where u.id = ${userId}`;
  return row;
}

export async function hasAdmin(db: Queryable): Promise<boolean> {
  const rows = await db`
    select 1 from users u join role r on r.id = u.role_id join user_status s on s.id = u.status_id
     where r.code = 'admin' and s.code = 'active' limit 1`;
  return rows.length > 0;
}

export async function insertUser(
  db: Queryable,
  user: {
    id: string;
    login: string;
    displayName: string;
    role: RoleCode;
    status: string;
    passwordHash: string | null;
  },
): Promise<void> {
  await db`
    insert into users (id, login, display_name, password_hash, role_id, status_id)
    select ${user.id}, ${user.login}, ${user.displayName}, ${user.passwordHash}, r.id, s.id
      from role r, user_status s where r.code = ${user.role} and s.code = ${user.status}`;
}

/** A new password ends whatever was open: the token version goes up. */
export async function setPassword(db: Queryable, userId: string, passwordHash: string): Promise<void> {
  await db`
    update users
       set password_hash = ${passwordHash}, token_version = token_version + 1, updated_at = now(),
           status_id = (select id from user_status where code = 'active')
     where id = ${userId}`;
}

export async function raiseTokenVersion(db: Queryable, userId: string): Promise<void> {
  await db`update users set token_version = token_version + 1 where id = ${userId}`;
}

export async function listPermissions(db: Queryable, role: RoleCode): Promise<Permission[]> {
  const rows = await db<{ code: Permission }[]>`
    select p.code from role_permission x join permission p on p.id = x.permission_id join role r on r.id = x.role_id
     where r.code = ${role} order by p.sort`;
  return rows.map((row) => row.code);
}

export async function insertSession(
  db: Queryable,
  session: { id: string; userId: string; expiresAt: string; ip: string; userAgent: string | null },
): Promise<void> {
  await db`insert into sessions ${db(session)}`;
}

export async function insertRefreshToken(
  db: Queryable,
  token: { id: string; sessionId: string; tokenHash: string },
): Promise<void> {
  await db`insert into refresh_tokens ${db(token)}`;
}

export interface RefreshRow {
  readonly id: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly usedAt: string | null;
  readonly isOpen: boolean;
  /** Why its session was ended; null where nobody ended it. */
  readonly revokeReason: RevokeReason | null;
  readonly isIdle: boolean;
}

/** The refresh token with its session, locked, so that two uses at once are one use and one reuse. */
export async function lockRefreshToken(db: Queryable, tokenHash: string): Promise<RefreshRow | undefined> {
  const [row] = await db<RefreshRow[]>`
    select t.id, t.session_id, s.user_id, t.used_at, s.revoked_at is null and s.expires_at > now() as is_open,
           s.last_used_at < now() - interval '8 hours' as is_idle, r.code as revoke_reason
      from refresh_tokens t join sessions s on s.id = t.session_id
      left join revoke_reason r on r.id = s.revoke_reason_id
     where t.token_hash = ${tokenHash}
       for update of t, s`;
  return row;
}

export async function useRefreshToken(db: Queryable, tokenId: string, sessionId: string): Promise<void> {
  await db`update refresh_tokens set used_at = now() where id = ${tokenId}`;
  await db`update sessions set last_used_at = now() where id = ${sessionId}`;
}

/** Ends sessions and says which: of a user, or one of them, or all but one. */
export async function revokeSessions(
  db: Queryable,
  which: { userId: string; only?: string | undefined; except?: string | undefined },
  reason: RevokeReason,
): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    update sessions set revoked_at = now(), revoke_reason_id = (select id from revoke_reason where code = ${reason})
     where user_id = ${which.userId} and revoked_at is null
       ${which.only ? db`and id = ${which.only}` : db``} ${
    which.except ? db`and id <> ${which.except}` : db``
  }
    returning id`;
  return rows.map((row) => row.id);
}

export async function listSessions(
  db: Queryable,
  userId: string,
  currentId: string | undefined,
): Promise<Session[]> {
  return await db<Session[]>`
    select id, created_at, last_used_at, host(ip) as ip, user_agent, id = ${
    currentId ?? null
  } is true as is_current
      from sessions where user_id = ${userId} and revoked_at is null and expires_at > now()
     order by last_used_at desc`;
}

/** What is needed to let a request act: the user behind an open session, or undefined. */
export async function findSessionUser(
  db: Queryable,
  sessionId: string,
): Promise<{ userId: string; role: RoleCode; tokenVersion: number } | undefined> {
  const [row] = await db<{ userId: string; role: RoleCode; tokenVersion: number }[]>`
    select u.id as user_id, r.code as role, u.token_version
      from sessions s
      join users u on u.id = s.user_id
      join user_status t on t.id = u.status_id and t.code = 'active'
      join role r on r.id = u.role_id
     where s.id = ${sessionId} and s.revoked_at is null and s.expires_at > now()`;
  return row;
}

export interface TokenUser {
  readonly tokenId: string;
  readonly userId: string;
  readonly role: RoleCode;
  readonly permissions: Permission[];
}

/** The user behind an API token, with what the token's scopes leave of the role's permissions. */
export async function findTokenUser(db: Queryable, tokenHash: string): Promise<TokenUser | undefined> {
  const [row] = await db<TokenUser[]>`
    select a.id as token_id, u.id as user_id, r.code as role,
           array(select distinct p.code from role_permission rp
                   join permission p on p.id = rp.permission_id
                   join token_scope_permission sp on sp.permission_id = p.id
                   join api_token_scopes x on x.scope_id = sp.scope_id and x.token_id = a.id
                  where rp.role_id = u.role_id) as permissions
      from api_tokens a
      join users u on u.id = a.user_id
      join user_status t on t.id = u.status_id and t.code = 'active'
      join role r on r.id = u.role_id
     where a.token_hash = ${tokenHash} and a.revoked_at is null and (a.expires_at is null or a.expires_at > now())`;
  if (row) {
    await db`update api_tokens set last_used_at = now()
              where id = ${row.tokenId} and (last_used_at is null or last_used_at < now() - interval '1 minute')`;
  }
  return row;
}

export async function isTokenOpen(db: Queryable, tokenId: string): Promise<boolean> {
  const rows = await db`
    select 1 from api_tokens a join users u on u.id = a.user_id join user_status t on t.id = u.status_id and t.code = 'active'
     where a.id = ${tokenId} and a.revoked_at is null and (a.expires_at is null or a.expires_at > now())`;
  return rows.length > 0;
}

export async function listTokens(db: Queryable, userId: string): Promise<ApiToken[]> {
  return await db<ApiToken[]>`
    select a.id, a.name, a.prefix, a.created_at, a.expires_at, a.last_used_at,
           array(select s.code from api_token_scopes x join token_scope s on s.id = x.scope_id where x.token_id = a.id order by s.sort) as scopes
      from api_tokens a where a.user_id = ${userId} and a.revoked_at is null order by a.id desc`;
}

export async function insertToken(
  db: Queryable,
  token: {
    id: string;
    userId: string;
    name: string;
    tokenHash: string;
    prefix: string;
    expiresAt: string | null;
  },
  scopes: readonly TokenScope[],
): Promise<void> {
  await db`insert into api_tokens ${db(token)}`;
  await db`
    insert into api_token_scopes (token_id, scope_id)
    select ${token.id}, id from token_scope where code = any(${[...scopes]}::text[])`;
}

export async function revokeToken(db: Queryable, userId: string, tokenId: string): Promise<boolean> {
  return (await db`
    update api_tokens set revoked_at = now() where id = ${tokenId} and user_id = ${userId} and revoked_at is null returning 1`)
    .length > 0;
}

export async function insertLink(
  db: Queryable,
  link: {
    id: string;
    kind: OneTimeLinkKind;
    tokenHash: string;
    userId: string | null;
    createdById: string | null;
    expiresAt: string;
  },
): Promise<void> {
  await db`
    insert into one_time_links (id, kind_id, token_hash, user_id, created_by_id, expires_at)
    select ${link.id}, k.id, ${link.tokenHash}, ${link.userId}, ${link.createdById}, ${link.expiresAt}
      from one_time_link_kind k where k.code = ${link.kind}`;
}

/** Uses the link up; undefined when it is unknown, used or too old. */
export async function takeLink(
  db: Queryable,
  tokenHash: string,
): Promise<{ kind: OneTimeLinkKind; userId: string | null } | undefined> {
  const [row] = await db<{ kind: OneTimeLinkKind; userId: string | null }[]>`
    update one_time_links l set used_at = now()
      from one_time_link_kind k
     where k.id = l.kind_id and l.token_hash = ${tokenHash} and l.used_at is null and l.expires_at > now()
    returning k.code as kind, l.user_id`;
  return row;
}

export async function dropFirstAdminLinks(db: Queryable): Promise<void> {
  await db`delete from one_time_links where used_at is null and kind_id = (select id from one_time_link_kind where code = 'first_admin')`;
}

/** How long sign-in from these keys is still blocked, in milliseconds; 0 when it is not. */
export async function findBlock(db: Queryable, keys: readonly string[]): Promise<number> {
  const [row] = await db<{ ms: number | null }[]>`
    select (extract(epoch from max(blocked_until) - now()) * 1000)::int as ms
      from login_throttles where key = any(${[...keys]}::text[]) and blocked_until > now()`;
  return Math.max(0, row?.ms ?? 0);
}

/** Counts a failure: five are free, then each doubles the wait, from 2 s to 15 minutes. Old failures are forgotten. */
export async function countFailure(db: Queryable, key: string, free: number): Promise<void> {
  await db`
    insert into login_throttles as t (key, failures, updated_at) values (${key}, 1, now())
    on conflict (key) do update
       set failures = case when t.updated_at < now() - interval '30 minutes' then 1 else t.failures + 1 end,
           blocked_until = case when t.updated_at >= now() - interval '30 minutes' and t.failures + 1 > ${free}
             then now() + least(900, 2 ^ least(t.failures + 1 - ${free}, 20)) * interval '1 second' end,
           updated_at = now()`;
}

export async function forgetFailures(db: Queryable, key: string): Promise<void> {
  await db`delete from login_throttles where key = ${key}`;
}

export async function describeMe(db: Queryable, user: UserRow): Promise<Me> {
  return {
    userId: user.id as Me["userId"],
    login: user.login,
    displayName: user.displayName,
    role: user.role,
    permissions: await listPermissions(db, user.role),
  };
}
