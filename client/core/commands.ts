import { computed, signal } from "@lit-labs/signals";
import type { Permission } from "#server/core/permissions.ts";
import { session } from "#client/auth/session_store.ts";
import type { IconName } from "#client/ui/icons.ts";
import { tellError } from "./notices.ts";

/**
 * Something that one can do. Buttons, menus, the palette, the sheet of keys and tests read this one list. `target` is
 * what a button stands beside; from a key or the palette there is none, and the command takes what is open or
 * selected (client/core/place.ts) or says in `whyNot` that nothing is.
 */
export interface Command {
  /** "clips.generate": the slice and the verb. */
  readonly id: string;
  label(target?: unknown): string;
  /** The heading under which palette and key sheet list it: the slice's name in the reader's language. */
  group(): string;
  readonly icon?: IconName;
  /** Default keys: "mod+k" (Cmd on a Mac, Ctrl elsewhere), "shift+?", "p", "arrowleft". Each is one way to it. */
  readonly keys?: readonly string[];
  /** `null`: everyone who is signed in may. The studio checks again. */
  readonly permission: Permission | null;
  /** Panel kinds in which its keys act; without it they act everywhere. */
  readonly scope?: string | readonly string[];
  /** Its keys act again while they are held, as the arrows do. */
  readonly repeats?: boolean;
  /** Other words by which the palette finds it. */
  keywords?(): string;
  /** False: it can't be done now. Buttons are off and `whyNot` says why. */
  when?(target?: unknown): boolean;
  whyNot?(target?: unknown): string;
  /** For what is either on or off: says which. */
  isOn?(target?: unknown): boolean;
  /** Changes how the studio is for oneself: the palette lists it among the settings. */
  readonly isSetting?: boolean;
  /** Destroys or stops something: shown in ember. */
  readonly isDanger?: boolean;
  /** Nothing takes it back: buttons and palette say so before it is done. */
  readonly isForGood?: boolean;
  run(target?: unknown): void | Promise<void>;
}

const known = signal<readonly Command[]>([]);
const byId = computed(() => new Map(known.get().map((command) => [command.id, command])));

/** All commands, in the order of their registration. */
export function commands(): readonly Command[] {
  return known.get();
}

/** Adds commands until the returned function is called. Throws when an id is taken: two things of one name. */
export function registerCommands(list: readonly Command[]): () => void {
  const ids = new Set(known.get().map(({ id }) => id));
  for (const { id } of list) {
    if (ids.has(id)) throw new Error(`Cannot register the command ${id}: there is one of that id already`);
    ids.add(id);
  }
  known.set([...known.get(), ...list]);
  return () => known.set(known.get().filter((command) => !list.includes(command)));
}

export function findCommand(id: string): Command | undefined {
  return byId.get().get(id);
}

/** Whether one's role allows it; what is not allowed is not shown. */
export function isAllowed({ permission }: Pick<Command, "permission">): boolean {
  return permission === null ? Boolean(session.me) : session.may(permission);
}

/** Whether it can be done now, to `target` or to what is open. */
export function isPossible(command: Command, target?: unknown): boolean {
  return isAllowed(command) && (command.when?.(target) ?? true);
}

/** Runs a command when one may and it can be done; what it throws is told as a toast. Says whether it ran well. */
export async function runCommand(id: string, target?: unknown): Promise<boolean> {
  const command = findCommand(id);
  if (!command || !isPossible(command, target)) return false;
  try {
    await command.run(target);
    return true;
  } catch (error) {
    tellError(error);
    return false;
  }
}
