import type { Queryable } from "#server/db/db.ts";

/** How many runs a pace is learned from. */
const REMEMBERED = 20;

export interface LearnedPace {
  readonly stepMs: number | null;
  readonly restMs: number | null;
}

/**
 * How long healthy runs of the same workflow on that worker were silent at most, lately; undefined when the prompt is
 * no attempt of a job of ours, nulls when nothing was learned yet.
 */
export async function findPace(
  db: Queryable,
  workerId: string,
  promptId: string,
): Promise<LearnedPace | undefined> {
  const [row] = await db<LearnedPace[]>`
    select (select max(x) from unnest(p.step_ms) x) as step_ms, (select max(x) from unnest(p.rest_ms) x) as rest_ms
      from (select j.workflow_version_id from jobs j where j.status_id = 4 and j.attempt_id = ${promptId}
            union all
            select j.workflow_version_id from job_attempts a join jobs j on j.id = a.job_id
             where a.id = ${promptId} limit 1) j
      left join worker_paces p on p.worker_id = ${workerId} and p.workflow_version_id = j.workflow_version_id`;
  return row;
}

/** Learns from a run that ended well. */
export async function savePace(
  db: Queryable,
  paced: LearnedPace & { readonly promptId: string },
): Promise<void> {
  await db`
    insert into worker_paces as p (worker_id, workflow_version_id, step_ms, rest_ms)
    select x.worker_id, x.workflow_version_id, array_remove(array[${paced.stepMs}::real], null),
           array_remove(array[${paced.restMs}::real], null)
      from (select j.worker_id, j.workflow_version_id from jobs j
             where j.status_id = 4 and j.attempt_id = ${paced.promptId}
            union all
            select a.worker_id, j.workflow_version_id from job_attempts a join jobs j on j.id = a.job_id
             where a.id = ${paced.promptId} limit 1) x
     where x.worker_id is not null and x.workflow_version_id is not null
    on conflict (worker_id, workflow_version_id) do update
       set step_ms = (p.step_ms || excluded.step_ms)[greatest(1, cardinality(p.step_ms || excluded.step_ms) - ${
    REMEMBERED - 1
  }):],
           rest_ms = (p.rest_ms || excluded.rest_ms)[greatest(1, cardinality(p.rest_ms || excluded.rest_ms) - ${
    REMEMBERED - 1
  }):]`;
}
