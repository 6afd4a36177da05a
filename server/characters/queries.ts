import type { Actor } from "#server/core/actor.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Character } from "./contract.ts";

const selectCharacter = (db: Queryable) =>
  db`
  select c.id, c.project_id, c.name, c.description, s.code as status, c.created_at, n.*
    from characters c
    join character_status s on s.id = c.status_id
   cross join lateral (
     select (array_agg(x.asset_id order by x.id desc) filter (where k.code = 'portrait' and t.code in ('candidate', 'kept')))[1]
              as portrait_asset_id,
            (array_agg(x.asset_id order by x.id desc) filter (where t.code = 'hero'))[1] as hero_asset_id,
            count(*) filter (where k.code = 'foundation' and t.code in ('candidate', 'kept', 'hero'))::int as foundations
       from seeds x join seed_kind k on k.id = x.kind_id join seed_status t on t.id = x.status_id
      where x.character_id = c.id) n`;

export async function findCharacter(db: Queryable, characterId: string): Promise<Character | undefined> {
  const [row] = await db<Character[]>`${selectCharacter(db)} where c.id = ${characterId}`;
  return row;
}

export async function listCharacters(
  db: Queryable,
  projectId: string,
  { limit, cursor }: PageQuery,
): Promise<Character[]> {
  return await db<Character[]>`
    ${selectCharacter(db)}
     where c.project_id = ${projectId} and s.code <> 'trashed' ${cursor ? db`and c.id < ${cursor}` : db``}
     order by c.id desc
     limit ${limit + 1}`;
}

export async function insertCharacter(
  db: Queryable,
  character: { id: string; projectId: string; name: string; description: string },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into characters (id, project_id, name, description, status_id, created_by_id)
    select ${character.id}, ${character.projectId}, ${character.name}, ${character.description}, id, ${actor.userId}
      from character_status where code = 'active'
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export interface CharacterChange {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly status?: string | undefined;
}

export async function updateCharacter(
  db: Queryable,
  characterId: string,
  change: CharacterChange,
): Promise<void> {
  await db`
    update characters
       set name = coalesce(${change.name ?? null}, name),
           description = coalesce(${change.description ?? null}, description),
           status_id = coalesce((select id from character_status where code = ${
    change.status ?? null
  }), status_id),
           updated_at = now()
     where id = ${characterId}`;
}
