import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { entity, go, select, selection } from "#client/core/place.ts";
import type { Worker } from "#server/fleet/contract.ts";
import { noteRegistered, noteStatus } from "./changes.ts";
import { fleet } from "./fleet_store.ts";
import { orderCommands } from "./order_commands.ts";
import { askToRemove, keepWorker, removalAsked } from "./removal.ts";
import { w } from "./words.ts";
import { addForm, closeWorkerForm, openWorkerForm, testForm, workerForm } from "./worker_form.ts";

const group = () => w("workers");

function workerOf(target: unknown): Worker | undefined {
  const id = typeof target === "string" ? target : selection("worker")?.ids.at(-1) ?? entity("worker")?.id;
  return id === undefined ? undefined : fleet.find(id);
}

type Change = "enable" | "drain" | "disable";
const DONE = { enable: "enabledNow", drain: "drainedNow", disable: "disabledNow" } as const;

/** Draining, disabling and using it again, each with its inverse as undo. */
function statusCommand(
  change: Change,
  facts: Pick<Command, "icon"> & { fits(worker: Worker): boolean; why: "isOn" | "isDraining" | "isDisabled" },
): Command {
  return {
    id: `workers.${change}`,
    label: () => w(change),
    group,
    ...(facts.icon ? { icon: facts.icon } : {}),
    permission: "worker.admin",
    when: (target) => {
      const worker = workerOf(target);
      return worker !== undefined && facts.fits(worker);
    },
    whyNot: (target) => w(workerOf(target) ? facts.why : "noneSelected"),
    run: async (target) => {
      const worker = workerOf(target);
      if (!worker) return;
      const before = change === "enable" ? (worker.status === "draining" ? "drain" : "disable") : "enable";
      const text = w(DONE[change], { name: worker.name });
      const undo = noteStatus(text, { workerId: worker.id, before, after: change });
      await undo.settle(fleet.setStatus(worker.id, change));
      tell({ kind: "done", text, undo });
    },
  };
}

/** Everything that an admin does with workers. */
export const workerCommands: readonly Command[] = [
  {
    id: "workers.add",
    label: () => w("addWorker"),
    group,
    icon: "plus",
    permission: "worker.admin",
    run: () => {
      go({ screen: "workers" });
      openWorkerForm();
    },
  },
  {
    id: "workers.test",
    label: () => w(workerForm()?.isTesting ? "testing" : workerForm()?.probe ? "testAgain" : "test"),
    group,
    icon: "plug",
    permission: "worker.admin",
    when: () => (workerForm()?.url ?? "").trim() !== "" && !workerForm()?.isTesting,
    whyNot: () => w("addressHint"),
    run: testForm,
  },
  {
    id: "workers.register",
    label: () => w(workerForm()?.probe?.isReachable === false ? "addAnyway" : "add"),
    group,
    icon: "check",
    permission: "worker.admin",
    when: () => workerForm()?.probe !== undefined && workerForm()?.name.trim() !== "",
    whyNot: () => w(workerForm()?.probe ? "nameFirst" : "testFirst"),
    run: addForm,
  },
  {
    id: "workers.close_form",
    label: () => w("close"),
    group,
    icon: "close",
    permission: "worker.admin",
    when: () => workerForm() !== undefined,
    run: closeWorkerForm,
  },
  statusCommand("enable", {
    icon: "play",
    fits: ({ status }) => status === "draining" || status === "disabled",
    why: "isOn",
  }),
  statusCommand("drain", {
    icon: "hourglass",
    fits: ({ status }) => status !== "draining" && status !== "disabled",
    why: "isDraining",
  }),
  statusCommand("disable", { icon: "power", fits: ({ status }) => status !== "disabled", why: "isDisabled" }),
  {
    id: "workers.remove",
    label: () => w("remove"),
    group,
    icon: "trash",
    permission: "worker.admin",
    isDanger: true,
    when: (target) => workerOf(target)?.kind === "comfyui",
    whyNot: (target) => w(workerOf(target) ? "isCpu" : "noneSelected"),
    run: async (target) => {
      const worker = workerOf(target);
      if (!worker) return;
      select("worker", [worker.id]);
      await askToRemove(worker.id);
    },
  },
  {
    id: "workers.remove_now",
    label: () => w("removeSure", { name: fleet.find(removalAsked()?.workerId ?? "")?.name ?? "" }),
    group,
    icon: "trash",
    permission: "worker.admin",
    isDanger: true,
    when: () => removalAsked()?.impact?.running.length === 0,
    whyNot: () => w(removalAsked() ? "impactRunningMend" : "noneSelected"),
    run: async () => {
      const worker = fleet.find(removalAsked()?.workerId ?? "");
      if (!worker) return;
      await fleet.remove(worker.id);
      keepWorker();
      const { name, url, maxParallel } = worker;
      const text = w("removedNow", { name });
      const undo = noteRegistered(text, { worker: { name, url, maxParallel }, isThere: false });
      tell({ kind: "done", text, undo });
    },
  },
  {
    id: "workers.keep",
    label: () => w("keep"),
    group,
    permission: "worker.admin",
    when: () => removalAsked() !== undefined,
    run: keepWorker,
  },
  {
    id: "workers.read_again",
    label: () => w("tryAgain"),
    group,
    icon: "refresh",
    permission: "worker.read",
    run: () => fleet.read(),
  },
  ...orderCommands,
];
