import { signal } from "@lit-labs/signals";
import { ApiError } from "#client/core/call.ts";
import { tell } from "#client/core/notices.ts";
import type { WorkerCommand, WorkerRules } from "#server/fleet/contract.ts";
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
  readonly args: string;
  readonly folder: string;
  readonly variables: string;
  /** The machine that the kept command is for; undefined when there is none. */
  readonly host: string | undefined;
  readonly problem: ApiError | undefined;
  /** Why the variables can't be taken. */
  readonly variablesFault: string;
}

const form = signal<CareForm | undefined>(undefined);

export function careForm(): CareForm | undefined {
  return form.get();
}

/** Fills the fields with what is kept; what is typed for this worker stays. Throws ApiError. */
export async function openCareForm(workerId: string, rules: WorkerRules): Promise<void> {
  if (form.get()?.workerId === workerId) return;
  const [command] = (await fleet.readCommands(workerId)).filter(({ kind }) => kind === "start");
  form.set({
    workerId,
    ...rulesTexts(rules),
    ...commandTexts(command),
    problem: undefined,
    variablesFault: "",
  });
}

export function closeCareForm(): void {
  form.set(undefined);
}

function rulesTexts({ watchUpTo, pauseAtCelsius, resumeAtCelsius, minFreeVramBytes }: WorkerRules) {
  return {
    watchUpTo: watchUpTo ?? "",
    pauseAt: pauseAtCelsius?.toString() ?? "",
    resumeAt: resumeAtCelsius?.toString() ?? "",
    minFreeGb: minFreeVramBytes === null ? "" : String(minFreeVramBytes / GB),
  };
}

function commandTexts(command: WorkerCommand | undefined) {
  return {
    args: command?.args.join("\n") ?? "",
    folder: command?.folder ?? "",
    variables: Object.entries(command?.environment ?? {}).map(([name, value]) => `${name}=${value}`).join(
      "\n",
    ),
    host: command?.host,
  };
}

export function typeCare(change: Partial<CareForm>): void {
  const now = form.get();
  if (now) form.set({ ...now, ...change });
}

/** Saves the rules; a refusal stands in the form. */
export async function saveCareRules(): Promise<void> {
  const now = form.get();
  if (!now) return;
  const number = (text: string) => text.trim() === "" ? null : Number(text);
  const minFreeGb = number(now.minFreeGb);
  const saved = await attempt(now, () =>
    fleet.setRules(now.workerId, {
      // What the select offers is what the studio takes.
      watchUpTo: (now.watchUpTo || null) as WorkerRules["watchUpTo"],
      pauseAtCelsius: number(now.pauseAt),
      resumeAtCelsius: number(now.resumeAt),
      minFreeVramBytes: minFreeGb === null ? null : Math.round(minFreeGb * GB),
    }));
  if (saved) tell({ kind: "done", text: cw("rulesSaved", { name: nameOf(now) }) });
}

/** Saves the start command and has the worker started; a refusal stands in the form. */
export async function saveCareCommand(): Promise<void> {
  const now = form.get();
  if (!now) return;
  const lines = now.variables.split("\n").filter((line) => line.trim() !== "");
  const bad = lines.find((line) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(line.trim()));
  if (bad !== undefined) return typeCare({ variablesFault: cw("badVariable", { line: bad.trim() }) });
  const environment = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at).trim(), line.slice(at + 1)];
  }));
  const args = now.args.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const folder = now.folder.trim() || null;
  const saved = await attempt(now, () => fleet.setStartCommand(now.workerId, { args, folder, environment }));
  if (!saved) return;
  const [command] = await fleet.readCommands(now.workerId);
  typeCare({ host: command?.host, variablesFault: "" });
  tell({ kind: "done", text: cw("commandSaved", { name: nameOf(now) }) });
}

/** Has the studio forget the command, which stops the worker. Throws ApiError. */
export async function removeCareCommand(): Promise<void> {
  const now = form.get();
  if (!now) return;
  await fleet.removeStartCommand(now.workerId);
  typeCare(commandTexts(undefined));
  tell({ kind: "done", text: cw("commandRemoved", { name: nameOf(now) }) });
}

async function attempt(now: CareForm, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    typeCare({ problem: undefined });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (form.get()?.workerId === now.workerId) typeCare({ problem: error });
    return false;
  }
}

function nameOf({ workerId }: CareForm): string {
  return fleet.find(workerId)?.name ?? "";
}
