import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { entity, select, selection } from "#client/core/place.ts";
import type { Worker, WorkerCommandKind, WorkerOrderKind } from "#server/fleet/contract.ts";
import { careForm, removeCareCommand, saveCareCommand, saveCareRules } from "./care_form.ts";
import { cw } from "./care_words.ts";
import { fleet } from "./fleet_store.ts";
import { askedOrder, askForOrder, dropOrder } from "./order_asked.ts";
import { w } from "./words.ts";

const group = () => w("workers");

function workerOf(target: unknown): Worker | undefined {
  const id = typeof target === "string" ? target : selection("worker")?.ids.at(-1) ?? entity("worker")?.id;
  return id === undefined ? undefined : fleet.find(id);
}

/** Asks what it would affect; only a second press does it. */
function orderCommand(order: WorkerOrderKind): Command {
  return {
    id: `workers.${order}`,
    label: () => cw(order),
    group,
    permission: "worker.admin",
    when: (target) => workerOf(target) !== undefined,
    whyNot: () => cw("noWorker"),
    run: async (target) => {
      const worker = workerOf(target);
      if (!worker) return;
      select("worker", [worker.id]);
      await askForOrder(worker.id, order);
    },
  };
}

/** To keep one of a worker's commands, and to forget it. */
function careCommands(
  kind: WorkerCommandKind,
  { save, forget }: {
    save: { id: string; label: "saveCommand" | "saveRestart"; icon: NonNullable<Command["icon"]> };
    forget: { id: string; label: "removeCommand" | "removeRestart" };
  },
): readonly Command[] {
  return [
    {
      id: save.id,
      label: () => cw(save.label),
      group,
      icon: save.icon,
      permission: "worker.admin",
      when: () => (careForm()?.[kind].args ?? "").trim() !== "",
      whyNot: () => cw(careForm() ? "argumentsFirst" : "noWorker"),
      run: () => saveCareCommand(kind),
    },
    {
      id: forget.id,
      isForGood: true,
      label: () => cw(forget.label),
      group,
      permission: "worker.admin",
      when: () => careForm()?.[kind].host !== undefined,
      whyNot: () => cw("nothingSet"),
      run: () => removeCareCommand(kind),
    },
  ];
}

/** The rungs of the ladder, start and stop, each with what it would affect before it is done. */
export const orderCommands: readonly Command[] = [
  ...(["interrupt", "free", "restart", "kill", "start", "stop"] as const).map(orderCommand),
  {
    id: "workers.order_now",
    label: () => {
      const order = askedOrder()?.order;
      return order === undefined ? cw("actNow") : cw(`${order}Sure`);
    },
    group,
    permission: "worker.admin",
    isDanger: true,
    // What stops can be started, but the work that ran is lost by the others.
    get isForGood() {
      const order = askedOrder()?.order;
      return order === "interrupt" || order === "restart" || order === "kill";
    },
    when: () => askedOrder()?.impact?.whyNot === null,
    whyNot: () => askedOrder()?.impact?.whyNot ?? cw("noWorker"),
    run: async () => {
      const asked = askedOrder();
      if (!asked) return;
      await fleet.order(asked.workerId, asked.order);
      dropOrder();
      tell({ kind: "done", text: cw("asked", { order: cw(asked.order) }) });
    },
  },
  {
    id: "workers.leave_it",
    label: () => cw("cancel"),
    group,
    permission: "worker.admin",
    when: () => askedOrder() !== undefined,
    run: dropOrder,
  },
  {
    id: "workers.save_rules",
    label: () => cw("saveRules"),
    group,
    icon: "check",
    permission: "worker.admin",
    when: () => careForm() !== undefined,
    whyNot: () => cw("noWorker"),
    run: saveCareRules,
  },
  ...careCommands("start", {
    save: { id: "workers.save_command", label: "saveCommand", icon: "play" },
    forget: { id: "workers.forget_command", label: "removeCommand" },
  }),
  ...careCommands("restart", {
    save: { id: "workers.save_restart_command", label: "saveRestart", icon: "check" },
    forget: { id: "workers.forget_restart_command", label: "removeRestart" },
  }),
];
