import type { Actor } from "#server/core/actor.ts";
import { type Db, transact } from "#server/db/db.ts";
import type { Found, Searched } from "./contract.ts";

export interface Scope {
  readonly actor: Actor;
  /** Kinds that the actor may see at all. */
  readonly things: readonly Searched[];
}

/** What belongs to the studio and so to everybody who may read it; an asset or a job without a project is nobody's. */
const OF_STUDIO: readonly Searched[] = ["user", "worker", "workflow"];

const visible = (db: Db, { actor, things }: Scope) =>
  db`
  s.thing = any(${things as string[]})
  and (s.thing = any(${OF_STUDIO as string[]}) or s.project_id in (
    select p.id from projects p join project_status ps on ps.id = p.status_id
     where ps.code <> 'trashed' and (${actor.roleCode === "admin"} or exists (
       select 1 from project_members m where m.project_id = p.id and m.user_id = ${actor.userId}))))`;

/** The best 50: the very name, its beginning, a word's beginning, anywhere, then alike by trigrams; newer first. */
export async function findNamed(db: Db, scope: Scope, text: string): Promise<Found[]> {
  const plain = text.replaceAll(/[\\%_]/g, "\\$&");
  // Fewer than three letters are no trigram but at a word's beginning.
  const part = text.length < 3 ? `${plain}%` : `%${plain}%`;
  return await transact(db, async (tx) => {
    await tx`select set_config('pg_trgm.word_similarity_threshold', '0.3', true)`;
    return await tx<Found[]>`
      select thing, id, project_id, name, hint, score::float8 from (
        select s.thing, s.id, s.project_id, s.name, s.hint,
               case when lower(s.name) = lower(${text}) then 1
                    when s.name ilike ${`${plain}%`} then 0.9
                    when s.name ilike ${`% ${plain}%`} then 0.8
                    when s.name ilike ${`%${plain}%`} or (s.thing = 'user' and s.hint ilike ${`${plain}%`}) then 0.7
                    else 0.6 * extensions.word_similarity(${text}, s.name) end as score
          from searchable s
         where ${visible(db, scope)}
           and (s.name ilike ${part} or s.name operator(extensions.%>) ${text}
                or (s.thing = 'user' and s.hint ilike ${`${plain}%`}))) found
       order by score desc, length(name), id desc
       limit 50`;
  });
}

export type Named = Omit<Found, "score">;

/** Names newest first; ids count up in time over all kinds. */
export async function listNamed(
  db: Db,
  scope: Scope,
  { before, after, limit }: { before: string | undefined; after: string | undefined; limit: number },
): Promise<Named[]> {
  return await db<Named[]>`
    select s.thing, s.id, s.project_id, s.name, s.hint from searchable s
     where ${visible(db, scope)}
       ${before === undefined ? db`` : db`and s.id < ${before}`}
       ${after === undefined ? db`` : db`and s.id > ${after}`}
     order by s.id desc limit ${limit}`;
}
