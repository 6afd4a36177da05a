import type { Queryable } from "#server/db/db.ts";

export async function readDatabaseVersion(db: Queryable): Promise<string> {
  const [row] = await db<{ version: string }[]>`select current_setting('server_version') as version`;
  // "18.4 (Debian 18.4-1)" is 18.4.
  return row?.version.split(" ")[0] ?? "unknown";
}

export async function countWorkers(db: Queryable): Promise<{ online: number; total: number }> {
  const [row] = await db<{ online: number; total: number }[]>`
    select count(*) filter (where s.code = 'online')::int as online, count(*)::int as total
      from workers w join worker_status s on s.id = w.status_id where s.code <> 'disabled'`;
  return row ?? { online: 0, total: 0 };
}

export interface JobCount {
  readonly lane: string;
  readonly status: string;
  readonly count: number;
}

/** Jobs that have not ended, by lane and status; 0 where there are none. Ended ones are too many to count each time. */
export async function countOpenJobs(db: Queryable): Promise<JobCount[]> {
  return await db<JobCount[]>`
    select l.code as lane, s.code as status, coalesce(c.count, 0)::int as count
      from lane l
      cross join job_status s
      left join (select lane_id, status_id, count(*) as count from jobs where status_id < 5 group by 1, 2) c
        on c.lane_id = l.id and c.status_id = s.id
     where s.id < 5
     order by l.sort, s.sort`;
}

export interface ConnectionCount {
  readonly application: string;
  readonly state: string;
  readonly count: number;
}

/** The studio's connections to its database, of every process. */
export async function countConnections(db: Queryable): Promise<ConnectionCount[]> {
  return await db<ConnectionCount[]>`
    select application_name as application, coalesce(state, 'unknown') as state, count(*)::int as count
      from pg_stat_activity
     where datname = current_database()
     group by 1, 2
     order by 1, 2`;
}

/** Stored files, each content once. */
export async function countFiles(db: Queryable): Promise<{ count: number; bytes: number }> {
  const [row] = await db<{ count: number; bytes: number }[]>`
    select count(*)::int as count, coalesce(sum(size_bytes), 0)::float8 as bytes from files`;
  return row ?? { count: 0, bytes: 0 };
}
