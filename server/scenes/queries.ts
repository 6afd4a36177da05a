import type { Actor } from "#server/core/actor.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Master, Scene } from "./contract.ts";

const selectScene = (db: Queryable) =>
  db`select s.id, s.project_id, s.name, t.code as status, s.position, s.created_at
       from scenes s join scene_status t on t.id = s.status_id`;

export async function findScene(db: Queryable, sceneId: string): Promise<Scene | undefined> {
  const [row] = await db<Scene[]>`${selectScene(db)} where s.id = ${sceneId}`;
  return row;
}

export async function listScenes(
  db: Queryable,
  projectId: string,
  { limit, cursor }: PageQuery,
): Promise<Scene[]> {
  return await db<Scene[]>`
    ${selectScene(db)}
     where s.project_id = ${projectId} and t.code <> 'trashed' ${cursor ? db`and s.id < ${cursor}` : db``}
     order by s.id desc limit ${limit + 1}`;
}

export async function insertScene(
  db: Queryable,
  scene: { id: string; projectId: string; name: string },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into scenes (id, project_id, name, status_id, position, created_by_id)
    select ${scene.id}, ${scene.projectId}, ${scene.name}, t.id,
           coalesce((select max(position) from scenes where project_id = ${scene.projectId}), 0) + 10, ${actor.userId}
      from scene_status t where t.code = 'active'
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export interface SceneChange {
  readonly name?: string | undefined;
  readonly position?: number | undefined;
  readonly status?: string | undefined;
}

export async function updateScene(db: Queryable, sceneId: string, change: SceneChange): Promise<void> {
  await db`
    update scenes
       set name = coalesce(${change.name ?? null}, name),
           position = coalesce(${change.position ?? null}, position),
           status_id = coalesce((select id from scene_status where code = ${
    change.status ?? null
  }), status_id)
     where id = ${sceneId}`;
}

/** Holds the scene until the transaction ends: its masters and deliveries are numbered one after the other. */
export async function lockScene(db: Queryable, sceneId: string): Promise<void> {
  await db`select 1 from scenes where id = ${sceneId} for no key update`;
}

/** Holds the scene's clips until the transaction ends, so that none loses its final cut meanwhile. */
export async function lockClips(db: Queryable, sceneId: string): Promise<void> {
  await db`select 1 from clips where scene_id = ${sceneId} order by id for update`;
}

export interface SceneItem {
  readonly clipId: string;
  readonly clipName: string;
  readonly cutId: string | null;
  readonly frames: number | null;
  readonly rateNum: number | null;
  readonly rateDen: number | null;
  readonly file: FileRef | null;
}

/** The scene's clips in order, each with its final cut where there is one. */
export async function listItems(db: Queryable, sceneId: string): Promise<SceneItem[]> {
  return await db<SceneItem[]>`
    select c.id as clip_id, c.name as clip_name, u.id as cut_id, u.frames, u.rate_num, u.rate_den,
           case when f.hash is not null then json_build_object('hash', f.hash, 'sizeBytes', f.size_bytes, 'mediaType', t.code) end as file
      from clips c
      join clip_status s on s.id = c.status_id and s.code <> 'trashed'
      left join cuts u on u.clip_id = c.id and u.status_id = (select id from cut_status where code = 'final')
      left join assets a on a.id = u.asset_id
      left join files f on f.hash = a.file_hash
      left join media_type t on t.id = f.media_type_id
     where c.scene_id = ${sceneId}
     order by c.position, c.id`;
}

export interface MasterInsert {
  readonly id: string;
  readonly sceneId: string;
  readonly rate: { num: number; den: number };
  readonly widthPx: number;
  readonly heightPx: number;
  readonly frames: number;
}

export async function insertMaster(db: Queryable, master: MasterInsert, actor: Actor): Promise<boolean> {
  const rows = await db`
    insert into masters (id, scene_id, number, status_id, rate_num, rate_den, width_px, height_px, frames, created_by_id)
    select ${master.id}, ${master.sceneId}, coalesce((select max(number) from masters where scene_id = ${master.sceneId}), 0) + 1,
           s.id, ${master.rate.num}, ${master.rate.den}, ${master.widthPx}, ${master.heightPx}, ${master.frames}, ${actor.userId}
      from master_status s where s.code = 'assembling'
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export async function insertMasterItem(
  db: Queryable,
  item: { masterId: string; position: number; cutId: string; firstFrame: number; frameCount: number },
): Promise<void> {
  await db`insert into master_items ${db(item)}`;
}

export async function finishMaster(
  db: Queryable,
  masterId: string,
  assetId: string,
  method: string,
): Promise<void> {
  await db`
    update masters
       set asset_id = ${assetId}, finished_at = now(), failure = null,
           method_id = (select id from assembly_method where code = ${method}),
           status_id = (select id from master_status where code = 'ready')
     where id = ${masterId}`;
}

export async function failMaster(db: Queryable, masterId: string, failure: string): Promise<void> {
  await db`
    update masters set failure = ${failure}, status_id = (select id from master_status where code = 'failed') where id = ${masterId}`;
}

export async function reopenMaster(db: Queryable, masterId: string): Promise<void> {
  await db`
    update masters set failure = null, status_id = (select id from master_status where code = 'assembling') where id = ${masterId}`;
}

const selectMaster = (db: Queryable) =>
  db`
  select m.id, m.scene_id, s.project_id, m.number, t.code as status,
         json_build_object('num', m.rate_num, 'den', m.rate_den) as rate, m.width_px, m.height_px, m.frames,
         a.code as method, m.asset_id, m.failure, m.created_at,
         coalesce((select json_agg(json_build_object('position', i.position, 'cutId', i.cut_id, 'clipName', c.name,
                     'firstFrame', i.first_frame, 'frameCount', i.frame_count) order by i.position)
            from master_items i join cuts u on u.id = i.cut_id join clips c on c.id = u.clip_id
           where i.master_id = m.id), '[]') as items
    from masters m
    join scenes s on s.id = m.scene_id
    join master_status t on t.id = m.status_id
    left join assembly_method a on a.id = m.method_id`;

export async function findMaster(db: Queryable, masterId: string): Promise<Master | undefined> {
  const [row] = await db<Master[]>`${selectMaster(db)} where m.id = ${masterId}`;
  return row;
}

export async function listMasters(
  db: Queryable,
  sceneId: string,
  { limit, cursor }: PageQuery,
): Promise<Master[]> {
  return await db<Master[]>`
    ${selectMaster(db)}
     where m.scene_id = ${sceneId} ${
    cursor ? db`and m.number < (select number from masters where id = ${cursor})` : db``
  }
     order by m.number desc limit ${limit + 1}`;
}
