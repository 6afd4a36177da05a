import type { Actor } from "#server/core/actor.ts";
import type { Query, Reply } from "#server/core/endpoint.ts";
import type { Permission } from "#server/core/permissions.ts";
import type { Db } from "#server/db/db.ts";
import * as contract from "./contract.ts";
import * as queries from "./queries.ts";

/** What one must be allowed to read to find a thing of that kind. */
const NEEDS: Readonly<Record<contract.Searched, Permission>> = {
  project: "project.read",
  character: "project.read",
  scene: "project.read",
  clip: "project.read",
  asset: "asset.read",
  job: "job.read",
  user: "user.read",
  worker: "worker.read",
  batch: "asset.read",
  workflow: "workflow.read",
};

function scopeOf(actor: Actor, only?: contract.Searched): queries.Scope {
  const things = contract.SEARCHED.filter((thing) =>
    actor.permissions.has(NEEDS[thing]) && (only === undefined || thing === only)
  );
  return { actor, things };
}

export async function search(
  db: Db,
  actor: Actor,
  { q, thing }: Query<typeof contract.search>,
): Promise<Reply<typeof contract.search>> {
  return { items: await queries.findNamed(db, scopeOf(actor, thing), q) };
}

export async function readIndex(
  db: Db,
  actor: Actor,
  { limit, before, after }: Query<typeof contract.readSearchIndex>,
): Promise<Reply<typeof contract.readSearchIndex>> {
  const found = await queries.listNamed(db, scopeOf(actor), { before, after, limit: limit + 1 });
  const shown = found.slice(0, limit);
  const projects = [...new Set(shown.flatMap(({ projectId }) => projectId === null ? [] : [projectId]))];
  const places = new Map(projects.map((projectId, at) => [projectId, at]));
  const next = found.length > limit ? shown.at(-1)?.id : undefined;
  return {
    projects,
    rows: shown.map(({ thing, id, name, projectId, hint }): contract.IndexRow => [
      contract.SEARCHED.indexOf(thing),
      id,
      name,
      projectId === null ? -1 : places.get(projectId) ?? -1,
      hint,
    ]),
    ...(next === undefined ? {} : { next }),
  };
}
