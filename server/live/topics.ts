import type { Actor } from "#server/core/actor.ts";
import { isId } from "#server/core/id.ts";
import type { Db } from "#server/db/db.ts";
import { requireAccess } from "#server/projects/service.ts";

/** Whether the actor may hear a topic: their projects, themselves, and what their role lets them see. */
export async function mayHear(db: Db, actor: Actor, topic: string): Promise<boolean> {
  const [kind, id = ""] = topic.split(":");
  switch (kind) {
    case "project":
      return isId(id) && await requireAccess(db, actor, id, "project.read").then(() => true, () => false);
    case "user":
      return id === actor.userId;
    case "fleet":
      return actor.permissions.has("worker.read");
    case "jobs":
      return actor.permissions.has("queue.admin");
    case "studio":
      return true;
  }
  return false;
}
