import { delay } from "#server/core/time.ts";
import {
  expect,
  type HistoryRow,
  listPrompts,
  readHistory,
  type RealBench,
  still,
} from "./real_comfy_bench.ts";

/** What a row of prompts came to. */
export interface RowCounts {
  readonly jobs: number;
  readonly done: number;
  /** Jobs that were done in more than one run. */
  readonly doneTwice: number;
  /** Runs of the jobs that ended otherwise than well. */
  readonly otherRuns: Readonly<Record<string, number>>;
  /** Different files in the store. */
  readonly filesStored: number;
  /** Prompts of these jobs that ended well, by the worker's own record, of each of its processes. */
  readonly inHistory: number;
  /** The same prompt more than once, which can't be. */
  readonly historyTwice: number;
  readonly seconds: number;
}

/**
 * Runs `count` jobs in a row; with `killAfter`, the worker is killed once so many are done, and started again. Throws
 * when a job was lost, done twice or left no file of its own.
 */
export async function runRow(bench: RealBench, count: number, killAfter?: number): Promise<RowCounts> {
  const { studio, comfy, url } = bench;
  const startedAt = Date.now();
  const jobIds: string[] = [];
  for (let i = 0; i < count; i++) jobIds.push(await studio.submit({ graph: still() }));
  const earlier: HistoryRow[] = [];
  if (killAfter !== undefined) {
    while (await countDone(bench, jobIds) < killAfter) await delay(20);
    earlier.push(...await readHistory(url));
    await comfy?.kill();
    await comfy?.start();
  }
  while (await countOpen(bench, jobIds) > 0) await delay(200);
  const counts = await countRow(bench, jobIds, [...earlier, ...await readHistory(url)]);
  const seconds = (Date.now() - startedAt) / 1000;
  const row = { ...counts, seconds };
  expect(row.done === count, `${count - row.done} of ${count} jobs were not done: ${JSON.stringify(row)}`);
  expect(row.doneTwice === 0 && row.historyTwice === 0, `something was done twice: ${JSON.stringify(row)}`);
  expect(row.filesStored === count, `${row.filesStored} files of ${count} jobs: ${JSON.stringify(row)}`);
  // What had ended on the worker when it was killed, but was not fetched yet, is run again: at most two are there.
  const atMost = killAfter === undefined ? count : count + 2;
  const fits = row.inHistory <= atMost && (killAfter !== undefined || row.inHistory === count);
  expect(fits, `the worker ran ${row.inHistory} prompts for ${count} jobs: ${JSON.stringify(row)}`);
  return row;
}

async function countDone({ studio }: RealBench, jobIds: string[]): Promise<number> {
  const [row] = await studio.db<{ n: number }[]>`
    select count(*)::integer as n from jobs where id = any(${jobIds}::uuid[]) and status_id = 5`;
  return row?.n ?? 0;
}

async function countOpen({ studio }: RealBench, jobIds: string[]): Promise<number> {
  const [row] = await studio.db<{ n: number }[]>`
    select count(*)::integer as n from jobs where id = any(${jobIds}::uuid[]) and status_id < 5`;
  return row?.n ?? 0;
}

async function countRow(
  { studio }: RealBench,
  jobIds: string[],
  history: readonly HistoryRow[],
): Promise<Omit<RowCounts, "seconds">> {
  const rows = await studio.db<{ runsDone: number; hashes: string[] }[]>`
    select (select count(*)::integer from job_attempts a where a.job_id = j.id and a.outcome_id = 1) as runs_done,
           array(select o -> 'file' ->> 'hash' from jsonb_array_elements(j.output -> 'outputs') o) as hashes
      from jobs j where j.id = any(${jobIds}::uuid[]) and j.status_id = 5`;
  const others = await studio.db<{ how: string; n: number }[]>`
    select coalesce(f.code, o.code) as how, count(*)::integer as n
      from job_attempts a join attempt_outcome o on o.id = a.outcome_id
      left join failure_class f on f.id = a.failure_class_id
     where a.job_id = any(${jobIds}::uuid[]) and a.outcome_id <> 1 group by 1 order by 1`;
  const prompts = new Set(await listPrompts(studio, jobIds));
  const ours = history.filter(({ promptId, isSuccess, files }) =>
    prompts.has(promptId) && isSuccess && files === 1
  );
  const inHistory = new Set(ours.map((one) => one.promptId)).size;
  const hashes = new Set(rows.flatMap((row) => row.hashes));
  let filesStored = 0;
  for (const hash of hashes) if ((await studio.store.size(hash) ?? 0) > 0) filesStored++;
  return {
    jobs: jobIds.length,
    done: rows.length,
    doneTwice: rows.filter((row) => row.runsDone > 1).length,
    otherRuns: Object.fromEntries(others.map(({ how, n }) => [how, n])),
    filesStored,
    inHistory,
    historyTwice: ours.length - inHistory,
  };
}
