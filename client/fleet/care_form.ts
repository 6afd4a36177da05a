import { signal } from "@lit-labs/signals";
import { ApiError } from "#client/core/call.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { tell } from "#client/core/notices.ts";
import type { WorkerCommand, WorkerCommandKind, WorkerRules } from "#server/fleet/contract.ts";
import { cw } from "./care_words.ts";
import { fleet } from "./fleet_store.ts";

const GB = 1e9;

/** What one types about a worker's care; texts as they stand in the fields. */
export interface CareForm {
  readonly workerId: string;
  readonly watchUpTo: string;
  readonly pauseAt: string;
  readonly resumeAt: string;
  readonly minFreeGb: string;
  readonly problem: ApiError | undefined;
  /** How the studio starts it and keeps it running. */
  readonly start: CommandForm;
  /** How it is started anew when the studio did not start it. */
  readonly restart: CommandForm;
}

export interface CommandForm {
  readonly args: string;
  readonly folder: string;
  readonly variables: string;
  /** The machine that the kept command is for; undefined when there is none. */
  readonly host: string | undefined;
  readonly problem: ApiError | undefined;
  /** Why the variables can't be taken. */
  readonly variablesFault: string;
}

type RuleTexts = Pick<CareForm, "watchUpTo" | "pauseAt" | "resumeAt" | "minFreeGb">;
type CommandTexts = Pick<CommandForm, "args" | "folder" | "variables">;

/** What was typed and is not saved: it is put over what the studio has when the form opens again. */
interface TypedCare {
  readonly workerId: string;
  readonly rules: Partial<RuleTexts>;
  readonly start: Partial<CommandTexts>;
  readonly restart: Partial<CommandTexts>;
}

const form = signal<CareForm | undefined>(undefined);
const typed = keptSignal<TypedCare | undefined>("workers_care", undefined);

export function careForm(): CareForm | undefined {
  return form.get();
}

/** Fills the fields with what is kept; what is typed for this worker stays. Throws ApiError. */
export async function openCareForm(workerId: string, rules: WorkerRules): Promise<void> {
  if (form.get()?.workerId === workerId) return;
  const commands = await fleet.readCommands(workerId);
  const over = typedFor(workerId);
  form.set({
    workerId,
    ...rulesTexts(rules),
    ...over.rules,
    problem: undefined,
    start: { ...commandTexts(commands.find(({ kind }) => kind === "start")), ...over.start },
    restart: { ...commandTexts(commands.find(({ kind }) => kind === "restart")), ...over.restart },
  });
}

function typedFor(workerId: string): TypedCare {
  const kept = typed.get();
  return kept?.workerId === workerId ? kept : { workerId, rules: {}, start: {}, restart: {} };
}

/** What was typed there is saved. */
function forgetTyped(workerId: string, part: "rules" | WorkerCommandKind): void {
  if (typed.get()?.workerId === workerId) typed.set({ ...typedFor(workerId), [part]: {} });
}

function rulesTexts(
  { watchUpTo, pauseAtCelsius, resumeAtCelsius, minFreeVramBytes }: WorkerRules,
): RuleTexts {
  return {
    watchUpTo: watchUpTo ?? "",
    pauseAt: pauseAtCelsius?.toString() ?? "",
    resumeAt: resumeAtCelsius?.toString() ?? "",
    minFreeGb: minFreeVramBytes === null ? "" : String(minFreeVramBytes / GB),
  };
}

function commandTexts(command: WorkerCommand | undefined): CommandForm {
  return {
    args: command?.args.join("\n") ?? "",
    folder: command?.folder ?? "",
    variables: Object.entries(command?.environment ?? {}).map(([name, value]) => `${name}=${value}`).join(
      "\n",
    ),
    host: command?.host,
    problem: undefined,
    variablesFault: "",
  };
}

export function typeCare(change: Partial<RuleTexts>): void {
  const now = form.get();
  if (!now) return;
  const kept = typedFor(now.workerId);
  typed.set({ ...kept, rules: { ...kept.rules, ...change } });
  showRules(change);
}

