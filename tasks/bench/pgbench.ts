import { LOAD_CORE, pinnedCommand } from "./children.ts";

export interface PgbenchRun {
  readonly url: string;
  /** Statements and meta-commands of one transaction. */
  readonly script: string;
  readonly clients: number;
  /** How long or how often: `["--time", "2"]`, `["--transactions", "100"]`. */
  readonly options: readonly string[];
}

/** Transactions a second by PostgreSQL's own load generator, connecting not counted. */
export async function runPgbench(
  pgbench: string,
  { url, script, clients, options }: PgbenchRun,
): Promise<number> {
  const file = await Deno.makeTempFile({ prefix: "seedloop_bench_", suffix: ".sql" });
  await Deno.writeTextFile(file, script);
  const args = [
    ...["--no-vacuum", "--protocol", "prepared", "--client", String(clients), "--file", file],
    ...[...options, url],
  ];
  const command = await pinnedCommand(LOAD_CORE, pgbench, args, { stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  await Deno.remove(file);
  const [, perSecond] = /tps = ([\d.]+)/.exec(new TextDecoder().decode(stdout)) ?? [];
  if (!success || perSecond === undefined) {
    throw new Error(`pgbench failed: ${new TextDecoder().decode(stderr)}`);
  }
  return Number(perSecond);
}
