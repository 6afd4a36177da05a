import { signal } from "@lit-labs/signals";
import { type Command, commands, isAllowed, runCommand } from "#client/core/commands.ts";
import type { IconName } from "#client/ui/icons.ts";
import { FuzzyIndex } from "./fuzzy.ts";
import { keysOf } from "./keymap.ts";
import { w } from "./words.ts";

/** A line of the palette. */
export interface Entry {
  /** Unique among all sources: recency is kept by it. */
  readonly id: string;
  readonly name: string;
  /** Quiet, behind the name: where it is, what kind. */
  readonly hint?: string | undefined;
  readonly icon?: IconName | undefined;
  readonly keys?: string | undefined;
  /** Which letters of the name were meant. */
  readonly ranges?: readonly (readonly [number, number])[];
  /** Higher is better, 1 is the very name. */
  readonly score: number;
  /** Why it can't be chosen now. */
  readonly whyNot?: string | undefined;
  run(): void | Promise<void>;
}

/** Something in which the palette searches. */
export interface PaletteSource {
  readonly id: string;
  /** The heading over its lines. */
  label(): string;
  /** One sign that asks for this source alone: ">" for commands. */
  readonly prefix?: string;
  /** Its best lines; an answer that comes late for a query that is no more is not shown. */
  find(query: string, limit: number, stop: AbortSignal): readonly Entry[] | Promise<readonly Entry[]>;
}

const sources = signal<readonly PaletteSource[]>([]);

export function paletteSources(): readonly PaletteSource[] {
  return sources.get();
}

/** Lets the palette search in `source` until the returned function is called. */
export function registerSource(source: PaletteSource): () => void {
  sources.set([...sources.get(), source]);
  return () => sources.set(sources.get().filter((one) => one !== source));
}

const RECENT = "seedloop.recent";
const MOST_RECENT = 50;

/** Ids of what was chosen last, the newest first. */
export function recentIds(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

export function noteRecent(id: string): void {
  const next = [id, ...recentIds().filter((one) => one !== id)].slice(0, MOST_RECENT);
  localStorage.setItem(RECENT, JSON.stringify(next));
}

/** What recency adds to a score: most for the last one, little for one of long ago. */
export function recencyBoost(): (id: string) => number {
  const ranks = new Map(recentIds().map((id, rank) => [id, 0.25 / (1 + rank / 4)]));
  return (id) => ranks.get(id) ?? 0;
}

/** All that one can do but open the palette, what can't be done now at the end, with the reason. */
export const commandSource: PaletteSource = {
  id: "commands",
  label: () => w("command"),
  prefix: ">",
  find: (query, limit) =>
    findCommands(commands().filter(({ id, isSetting }) => !isSetting && id !== "app.palette"), query, limit),
};

/** How the studio is for oneself: themes, language, keys, layout. */
export const settingSource: PaletteSource = {
  id: "settings",
  label: () => w("settings"),
  prefix: "/",
  find: (query, limit) => findCommands(commands().filter(({ isSetting }) => isSetting), query, limit),
};

function findCommands(list: readonly Command[], query: string, limit: number): readonly Entry[] {
  const boost = recencyBoost();
  const all = list.flatMap((command) => {
    const isMine = isAllowed(command);
    const isPossible = isMine && (command.when?.() ?? true);
    const whyNot = !isMine ? w("mayNot") : isPossible ? undefined : command.whyNot?.() ?? "";
    // Steps of what is not open now ("Close") have nothing to say here.
    if (whyNot === "") return [];
    return [{
      id: command.id,
      name: command.label(),
      keywords: `${command.group()} ${command.keywords?.() ?? ""} ${command.id}`,
      command,
      whyNot,
    }];
  });
  const rank = (id: string, whyNot: string | undefined) => boost(id) - (whyNot === undefined ? 0 : 0.3);
  const found = query === ""
    ? all.map((item) => ({ item, score: rank(item.id, item.whyNot), ranges: [] }))
      .toSorted((one, other) => other.score - one.score).slice(0, limit)
    : new FuzzyIndex(all).find(query, limit, ({ id, whyNot }) => rank(id, whyNot));
  return found.map(({ item: { command, name, whyNot }, score, ranges }): Entry => ({
    id: command.id,
    name,
    hint: [command.group(), hintOf(command)].filter(Boolean).join(" · "),
    icon: command.icon,
    keys: keysOf(command)[0],
    ranges,
    score,
    whyNot,
    run: async () => void await runCommand(command.id),
  }));
}

function hintOf(command: Command): string {
  if (command.isForGood) return w("isForGood");
  return command.isSetting && command.isOn?.() ? w("isOn") : "";
}
