import type { Queryable } from "#server/db/db.ts";
import type { AuditEntry, AuditFilter } from "./contract.ts";

/** A page of entries, newest first, by number: new ones never shift the pages that follow. */
export async function listAudit(
  db: Queryable,
  { limit, cursor, action, userId, projectId, subjectId, since }: AuditFilter,
): Promise<{ items: AuditEntry[]; next?: string }> {
  const rows = await db<AuditEntry[]>`
    select e.id, e.at, a.code as action, a.label, e.user_id, u.login, e.token_id, e.project_id, k.code as subject_kind,
           e.subject_id, host(e.ip) as ip, e.request_id, e.facts
      from audit_entries e
      join audit_action a on a.id = e.action_id
      left join users u on u.id = e.user_id
      left join subject_kind k on k.id = e.subject_kind_id
     where true
       ${cursor ? db`and e.id < ${cursor}` : db``}
       ${action ? db`and a.code = ${action}` : db``}
       ${userId ? db`and e.user_id = ${userId}` : db``}
       ${projectId ? db`and e.project_id = ${projectId}` : db``}
       ${subjectId ? db`and e.subject_id = ${subjectId}` : db``}
       ${since ? db`and e.at >= ${since}` : db``}
     order by e.id desc
     limit ${limit + 1}`;
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: String(last.id) } : { items };
}

export async function listActions(db: Queryable): Promise<{ items: { action: string; label: string }[] }> {
  const items = await db<{ action: string; label: string }[]>`
    select code as action, label from audit_action where retired_at is null order by code`;
  return { items: [...items] };
}
