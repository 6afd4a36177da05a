import type { Actor } from "#server/core/actor.ts";
import type { Json, Queryable } from "#server/db/db.ts";
import * as queries from "./queries.ts";

export interface AuditFacts {
  readonly projectId?: string;
  /** A code of `subject_kind` and the id of the thing. */
  readonly subject?: readonly [kind: string, id: string];
  /** What changed: enough for people to understand and for an undo. No secrets. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** Records who did what, in the transaction that does it (SPEC rule 6). `actor` is undefined for the system. */
export async function audit(
  db: Queryable,
  actor: Actor | undefined,
  action: string,
  about: AuditFacts = {},
): Promise<void> {
  const [subjectKind, subjectId] = about.subject ?? [null, null];
  const rows = await db`
    insert into audit_entries (action_id, user_id, token_id, project_id, subject_kind_id, subject_id, ip, request_id, facts)
    select a.id, ${actor?.userId || null}, ${actor?.tokenId ?? null}, ${about.projectId ?? null},
           (select id from subject_kind where code = ${subjectKind}), ${subjectId},
           ${actor?.ip ?? null}, ${actor?.requestId ?? null}, ${db.json((about.facts ?? {}) as Json)}
      from audit_action a where a.code = ${action}
    returning 1`;
  if (rows.length === 0) {
    throw new Error(`There is no audit_action "${action}": add it to sql/lookups/06_events.sql`);
  }
}

export const { listActions, listAudit } = queries;
