import postgres from "postgres";
import { connect, type Db } from "#server/db/db.ts";

/** The plans of the last claim that `work` makes, as PostgreSQL ran it: times, rows and blocks. */
export async function explainStatements(url: string, work: (db: Db) => Promise<void>): Promise<string[]> {
  const plans: string[] = [];
  const plain = connect({ url, max: 1, isPlannedOnce: true });
  const settings = {
    ...plain.options,
    onnotice: ({ message }: postgres.Notice) => plans.push(message ?? ""),
  };
  await plain.end();
  // postgres.js takes its own parsed options again, which it types otherwise.
  const db = postgres(
    settings as unknown as postgres.Options<Record<string, postgres.PostgresType>>,
  ) as unknown as Db;
  try {
    await db`load 'auto_explain'`;
    await db`
      select set_config('auto_explain.log_analyze', 'on', false), set_config('auto_explain.log_buffers', 'on', false),
             set_config('auto_explain.log_min_duration', '0', false), set_config('client_min_messages', 'log', false)`;
    await work(db);
  } finally {
    await db.end({ timeout: 1 });
  }
  const claim = plans.findLast((plan) => plan.includes("for update of j skip locked"));
  if (!claim) throw new Error("Cannot show the plan: PostgreSQL told of no claim");
  // The statement itself is in the source.
  return claim.slice(claim.search(/\n\S+.*cost=/)).split("\n").filter((line) => line.trim() !== "");
}
