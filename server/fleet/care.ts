import { hostname } from "node:os";
import type { Actor } from "#server/core/actor.ts";
import { AppError } from "#server/core/errors.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, transact } from "#server/db/db.ts";
import { announce } from "#server/live/announce.ts";
import { listCommands, setWanted } from "./commands.ts";
import {
  type HostVitals,
  type Worker,
  workerChanged,
  type WorkerDetail,
  type WorkerImpact,
  type WorkerOrder,
  type WorkerOrderKind,
  type WorkerRules,
  type WorkerVitals,
} from "./contract.ts";
import { placeOrder } from "./orders.ts";
import * as queries from "./queries.ts";
import type { VitalsBoard } from "./vitals_board.ts";
import { listHostMinutes, listWorkerMinutes } from "./vitals_history.ts";

/** What an order, or taking the worker away, would do; of an order also whether and how it can be done. */
export async function findImpact(
  db: Db,
  worker: Worker,
  order: WorkerOrderKind | undefined,
  board: VitalsBoard | undefined,
): Promise<WorkerImpact> {
  const queue = await queries.findImpact(db, worker.id);
  const isInterrupting = order !== undefined && order !== "free" && order !== "start";
  const isEnding = isInterrupting && order !== "interrupt";
  const queued = board?.workerSeconds(worker.id).at(-1)?.queued ?? null;
  const { way, whyNot } = order ? await findWay(db, worker, order) : { way: null, whyNot: null };
  return {
    ...queue,
    isInterrupting: isInterrupting && queue.running.length > 0,
    foreign: !isEnding ? 0 : queued === null ? null : Math.max(0, queued - queue.running.length),
    way,
    whyNot,
  };
}

async function findWay(
  db: Db,
  worker: Worker,
  order: WorkerOrderKind,
): Promise<Pick<WorkerImpact, "way" | "whyNot">> {
  const no = (whyNot: string) => ({ way: null, whyNot });
  if (order === "interrupt" || order === "free") {
    return worker.status === "offline"
      ? no("It can't be reached: start it, or look whether its address is still right")
      : { way: null, whyNot: null };
  }
  if (worker.kind === "cpu_engine") return no("The studio keeps its CPU engine itself: restart the studio");
  const care = await queries.findCare(db, worker.id);
  const kinds = (await listCommands(db, worker.id)).map(({ kind }) => kind);
  if (order === "restart" && care?.manager && worker.status !== "offline") {
    return { way: "manager", whyNot: null };
  }
  if (order === "restart" && kinds.includes("restart")) return { way: "command", whyNot: null };
  if (kinds.includes("start")) return { way: "supervisor", whyNot: null };
  return no(
    order === "restart"
      ? "It has no ComfyUI-Manager, and no command is set that starts it anew: set one, or start it anew by hand"
      : "The studio does not start it: set a start command first",
  );
}

/** Puts an order on the worker's list; whoever drives it takes it at once. Throws AppError("conflict") with why not. */
export async function orderWorker(
  db: Db,
  actor: Actor,
  worker: Worker,
  order: WorkerOrderKind,
  id: string | undefined,
): Promise<WorkerOrder> {
  const { whyNot } = await findWay(db, worker, order);
  if (whyNot !== null) throw new AppError("conflict", `Cannot ${order} ${worker.name}: ${whyNot}`);
  if (order === "start" || order === "stop") await setWanted(db, worker.id, order === "start");
  return await placeOrder(db, actor, { id, workerId: worker.id, kind: order, reason: "Asked for" });
}

export async function setRules(db: Db, actor: Actor, workerId: string, rules: WorkerRules): Promise<void> {
  refuseOdd(rules);
  const before: Pick<WorkerDetail, "rules"> | undefined = await queries.findCare(db, workerId);
  await transact(db, async (tx) => {
    await queries.saveRules(tx, workerId, rules);
    const facts = { before: before?.rules, rules };
    await audit(tx, actor, "worker.change", { subject: ["worker", workerId], facts });
    await announce(tx, workerChanged, "fleet", { workerId: workerId as never });
    await queries.wakeFleet(tx);
  });
}

function refuseOdd({ pauseAtCelsius, resumeAtCelsius }: WorkerRules): void {
  const refuse = (field: string, message: string) => {
    throw new AppError("invalid", `Cannot set the guard of temperature: ${field} ${message}`, {
      fields: [{ field: `/body/${field}`, message }],
    });
  };
  if ((pauseAtCelsius === null) !== (resumeAtCelsius === null)) {
    refuse("resumeAtCelsius", "must be set together with pauseAtCelsius, or neither of them");
  }
  if (pauseAtCelsius !== null && resumeAtCelsius !== null && resumeAtCelsius >= pauseAtCelsius) {
    refuse("resumeAtCelsius", "must be below pauseAtCelsius, or jobs would stop and go on all the time");
  }
}

export async function readWorkerVitals(
  db: Db,
  workerId: string,
  board: VitalsBoard | undefined,
): Promise<{ seconds: WorkerVitals[]; minutes: WorkerVitals[] }> {
  return { seconds: board?.workerSeconds(workerId) ?? [], minutes: await listWorkerMinutes(db, workerId) };
}

export async function readHostVitals(
  db: Db,
  board: VitalsBoard | undefined,
): Promise<{ host: string; seconds: HostVitals[]; minutes: HostVitals[] }> {
  const host = hostname();
  return { host, seconds: board?.hostSeconds() ?? [], minutes: await listHostMinutes(db, host) };
}
