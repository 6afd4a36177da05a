import { findProgram, openDenoChild } from "./children.ts";
import { runPgbench } from "./pgbench.ts";
import { openCluster } from "./database.ts";
import type { Bench } from "./bench.ts";
import { givenAssets, NAIVE_SQL } from "./assets_given.ts";
import { type Goal, measureFound } from "./method.ts";
import { loadHttp } from "./http_load.ts";

const ASSETS = 100_000;
const CONNECTIONS = 8;

/** A page of assets through the whole app, against the same rows without one. */
export const assetsBench: Bench = {
  name: "assets",
  goals: ["H3"],
  what:
    `a list of 50 out of ${ASSETS} assets through the whole app, against a bare Hono route and the bare SQL`,
  async *run({ rounds, doublings, scale }, say) {
    await using cluster = await openCluster();
    const { db, url } = await cluster.createStudio("studio");
    const projectId = await givenAssets(db, ASSETS);
    await using child = await openDenoChild(new URL("./assets_child.ts", import.meta.url), [url]);
    const { port, token } = await child.ask<{ port: number; token: string }>({ projectId });
    const milliseconds = 2_000 * scale;
    const ask = (path: string) => () =>
      loadHttp({ port, path, token, connections: CONNECTIONS, milliseconds }).then((perSecond) => ({
        perSecond,
      }));
    const own = ask(`/api/projects/${projectId}/assets?limit=50`);
    const bare = await openBareSql(url, projectId, milliseconds / 1_000);
    if (!bare) say("no pgbench on PATH: the bare SQL is left out");
    const sides = {
      ours: own,
      "bare route": ask("/naive"),
      ...(bare ? { pgbench: bare } : {}),
    };
    await own();
    yield* await measureFound(sides, goals, { rounds, doublings });
  },
};

const shared = {
  what: `pages of 50 a second, ${CONNECTIONS} connections`,
  ours: { side: "ours", figure: "perSecond" },
  as: "ratio",
  must: "at least",
} as const;
const goals: readonly Goal[] = [
  { ...shared, id: "H3a", peer: { side: "bare route", figure: "perSecond" }, bar: 2 },
  { ...shared, id: "H3b", peer: { side: "pgbench", figure: "perSecond" }, bar: 0.45 },
];

/** The same statement by PostgreSQL's own load generator; undefined where that is missing. */
async function openBareSql(url: string, projectId: string, seconds: number) {
  const pgbench = await findProgram("pgbench");
  if (!pgbench) return undefined;
  const script = `${NAIVE_SQL.replace("$1", `'${projectId}'`).replaceAll("\n", " ")};\n`;
  const time = ["--time", String(Math.max(1, Math.round(seconds)))];
  return async () => {
    return { perSecond: await runPgbench(pgbench, { url, script, clients: CONNECTIONS, options: time }) };
  };
}