export function typeCommand(kind: WorkerCommandKind, change: Partial<CommandTexts>): void {
  const now = form.get();
  if (!now) return;
  const kept = typedFor(now.workerId);
  typed.set({ ...kept, [kind]: { ...kept[kind], ...change } });
  showCommand(kind, change);
}

function showRules(change: Partial<CareForm>): void {
  const now = form.get();
  if (now) form.set({ ...now, ...change });
}

function showCommand(kind: WorkerCommandKind, change: Partial<CommandForm>): void {
  const now = form.get();
  if (now) form.set({ ...now, [kind]: { ...now[kind], ...change } });
}

/** Saves the rules; a refusal stands in the form. */
export async function saveCareRules(): Promise<void> {
  const now = form.get();
  if (!now) return;
  const number = (text: string) => text.trim() === "" ? null : Number(text);
  const minFreeGb = number(now.minFreeGb);
  const saved = await attempt(now, (problem) => showRules({ problem }), () =>
    fleet.setRules(now.workerId, {
      // What the select offers is what the studio takes.
      watchUpTo: (now.watchUpTo || null) as WorkerRules["watchUpTo"],
      pauseAtCelsius: number(now.pauseAt),
      resumeAtCelsius: number(now.resumeAt),
      minFreeVramBytes: minFreeGb === null ? null : Math.round(minFreeGb * GB),
    }));
  if (!saved) return;
  forgetTyped(now.workerId, "rules");
  tell({ kind: "done", text: cw("rulesSaved", { name: nameOf(now) }) });
}

/** Saves the command; the start command also has the worker started. A refusal stands in the form. */
export async function saveCareCommand(kind: WorkerCommandKind): Promise<void> {
  const now = form.get();
  if (!now) return;
  const texts = now[kind];
  const lines = texts.variables.split("\n").filter((line) => line.trim() !== "");
  const bad = lines.find((line) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(line.trim()));
  if (bad !== undefined) {
    return showCommand(kind, { variablesFault: cw("badVariable", { line: bad.trim() }) });
  }
  const environment = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at).trim(), line.slice(at + 1)];
  }));
  const args = texts.args.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const folder = texts.folder.trim() || null;
  const saved = await attempt(
    now,
    (problem) => showCommand(kind, { problem }),
    () => fleet.setCommand(now.workerId, kind, { args, folder, environment }),
  );
  if (!saved) return;
  forgetTyped(now.workerId, kind);
  const kept = (await fleet.readCommands(now.workerId)).find((one) => one.kind === kind);
  if (form.get()?.workerId === now.workerId) showCommand(kind, { host: kept?.host, variablesFault: "" });
  tell({ kind: "done", text: cw(TOLD[kind].saved, { name: nameOf(now) }) });
}

const TOLD = {
  start: { saved: "commandSaved", removed: "commandRemoved" },
  restart: { saved: "restartSaved", removed: "restartRemoved" },
} as const;

/** Has the studio forget the command; without its start command the worker is stopped. Throws ApiError. */
export async function removeCareCommand(kind: WorkerCommandKind): Promise<void> {
  const now = form.get();
  if (!now) return;
  await fleet.removeCommand(now.workerId, kind);
  forgetTyped(now.workerId, kind);
  if (form.get()?.workerId === now.workerId) showCommand(kind, commandTexts(undefined));
  tell({ kind: "done", text: cw(TOLD[kind].removed, { name: nameOf(now) }) });
}

async function attempt(
  now: CareForm,
  show: (problem: ApiError | undefined) => void,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const showHere = (problem: ApiError | undefined) => {
    if (form.get()?.workerId === now.workerId) show(problem);
  };
  try {
    await work();
    showHere(undefined);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showHere(error);
    return false;
  }
}

function nameOf({ workerId }: CareForm): string {
  return fleet.find(workerId)?.name ?? "";
}
