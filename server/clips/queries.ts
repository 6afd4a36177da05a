import type { Actor } from "#server/core/actor.ts";
import type { Id } from "#server/core/id.ts";
import type { Fragment, Json, Queryable } from "#server/db/db.ts";
import type { Clip, ClipChange, ClipInput, ClipStatus } from "./contract.ts";

/** An exact rate of the table's row as JSON. */
export const rateOf = (db: Queryable, table: string): Fragment =>
  db`json_build_object('num', ${db(table)}.rate_num, 'den', ${db(table)}.rate_den)`;

/** `more` are further columns. */
export const selectClip = (db: Queryable, more: Fragment = db``) =>
  db`
  select c.id, c.project_id, c.scene_id, c.character_id, c.name, c.position, s.code as status, c.portrait_seed_id,
         c.hero_seed_id, c.workflow_version_id, c.frames, ${
    rateOf(db, "p")
  } as rate, c.prompt, c.negative_prompt,
         c.random_seed, c.likeness_floor, c.reroll_limit, c.retime_limit, c.attention, c.created_at,
         coalesce((select json_object_agg(k.parameter, k.value) from clip_knobs k where k.clip_id = c.id), '{}') as knobs
         ${more}
    from clips c
    join projects p on p.id = c.project_id
    join clip_status s on s.id = c.status_id`;

export async function findClip(db: Queryable, clipId: string): Promise<Clip | undefined> {
  const [row] = await db<Clip[]>`${selectClip(db)} where c.id = ${clipId}`;
  return row;
}

/** Holds the clip until the transaction ends, so that only one of several wakers plans its next step. */
export async function lockClip(db: Queryable, clipId: string): Promise<void> {
  await db`select 1 from clips where id = ${clipId} for update`;
}

export async function insertClip(
  db: Queryable,
  clip: Omit<ClipInput, "id"> & { id: string; projectId: string; sceneId: string; randomSeed: number },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into clips (id, project_id, scene_id, character_id, name, position, status_id, portrait_seed_id, hero_seed_id,
                       workflow_version_id, frames, prompt, negative_prompt, random_seed, likeness_floor, reroll_limit,
                       retime_limit, created_by_id)
    select ${clip.id}, ${clip.projectId}, ${clip.sceneId}, ${clip.characterId}, ${clip.name},
           coalesce((select max(position) from clips where scene_id = ${clip.sceneId}), 0) + 10, s.id,
           ${clip.portraitSeedId ?? null}, ${clip.heroSeedId ?? null}, ${
    clip.workflowVersionId ?? null
  }, ${clip.frames},
           ${clip.prompt}, ${clip.negativePrompt}, ${clip.randomSeed}, ${clip.likenessFloor}, ${clip.rerollLimit},
           ${clip.retimeLimit}, ${actor.userId}
      from clip_status s where s.code = 'draft'
    on conflict (id) do nothing
    returning 1`;
  if (rows.length > 0) await replaceKnobs(db, clip.id, clip.knobs);
  return rows.length > 0;
}

export async function updateClip(db: Queryable, clipId: string, change: ClipChange): Promise<void> {
  const { knobs, trash: _, ...columns } = change;
  const row = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
  if (Object.keys(row).length > 0) {
    await db`update clips set ${db(row)}, updated_at = now() where id = ${clipId}`;
  }
  if (knobs) await replaceKnobs(db, clipId, knobs);
}

async function replaceKnobs(db: Queryable, clipId: string, knobs: Clip["knobs"]): Promise<void> {
  await db`delete from clip_knobs where clip_id = ${clipId}`;
  for (const [parameter, value] of Object.entries(knobs)) {
    await db`insert into clip_knobs (clip_id, parameter, value) values (${clipId}, ${parameter}, ${
      db.json(value as Json)
    })`;
  }
}

export async function setClipStatus(
  db: Queryable,
  clipId: string,
  status: ClipStatus,
  attention: string | null = null,
): Promise<void> {
  await db`
    update clips set status_id = (select id from clip_status where code = ${status}), attention = ${attention}, updated_at = now()
     where id = ${clipId}`;
}

export async function setWorkflow(db: Queryable, clipId: string, versionId: string): Promise<void> {
  await db`update clips set workflow_version_id = ${versionId} where id = ${clipId}`;
}

export interface ApprovedHero {
  readonly id: Id<"seed">;
  readonly portraitSeedId: Id<"seed"> | null;
}

/** The character's hero that was approved last, with the portrait that it was made from. */
export async function findApprovedHero(
  db: Queryable,
  characterId: string,
): Promise<ApprovedHero | undefined> {
  const [row] = await db<ApprovedHero[]>`
    select s.id, p.id as portrait_seed_id
      from seeds s
      join seed_status t on t.id = s.status_id and t.code = 'hero'
      join seed_approvals a on a.seed_id = s.id
      left join seeds p on p.id = s.derived_from_seed_id
       and p.kind_id = (select id from seed_kind where code = 'portrait')
     where s.character_id = ${characterId}
     order by a.approved_at desc, s.id desc
     limit 1`;
  return row;
}
