import { createHash } from "node:crypto";
import { join } from "node:path";
import { connect, type Db } from "#server/db/db.ts";
import { openLocalStore } from "#server/files/local_store.ts";

/** What was counted in a studio's database and folder, and every breach of SPEC rules 2 and 3 as a sentence. */
export interface Truth {
  readonly counts: Readonly<Record<string, number>>;
  readonly breaches: readonly string[];
}

/** Questions whose every row is a breach; `what` tells which. */
const QUESTIONS: readonly (readonly [string, (db: Db) => Promise<readonly { what: string }[]>])[] = [
  ["job is not over", (db) =>
    db`select j.id || ' ' || k.code || ' ' || s.code as what from jobs j
         join job_kind k on k.id = j.kind_id join job_status s on s.id = j.status_id where s.code <> 'done'`],
  [
    "job was done twice, or never",
    (db) =>
      db`select j.id || ' done ' || count(a.id) filter (where a.outcome_id = 1) as what
         from jobs j left join job_attempts a on a.job_id = j.id
        group by j.id having count(a.id) filter (where a.outcome_id = 1) <> 1`,
  ],
  [
    "attempt is open or missing",
    (db) =>
      db`select j.id || ' attempts ' || j.attempt || ', rows ' || count(a.id) || ', closed ' || count(a.finished_at) as what
         from jobs j left join job_attempts a on a.job_id = j.id
        group by j.id having count(a.finished_at) <> j.attempt or count(a.id) <> j.attempt`,
  ],
  [
    "thing has more jobs of a kind than one",
    (db) =>
      db`select k.code || ' × ' || count(*) || ' for ' || coalesce(j.seed_id, j.take_id, j.cut_id, j.master_id) as what
         from jobs j join job_kind k on k.id = j.kind_id
        where coalesce(j.seed_id, j.take_id, j.cut_id, j.master_id) is not null
        group by k.code, j.seed_id, j.take_id, j.cut_id, j.master_id having count(*) > 1`,
  ],
  [
    "segment has not one chosen take",
    (db) =>
      db`select g.id || ' chosen ' || count(t.chosen_at) as what from segments g join segment_status s on s.id = g.status_id
         left join takes t on t.segment_id = g.id where s.code <> 'removed' group by g.id having count(t.chosen_at) <> 1`,
  ],
  [
    "segment has a take that nobody asked for",
    (db) =>
      db`select g.id || ' takes ' || count(*) || ', rejected ' || count(*) filter (where s.code = 'rejected') as what
         from segments g join takes t on t.segment_id = g.id join take_status s on s.id = t.status_id
        group by g.id having count(*) filter (where s.code <> 'rejected') <> 1`,
  ],
  [
    "take numbers have a gap",
    (db) =>
      db`select segment_id || ': ' || array_agg(number order by number)::text as what from takes
        group by segment_id having max(number) <> count(*)`,
  ],
  [
    "segments of a clip have a gap",
    (db) => db`select clip_id::text as what from segments group by clip_id having max(index) <> count(*)`,
  ],
  [
    "clip is not final",
    (db) =>
      db`select c.id || ' ' || s.code as what from clips c join clip_status s on s.id = c.status_id where s.code <> 'final'`,
  ],
  [
    "clip has not one cut",
    (db) =>
      db`select c.id || ' cuts ' || count(u.id) as what from clips c left join cuts u on u.clip_id = c.id
        group by c.id having count(u.id) <> 1`,
  ],
  [
    "cut's parts are not the chosen takes",
    (db) =>
      db`select p.cut_id || ' part ' || p.index as what from cut_parts p join takes t on t.id = p.take_id where t.chosen_at is null`,
  ],
  [
    "scene has not one master and one delivery",
    (db) =>
      db`select s.id || ' masters ' || count(distinct m.id) || ', deliveries ' || count(distinct d.id) as what
         from scenes s left join masters m on m.scene_id = s.id left join deliveries d on d.scene_id = s.id
        group by s.id having count(distinct m.id) <> 1 or count(distinct d.id) <> 1`,
  ],
  [
    "batch has not the seeds asked for",
    (db) =>
      db`select b.id || ' asked ' || b.asked_count || ', made ' || count(s.id) as what from variation_batches b
         left join seeds s on s.batch_id = b.id group by b.id having count(s.id) <> b.asked_count`,
  ],
  [
    "seed is not ready",
    (db) =>
      db`select s.id || ' ' || t.code as what from seeds s join seed_status t on t.id = s.status_id
        where t.code not in ('candidate', 'kept', 'hero')`,
  ],
  [
    "thing was recorded twice in the audit",
    (db) =>
      db`select k.code || ' ' || a.subject_id as what from audit_entries a join audit_action k on k.id = a.action_id
        where k.code like '%.create' and a.subject_id is not null group by 1 having count(*) > 1`,
  ],
  [
    "document versions have a gap",
    (db) =>
      db`select coalesce(character_id, cut_id)::text as what from documents
        group by character_id, cut_id having max(version) <> count(*)`,
  ],
  [
    "made asset has no provenance",
    (db) =>
      db`select a.id::text as what from assets a join asset_kind k on k.id = a.kind_id
         left join provenance p on p.asset_id = a.id where k.code = 'take_raw' and p.asset_id is null`,
  ],
];

