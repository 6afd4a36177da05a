import type { Permission, RoleCode } from "#server/core/permissions.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Actor } from "#server/core/actor.ts";
import type { Fragment, Queryable } from "#server/db/db.ts";
import type { Project, ProjectCard, ProjectInput } from "./contract.ts";

const columns = (db: Queryable) =>
  db`
  p.id, p.name, s.code as status, json_build_object('num', p.rate_num, 'den', p.rate_den) as rate,
  p.width_px, p.height_px, p.start_frame, p.created_at`;

/** What stands between an actor and a project. */
export interface Access {
  readonly status: string;
  /** Whether the role in the project has the permission that was asked about. */
  readonly isAllowed: boolean;
}

/** How the actor may enter the project, and whether with `permission`; undefined for strangers and unknown projects. */
export async function findAccess(
  db: Queryable,
  actor: Actor,
  projectId: string,
  permission: Permission,
): Promise<Access | undefined> {
  const [row] = await db<Access[]>`${selectAccess(db, actor, projectId, permission)}`;
  return row;
}

/** findAccess() as a step of another statement. */
export function selectAccess(
  db: Queryable,
  actor: Actor,
  projectId: string,
  permission: Permission,
): Fragment {
  return db`
    select (select code from project_status where id = p.status_id) as status,
           exists (select from role_permission rp
                    where rp.role_id = coalesce(m.role_id, (select id from role where code = 'admin'))
                      and rp.permission_id = (select id from permission where code = ${permission})) as is_allowed
      from projects p
      left join project_members m on m.project_id = p.id and m.user_id = ${actor.userId}
     where p.id = ${projectId} and (m.user_id is not null or ${actor.roleCode === "admin"})`;
}

export async function findProject(db: Queryable, projectId: string): Promise<Project | undefined> {
  const [row] = await db<Project[]>`
    select ${
    columns(db)
  } from projects p join project_status s on s.id = p.status_id where p.id = ${projectId}`;
  return row;
}

const selectCard = (db: Queryable, actor: Actor) =>
  db`
  select ${columns(db)}, coalesce(r.code, 'admin') as role,
         (select count(*)::int from project_members x where x.project_id = p.id) as members,
         (select count(*)::int from characters x join character_status t on t.id = x.status_id and t.code <> 'trashed'
           where x.project_id = p.id) as characters,
         (select count(*)::int from clips x join clip_status t on t.id = x.status_id and t.code <> 'trashed'
           where x.project_id = p.id) as clips,
         (select x.asset_id from seeds x join seed_status t on t.id = x.status_id
           where x.project_id = p.id and t.code in ('candidate', 'kept', 'hero')
           order by (t.code = 'hero') desc, x.id desc limit 1) as cover_asset_id,
         (select json_build_object('assetId', made.asset_id, 'sprite',
                   (select sheet.layout from assets shown join derivatives sheet on sheet.source_hash = shown.file_hash
                     where shown.id = made.asset_id
                       and sheet.kind_id = (select id from derivative_kind where code = 'sprite')))
            from (select u.asset_id from clips x join clip_status t on t.id = x.status_id and t.code <> 'trashed'
                    join cuts u on u.clip_id = x.id and u.asset_id is not null
                    join cut_status y on y.id = u.status_id and y.code not in ('superseded', 'failed', 'rejected')
                   where x.project_id = p.id
                   order by (y.code = 'final') desc, u.id desc limit 1) made) as film
    from projects p
    join project_status s on s.id = p.status_id
    left join project_members mine on mine.project_id = p.id and mine.user_id = ${actor.userId}
    left join role r on r.id = mine.role_id`;

export async function findCard(
  db: Queryable,
  actor: Actor,
  projectId: string,
): Promise<ProjectCard | undefined> {
  const [row] = await db<ProjectCard[]>`${selectCard(db, actor)} where p.id = ${projectId}`;
  return row;
}

export async function listProjects(
  db: Queryable,
  actor: Actor,
  { limit, cursor, trash }: PageQuery & { readonly trash?: "only" | undefined },
): Promise<ProjectCard[]> {
  return await db<ProjectCard[]>`
    ${selectCard(db, actor)}
     where (${actor.roleCode === "admin"} or mine.user_id is not null)
       and (s.code = 'trashed') = ${trash === "only"}
       ${cursor ? db`and p.id < ${cursor}` : db``}
     order by p.id desc
     limit ${limit + 1}`;
}

export async function insertProject(
  db: Queryable,
  projectId: string,
  input: ProjectInput & { readonly startFrame: number },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    with made as (
      insert into projects (id, name, status_id, rate_num, rate_den, width_px, height_px, start_frame, created_by_id)
      select ${projectId}, ${input.name}, s.id, ${input.rate.num}, ${input.rate.den}, ${input.widthPx}, ${input.heightPx},
             ${input.startFrame}, ${actor.userId}
        from project_status s where s.code = 'active'
      on conflict (id) do nothing
      returning id)
    insert into project_members (project_id, user_id, role_id, added_by_id)
    select made.id, ${actor.userId}, r.id, ${actor.userId} from made, role r where r.code = ${actor.roleCode}
    returning 1`;
  return rows.length > 0;
}

export async function updateProject(
  db: Queryable,
  projectId: string,
  change: {
    name?: string | undefined;
    widthPx?: number | undefined;
    heightPx?: number | undefined;
    status?: string | undefined;
  },
): Promise<void> {
  await db`
    update projects
       set name = coalesce(${change.name ?? null}, name),
           width_px = coalesce(${change.widthPx ?? null}, width_px),
           height_px = coalesce(${change.heightPx ?? null}, height_px),
           status_id = coalesce((select id from project_status where code = ${
    change.status ?? null
  }), status_id),
           updated_at = now()
     where id = ${projectId}`;
}

export interface MemberRow {
  readonly userId: string;
  readonly login: string;
  readonly displayName: string;
  readonly role: RoleCode;
  readonly addedAt: string;
}

export async function listMembers(db: Queryable, projectId: string, userId?: string): Promise<MemberRow[]> {
  return await db<MemberRow[]>`
    select m.user_id, u.login, u.display_name, r.code as role, m.added_at
      from project_members m
      join users u on u.id = m.user_id
      join role r on r.id = m.role_id
     where m.project_id = ${projectId} ${userId ? db`and m.user_id = ${userId}` : db``}
     order by u.display_name, u.id`;
}

export async function upsertMember(
  db: Queryable,
  projectId: string,
  userId: string,
  role: RoleCode,
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into project_members (project_id, user_id, role_id, added_by_id)
    select ${projectId}, u.id, r.id, ${actor.userId} from users u, role r where u.id = ${userId} and r.code = ${role}
    on conflict (project_id, user_id) do update set role_id = excluded.role_id
    returning 1`;
  return rows.length > 0;
}

export async function deleteMember(db: Queryable, projectId: string, userId: string): Promise<boolean> {
  return (await db`delete from project_members where project_id = ${projectId} and user_id = ${userId} returning 1`)
    .length > 0;
}
