import type { Actor } from "#server/core/actor.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Delivery } from "./contract.ts";

export async function insertDelivery(
  db: Queryable,
  delivery: { id: string; sceneId: string; masterId: string },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into deliveries (id, scene_id, master_id, number, status_id, created_by_id)
    select ${delivery.id}, ${delivery.sceneId}, ${delivery.masterId},
           coalesce((select max(number) from deliveries where scene_id = ${delivery.sceneId}), 0) + 1, s.id, ${actor.userId}
      from delivery_status s where s.code = 'ready'
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export async function insertDeliveryFile(
  db: Queryable,
  file: { deliveryId: string; name: string; kind: string; assetId: string },
): Promise<void> {
  await db`
    insert into delivery_files (delivery_id, name, kind_id, asset_id)
    select ${file.deliveryId}, ${file.name}, k.id, ${file.assetId} from delivery_file_kind k where k.code = ${file.kind}`;
}

const selectDelivery = (db: Queryable) =>
  db`
  select d.id, d.scene_id, d.master_id, s.project_id, d.number, t.code as status, d.created_at,
         coalesce((select json_agg(json_build_object('name', x.name, 'kind', k.code, 'assetId', a.id, 'hash', f.hash,
                     'sizeBytes', f.size_bytes, 'mediaType', m.code) order by k.sort, x.name)
            from delivery_files x
            join delivery_file_kind k on k.id = x.kind_id
            join assets a on a.id = x.asset_id
            join files f on f.hash = a.file_hash
            join media_type m on m.id = f.media_type_id
           where x.delivery_id = d.id), '[]') as files
    from deliveries d
    join scenes s on s.id = d.scene_id
    join delivery_status t on t.id = d.status_id`;

export async function findDelivery(db: Queryable, deliveryId: string): Promise<Delivery | undefined> {
  const [row] = await db<Delivery[]>`${selectDelivery(db)} where d.id = ${deliveryId}`;
  return row;
}

export async function listDeliveries(
  db: Queryable,
  masterId: string,
  { limit, cursor }: PageQuery,
): Promise<Delivery[]> {
  return await db<Delivery[]>`
    ${selectDelivery(db)}
     where d.master_id = ${masterId}
       ${cursor ? db`and d.number < (select number from deliveries where id = ${cursor})` : db``}
     order by d.number desc limit ${limit + 1}`;
}

export interface MasterFacts {
  readonly sceneId: string;
  readonly sceneName: string;
  readonly projectId: string;
  readonly projectName: string;
  readonly startFrame: number;
  readonly number: number;
  readonly frames: number;
  readonly rate: { num: number; den: number };
  readonly assetId: string | null;
  readonly file: FileRef | null;
}

export async function findMasterFacts(db: Queryable, masterId: string): Promise<MasterFacts | undefined> {
  const [row] = await db<MasterFacts[]>`
    select m.scene_id, s.name as scene_name, p.id as project_id, p.name as project_name, p.start_frame, m.number, m.frames,
           json_build_object('num', m.rate_num, 'den', m.rate_den) as rate, m.asset_id,
           case when f.hash is not null then json_build_object('hash', f.hash, 'sizeBytes', f.size_bytes, 'mediaType', t.code) end as file
      from masters m
      join scenes s on s.id = m.scene_id
      join projects p on p.id = s.project_id
      left join assets a on a.id = m.asset_id
      left join files f on f.hash = a.file_hash
      left join media_type t on t.id = f.media_type_id
     where m.id = ${masterId}`;
  return row;
}

export interface ItemFacts {
  readonly position: number;
  readonly cutId: string;
  readonly characterId: string;
  readonly clipName: string;
  readonly cutNumber: number;
  readonly firstFrame: number;
  readonly frameCount: number;
}

export async function listItemFacts(db: Queryable, masterId: string): Promise<ItemFacts[]> {
  return await db<ItemFacts[]>`
    select i.position, i.cut_id, c.character_id, c.name as clip_name, u.number as cut_number, i.first_frame, i.frame_count
      from master_items i
      join cuts u on u.id = i.cut_id
      join clips c on c.id = u.clip_id
     where i.master_id = ${masterId}
     order by i.position`;
}

export async function protectAsset(db: Queryable, assetId: string): Promise<void> {
  await db`update assets set retention_class_id = (select id from retention_class where code = 'protected') where id = ${assetId}`;
}
