import { signal } from "@lit-labs/signals";
import { keyNames } from "#client/ui/kbd.ts";
import { type Command, commands, isPossible, runCommand } from "#client/core/commands.ts";

/** A stroke as commands write it: "mod+shift+k", "p", "space". */
export type Stroke = string;

/** Two commands that one stroke would mean in the same panel. */
export interface Clash {
  readonly stroke: Stroke;
  readonly commands: readonly [Command, Command];
}

const BOUND = "seedloop.keys";
const SINGLE = "seedloop.single_keys";
const rebound = signal<Readonly<Record<string, readonly Stroke[]>>>(readBound());
const hasSingleKeys = signal(globalThis.localStorage?.getItem(SINGLE) !== "off");

export const IS_MAC: boolean = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** The strokes that run a command: those that one chose, else its own. Empty where one took them away. */
export function keysOf(command: Pick<Command, "id" | "keys">): readonly Stroke[] {
  const strokes = rebound.get()[command.id] ?? command.keys ?? [];
  // Only a Mac tells the two apart.
  return IS_MAC ? strokes : strokes.map((stroke) => stroke.replace(/^ctrl\+/, "mod+"));
}

/** Everything that was rebound, by command id: what the workspace keeps. */
export function boundKeys(): Readonly<Record<string, readonly Stroke[]>> {
  return rebound.get();
}

/** Gives a command other strokes; undefined gives it back its own. */
export function bindKeys(commandId: string, strokes: readonly Stroke[] | undefined): void {
  const { [commandId]: _, ...rest } = rebound.get();
  restoreKeys(strokes === undefined ? rest : { ...rest, [commandId]: strokes });
}

/** Puts back what was kept. */
export function restoreKeys(kept: Readonly<Record<string, readonly Stroke[]>>): void {
  rebound.set(kept);
  globalThis.localStorage?.setItem(BOUND, JSON.stringify(kept));
}

/** Whether single letters run commands (WCAG 2.1.4: they can be turned off). */
export function singleKeys(): boolean {
  return hasSingleKeys.get();
}

export function allowSingleKeys(isAllowed: boolean): void {
  hasSingleKeys.set(isAllowed);
  globalThis.localStorage?.setItem(SINGLE, isAllowed ? "on" : "off");
}

/** The commands that `stroke` would clash with, were it bound to `command`. */
export function clashesWith(
  command: Pick<Command, "id" | "scope">,
  stroke: Stroke,
  among: readonly Command[] = commands(),
): Command[] {
  return among.filter((other) =>
    other.id !== command.id && keysOf(other).includes(stroke) && areTogether(command, other)
  );
}

/** All clashes in a list of commands. */
export function findClashes(among: readonly Command[] = commands()): Clash[] {
  return among.flatMap((command, index) =>
    keysOf(command).flatMap((stroke) =>
      clashesWith(command, stroke, among.slice(index + 1)).map((other): Clash => ({
        stroke,
        commands: [command, other],
      }))
    )
  );
}

/** Whether there is a panel in which both act with equal right: a panel's own key goes before one for everywhere. */
function areTogether(one: Pick<Command, "scope">, other: Pick<Command, "scope">): boolean {
  const mine = scopesOf(one);
  const theirs = scopesOf(other);
  return mine.length === 0 || theirs.length === 0
    ? mine.length === theirs.length
    : mine.some((scope) => theirs.includes(scope));
}

function scopesOf({ scope }: Pick<Command, "scope">): readonly string[] {
  return scope === undefined ? [] : typeof scope === "string" ? [scope] : scope;
}

