import type * as z from "zod/mini";
import type { EventKind } from "#server/core/event.ts";
import type { Fragment, Json, Queryable } from "#server/db/db.ts";

/** Who hears an event: a project's members, one user, everybody who may see the fleet or the queue. */
export type Topic = `project:${string}` | `user:${string}` | "fleet" | "jobs" | "studio";

/** An event to be written. */
export interface News {
  readonly code: string;
  readonly topic: Topic;
  readonly data: Json;
}

/** An event as its kind declares it. */
export function news<S extends z.core.$ZodType>(kind: EventKind<S>, topic: Topic, data: z.input<S>): News {
  return { code: kind.code, topic, data: data as Json };
}

/**
 * Writes an event in the caller's transaction; the hub of every server process sends it on once that commits.
 */
export async function announce<S extends z.core.$ZodType>(
  db: Queryable,
  kind: EventKind<S>,
  topic: Topic,
  data: z.input<S>,
): Promise<void> {
  await db`${announceStep(db, news(kind, topic, data))}`;
}

/** announce() as a step of another statement: once for each row of `from`, so not at all when that is empty. */
export function announceStep(db: Queryable, { code, topic, data }: News, from?: Fragment): Fragment {
  const projectId = topic.startsWith("project:") ? topic.slice("project:".length) : null;
  return db`
    insert into events (kind_id, topic, project_id, data)
    select k.id, ${topic}, ${projectId}, ${db.json(data)} from event_kind k${
    from ? db` cross join ${from}` : db``
  } where k.code = ${code}`;
}
