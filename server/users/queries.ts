import type { Queryable } from "#server/db/db.ts";
import type { Role, User, UserChange, UserFilter } from "./contract.ts";

const selectUser = (db: Queryable) =>
  db`
  select u.id, u.login, u.display_name, r.code as role, s.code as status, u.created_at,
         greatest((select max(x.last_used_at) from sessions x where x.user_id = u.id),
                  (select max(t.last_used_at) from api_tokens t where t.user_id = u.id)) as last_seen_at
    from users u
    join role r on r.id = u.role_id
    join user_status s on s.id = u.status_id`;

export async function listUsers(
  db: Queryable,
  { limit, cursor, status, role }: UserFilter,
): Promise<User[]> {
  return await db<User[]>`
    ${selectUser(db)}
     where true
       ${cursor ? db`and u.id < ${cursor}` : db``}
       ${status ? db`and s.code = ${status}` : db``}
       ${role ? db`and r.code = ${role}` : db``}
     order by u.id desc
     limit ${limit + 1}`;
}

export async function findUser(db: Queryable, userId: string): Promise<User | undefined> {
  const [row] = await db<User[]>`${selectUser(db)} where u.id = ${userId}`;
  return row;
}

/** Holds all active admins until the transaction ends, so that two can't remove each other at once. */
export async function lockActiveAdmins(db: Queryable): Promise<string[]> {
  const rows = await db<{ id: string }[]>`
    select u.id from users u
     where u.role_id = (select id from role where code = 'admin')
       and u.status_id = (select id from user_status where code = 'active')
     order by u.id
       for update`;
  return rows.map((row) => row.id);
}

export async function updateUser(db: Queryable, userId: string, change: UserChange): Promise<void> {
  await db`
    update users
       set display_name = coalesce(${change.displayName ?? null}, display_name),
           role_id = coalesce((select id from role where code = ${change.role ?? null}), role_id),
           status_id = coalesce((select id from user_status where code = ${
    change.status ?? null
  }), status_id),
           updated_at = now()
     where id = ${userId}`;
}

/** Links that were made for the user and not used: a newer one replaces them. */
export async function dropOpenLinks(db: Queryable, userId: string): Promise<void> {
  await db`delete from one_time_links where user_id = ${userId} and used_at is null`;
}

export async function listRoles(db: Queryable): Promise<Role[]> {
  return await db<Role[]>`
    select r.code as role, r.label,
           array(select p.code from role_permission x join permission p on p.id = x.permission_id
                  where x.role_id = r.id order by p.sort) as permissions
      from role r
     where r.retired_at is null
     order by r.sort`;
}
