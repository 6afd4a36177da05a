import type { Actor } from "#server/core/actor.ts";
import type { Queryable } from "#server/db/db.ts";
import type { Decision, DecisionKind } from "./contract.ts";

const selectDecision = (db: Queryable) =>
  db`
  select d.id, d.cut_id, k.code as kind, d.file_hash as hash, d.decided_at, d.note, d.undone_at,
         case when u.id is not null then json_build_object('id', u.id, 'name', u.display_name) end as decided_by
    from decisions d
    join decision_kind k on k.id = d.kind_id
    left join users u on u.id = d.decided_by_id`;

export async function findDecision(db: Queryable, decisionId: string): Promise<Decision | undefined> {
  const [row] = await db<Decision[]>`${selectDecision(db)} where d.id = ${decisionId}`;
  return row;
}

export async function listDecisions(db: Queryable, cutId: string): Promise<Decision[]> {
  return await db<Decision[]>`${selectDecision(db)} where d.cut_id = ${cutId} order by d.decided_at, d.id`;
}

/** False when a decision of this id is there already. */
export async function insertDecision(
  db: Queryable,
  decision: { id: string; cutId: string; kind: DecisionKind; hash: string; note: string },
  actor: Actor,
): Promise<boolean> {
  const rows = await db`
    insert into decisions (id, cut_id, kind_id, file_hash, decided_by_id, decided_at, note)
    select ${decision.id}, ${decision.cutId}, k.id, ${decision.hash}, ${actor.userId}, clock_timestamp(), ${decision.note}
      from decision_kind k where k.code = ${decision.kind}
    on conflict (id) do nothing
    returning 1`;
  return rows.length > 0;
}

export async function markUndone(db: Queryable, decisionId: string): Promise<boolean> {
  return (await db`update decisions set undone_at = clock_timestamp() where id = ${decisionId} and undone_at is null returning 1`)
    .length > 0;
}

/** What stands of the decisions on a cut's quality: the latest approval or rejection that was not taken back. */
export async function findStanding(db: Queryable, cutId: string): Promise<DecisionKind | undefined> {
  const [row] = await db<{ kind: DecisionKind }[]>`
    select k.code as kind from decisions d join decision_kind k on k.id = d.kind_id
     where d.cut_id = ${cutId} and d.undone_at is null and k.code in ('approve', 'reject')
     order by d.decided_at desc, d.id desc limit 1`;
  return row?.kind;
}

export async function findCutHash(db: Queryable, cutId: string): Promise<string | undefined> {
  const [row] = await db<{ fileHash: string }[]>`
    select a.file_hash from cuts u join assets a on a.id = u.asset_id where u.id = ${cutId}`;
  return row?.fileHash;
}

/** Final cuts are never reclaimed (SPEC rule 4). */
export async function setCutRetention(
  db: Queryable,
  cutId: string,
  retention: "protected" | "keep",
): Promise<void> {
  await db`
    update assets set retention_class_id = (select id from retention_class where code = ${retention})
     where id in (select unnest(array[asset_id, intermediate_asset_id]) from cuts where id = ${cutId})`;
}

/** Masters that hold the cut: as long as there is one, its finalization stays. */
export async function countMasters(db: Queryable, cutId: string): Promise<number> {
  const [row] = await db<{ n: number }[]>`select count(*) as n from master_items where cut_id = ${cutId}`;
  return row?.n ?? 0;
}
