import type * as z from "zod/mini";
import type { EventKind } from "#server/core/event.ts";
import type { Json, Queryable } from "#server/db/db.ts";

/** Who hears an event: a project's members, one user, everybody who may see the fleet or the queue. */
export type Topic = `project:${string}` | `user:${string}` | "fleet" | "jobs" | "studio";

/**
 * Writes an event in the caller's transaction; the hub of every server process sends it on once that commits.
 */
export async function announce<S extends z.core.$ZodType>(
  db: Queryable,
  kind: EventKind<S>,
  topic: Topic,
  data: z.input<S>,
): Promise<void> {
  const projectId = topic.startsWith("project:") ? topic.slice("project:".length) : null;
  await db`
    insert into events (kind_id, topic, project_id, data)
    select id, ${topic}, ${projectId}, ${db.json(data as Json)} from event_kind where code = ${kind.code}`;
}