/** Reads a studio that is at rest: its database, its store and its scratch folder. */
export async function checkTruth(databaseUrl: string, data: string): Promise<Truth> {
  const db = connect({ url: databaseUrl, max: 2 });
  try {
    const breaches: string[] = [];
    for (const [sentence, ask] of QUESTIONS) {
      for (const { what } of await ask(db)) breaches.push(`${sentence}: ${what}`);
    }
    const files = await checkFiles(db, data, breaches);
    for await (const entry of Deno.readDir(join(data, "work"))) breaches.push(`work/ keeps ${entry.name}`);
    for await (const entry of Deno.readDir(join(data, "store", "incoming"))) {
      breaches.push(`an unfinished file stays: ${entry.name}`);
    }
    return { counts: { ...await countRows(db), ...files }, breaches };
  } finally {
    await db.end({ timeout: 2 });
  }
}

/** Reads every stored file against its row; a file that is missing or another is a breach, one without a row is counted. */
export async function checkFiles(
  db: Db,
  data: string,
  breaches: string[],
): Promise<{ readonly orphanFiles: number }> {
  const store = await openLocalStore(join(data, "store"));
  const rows = await db<{ hash: string; sizeBytes: number }[]>`select hash, size_bytes from files`;
  for (const { hash, sizeBytes } of rows) {
    const digest = createHash("sha256");
    let size = 0;
    try {
      for await (const chunk of await store.read(hash)) {
        digest.update(chunk);
        size += chunk.length;
      }
    } catch {
      breaches.push(`a row without its file: ${hash}`);
      continue;
    }
    if (size !== sizeBytes || digest.digest("hex") !== hash) {
      breaches.push(`file is not what its row says: ${hash}`);
    }
  }
  const known = new Set(rows.map((row) => row.hash));
  let orphans = 0;
  for await (const file of store.list()) if (!known.has(file.hash)) orphans++;
  return { orphanFiles: orphans };
}

async function countRows(db: Db): Promise<Record<string, number>> {
  const [row] = await db<Record<string, number>[]>`
    select (select count(*)::integer from clips) as clips, (select count(*)::integer from segments) as segments,
           (select count(*)::integer from takes) as takes,
           (select count(*)::integer from takes where chosen_at is not null) as chosen,
           (select count(*)::integer from jobs) as jobs, (select count(*)::integer from job_attempts) as attempts,
           (select count(*)::integer from job_attempts where outcome_id = 4) as lost_leases,
           (select count(*)::integer from files) as files, (select count(*)::integer from assets) as assets,
           (select count(*)::integer from server_nodes) as starts`;
  return { ...row };
}
