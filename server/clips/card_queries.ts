import { spriteOf } from "#server/assets/service.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Fragment, Queryable } from "#server/db/db.ts";
import type { ClipCard } from "./contract.ts";
import { selectClip } from "./queries.ts";

/** The newest cut that counts, else the chosen take that was made last, else the newest take. */
const pictureOf = (db: Queryable): Fragment =>
  db`
  (select json_build_object('assetId', made.asset_id, 'sprite', ${spriteOf(db, "made.asset_id")})
     from (select u.id, u.asset_id, 2 as worth, u.number
             from cuts u join cut_status x on x.id = u.status_id
            where u.clip_id = c.id and u.asset_id is not null and x.code not in ('superseded', 'failed')
            union all
           select t.id, t.intermediate_asset_id, (t.chosen_at is not null)::integer, g.index
             from segments g join takes t on t.segment_id = g.id
            where g.clip_id = c.id and t.intermediate_asset_id is not null) made
    order by made.worth desc, made.number desc, made.id desc limit 1)`;

/** The clips of a scene, each with what stands for it as a picture. */
export async function listClipCards(
  db: Queryable,
  sceneId: string,
  { limit, cursor }: PageQuery,
): Promise<ClipCard[]> {
  return await db<ClipCard[]>`
    ${selectClip(db, db`, ${pictureOf(db)} as picture`)}
     where c.scene_id = ${sceneId} and s.code <> 'trashed'
       ${cursor ? db`and (c.position, c.id) > (select position, id from clips where id = ${cursor})` : db``}
     order by c.position, c.id
     limit ${limit + 1}`;
}
