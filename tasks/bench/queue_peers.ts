import { type Child, findProgram, LOAD_CORE, openChild } from "./children.ts";

export const GRAPHILE = "graphile-worker";
export const BOSS = "pg-boss";
const BOSS_PACKAGE = "pg-boss@12.38.0";

/** graphile-worker, driven by requests (see queue_peer.js). */
export async function openGraphile(url: string, say: (line: string) => void): Promise<Child> {
  const node = await findProgram("node");
  if (node) return await openChild(node, [path("queue_peer.js"), url]);
  say("no node on PATH: graphile-worker runs on this runtime, which its authors don't do");
  return await openChild(Deno.execPath(), ["run", "-A", "--no-prompt", path("queue_peer.js"), url]);
}

/** pg-boss, driven by requests (see queue_boss.js): one process that works, and one on the load's core that sends. */
export interface Boss extends AsyncDisposable {
  readonly worker: Child;
  readonly sender: Child;
}

/** Undefined where node or npm is missing, by which it comes: into a folder that goes with it, as nobody else needs it. */
export async function openBoss(url: string): Promise<Boss | undefined> {
  const node = await findProgram("node");
  const npm = await findProgram("npm");
  if (!node || !npm) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "seedloop_bench_" });
  await install(npm, folder);
  const args = [path("queue_boss.js"), url, `${folder}/node_modules/pg-boss/dist/index.js`];
  const worker = await openChild(node, args);
  // The first has made the tables once it answers.
  await worker.ask({ t: "empty" });
  const sender = await openChild(node, args, LOAD_CORE);
  return {
    worker,
    sender,
    async [Symbol.asyncDispose]() {
      await sender[Symbol.asyncDispose]();
      await worker[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function install(npm: string, folder: string): Promise<void> {
  const args = ["install", "--no-audit", "--no-fund", "--prefix", folder, BOSS_PACKAGE];
  const { success, stderr } = await new Deno.Command(npm, { args }).output();
  if (!success) {
    throw new Error(`Cannot fetch ${BOSS_PACKAGE}: ${new TextDecoder().decode(stderr).slice(-500)}`);
  }
}

function path(name: string): string {
  return new URL(`./${name}`, import.meta.url).pathname;
}
