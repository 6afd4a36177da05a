import { hostname } from "node:os";
import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import type { Worker, WorkerCommand, WorkerCommandInput, WorkerCommandKind } from "./contract.ts";
import { wakeFleet } from "./queries.ts";

interface Row extends Omit<WorkerCommand, "environment"> {
  readonly environment: readonly string[];
}

/** How a worker is started, and started anew, with all that its process is given. */
export async function listCommands(db: Queryable, workerId: string): Promise<WorkerCommand[]> {
  const rows = await db<Row[]>`
    select k.code as kind, c.host, c.args, c.folder, c.environment, c.is_wanted
      from worker_commands c join worker_command_kind k on k.id = c.kind_id
     where c.worker_id = ${workerId} order by k.id`;
  return rows.map((row) => ({ ...row, environment: Object.fromEntries(row.environment.map(split)) }));
}

function split(variable: string): [string, string] {
  const at = variable.indexOf("=");
  return [variable.slice(0, at), variable.slice(at + 1)];
}

/** Saves a command for this machine. What the variables hold is not audited: it may be secret. */
export async function saveCommand(
  db: Db,
  actor: Actor,
  worker: Worker,
  kind: WorkerCommandKind,
  input: WorkerCommandInput,
): Promise<WorkerCommand> {
  refuseOdd(worker, input);
  const environment = Object.entries(input.environment).map(([name, value]) => `${name}=${value}`);
  await transact(db, async (tx) => {
    await tx`
      insert into worker_commands (worker_id, kind_id, host, args, folder, environment)
      select ${worker.id}, k.id, ${hostname()}, ${input.args}::text[], ${input.folder}, ${environment}::text[]
        from worker_command_kind k where k.code = ${kind}
      on conflict (worker_id, kind_id) do update
         set host = excluded.host, args = excluded.args, folder = excluded.folder,
             environment = excluded.environment, is_wanted = true, changed_at = now()`;
    const facts = {
      command: kind,
      args: input.args,
      folder: input.folder,
      variables: Object.keys(input.environment),
    };
    await audit(tx, actor, "worker.change", { subject: ["worker", worker.id], facts });
    await wakeFleet(tx);
  });
  const saved = (await listCommands(db, worker.id)).find((one) => one.kind === kind);
  if (!saved) throw notFound("command");
  return saved;
}

function refuseOdd(worker: Worker, input: WorkerCommandInput): void {
  if (worker.kind === "cpu_engine") {
    throw new AppError("conflict", "Cannot give the CPU engine a command: the studio keeps it itself");
  }
  if ((input.args[0] ?? "").trim() === "") {
    const message = "must name a program, such as /opt/ComfyUI/venv/bin/python";
    throw new AppError("invalid", `Cannot take the command: its first argument ${message}`, {
      fields: [{ field: "/body/args/0", message }],
    });
  }
  if (Object.keys(input.environment).length > 100) {
    const message = "must hold at most 100 variables";
    throw new AppError("invalid", `Cannot take the command: its environment ${message}`, {
      fields: [{ field: "/body/environment", message }],
    });
  }
}

export async function removeCommand(
  db: Db,
  actor: Actor,
  workerId: string,
  kind: WorkerCommandKind,
): Promise<void> {
  await transact(db, async (tx) => {
    const rows = await tx`
      delete from worker_commands
       where worker_id = ${workerId} and kind_id = (select id from worker_command_kind where code = ${kind})
      returning 1`;
    if (rows.length === 0) throw notFound("command");
    const facts = { command: kind, removed: true };
    await audit(tx, actor, "worker.change", { subject: ["worker", workerId], facts });
    await wakeFleet(tx);
  });
}

/** Whether the studio is to keep the worker running from now on; false when it does not start it. */
export async function setWanted(db: Queryable, workerId: string, isWanted: boolean): Promise<boolean> {
  const rows = await db`
    update worker_commands set is_wanted = ${isWanted}
     where worker_id = ${workerId} and kind_id = (select id from worker_command_kind where code = 'start')
    returning 1`;
  return rows.length > 0;
}