/** What of a keyboard event makes a stroke. */
export type KeyPress = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** The stroke of a key event; undefined for a modifier alone. Shift counts where it does not make another sign. */
export function strokeOf(event: KeyPress, isMac: boolean = IS_MAC): Stroke | undefined {
  const key = NAMES[event.key] ?? event.key.toLowerCase();
  if (/^(control|shift|alt|meta|capslock|dead|altgraph|unidentified|process)$/.test(key)) return undefined;
  const isSign = [...key].length === 1 && key.toUpperCase() === key.toLowerCase();
  return [
    (isMac ? event.metaKey : event.ctrlKey) ? "mod" : "",
    isMac && event.ctrlKey ? "ctrl" : "",
    event.altKey ? "alt" : "",
    event.shiftKey && !isSign ? "shift" : "",
    key,
  ].filter((part) => part !== "").join("+");
}

const NAMES: Readonly<Record<string, string>> = { " ": "space", Esc: "escape", Del: "delete" };

/** "mod+shift+k" as it stands on a keyboard: "Ctrl+Shift+K", "⌘⇧K". */
export function showKeys(stroke: Stroke): string {
  return keyNames(stroke).join(IS_MAC ? "" : "+");
}

/** Whether a stroke is one key without a modifier, which typing also makes. */
export function isSingle(stroke: Stroke): boolean {
  return !/^(mod|ctrl|alt)\+|^f\d+$/.test(stroke.replace(/^shift\+(?=f\d)/, ""));
}

/** The kind of the panel in which a key was struck; undefined outside of panels. */
export type PanelOf = (event: KeyboardEvent) => string | undefined;

/**
 * Lets keys run commands until the returned function is called. Quiet while one types or composes, inside a modal
 * dialog, and where an element has used the key itself (preventDefault).
 */
export function listenToKeys(panelOf: PanelOf): () => void {
  const hear = (event: KeyboardEvent) => {
    const command = commandOf(event, panelOf);
    if (!command) return;
    event.preventDefault();
    void runCommand(command.id);
  };
  addEventListener("keydown", hear);
  return () => removeEventListener("keydown", hear);
}

/** The command that a key event means here and now, if any. */
export function commandOf(event: KeyboardEvent, panelOf: PanelOf): Command | undefined {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return undefined;
  const stroke = strokeOf(event);
  if (stroke === undefined || isTaken(event, stroke)) return undefined;
  const panel = panelOf(event);
  const meant = commands().filter((command) =>
    keysOf(command).includes(stroke) && (!event.repeat || command.repeats === true) && isHere(command, panel)
  );
  // A panel's own keys go before those that act everywhere.
  meant.sort((one, other) => scopesOf(other).length - scopesOf(one).length);
  return meant.find((command) => isPossible(command));
}

function isHere(command: Command, panel: string | undefined): boolean {
  const scopes = scopesOf(command);
  return scopes.length === 0 || (panel !== undefined && scopes.includes(panel));
}

function isTaken(event: KeyboardEvent, stroke: Stroke): boolean {
  const path = event.composedPath();
  if (path.some((one) => one instanceof HTMLDialogElement && one.matches(":modal"))) return true;
  if (!isSingle(stroke)) return false;
  if (isLetter(stroke) && !singleKeys()) return true;
  const focused = path[0];
  if (!(focused instanceof HTMLElement)) return false;
  if (isTextField(focused)) return true;
  return (stroke === "space" || stroke === "enter") && focused.matches(PRESSABLE);
}

const PRESSABLE = "button, a[href], summary, input, select, [role=button], [role=tab], [role=menuitem]";

function isLetter(stroke: Stroke): boolean {
  return [...stroke.replace("shift+", "")].length === 1;
}

function isTextField(element: HTMLElement): boolean {
  if (element.isContentEditable || element instanceof HTMLTextAreaElement) return true;
  if (element instanceof HTMLSelectElement) return true;
  return element instanceof HTMLInputElement &&
    !/^(checkbox|radio|button|submit|reset|file|image)$/.test(element.type);
}

function readBound(): Readonly<Record<string, readonly Stroke[]>> {
  try {
    return JSON.parse(globalThis.localStorage?.getItem(BOUND) ?? "{}");
  } catch {
    return {};
  }
}
