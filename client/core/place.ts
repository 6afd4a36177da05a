import { signal } from "@lit-labs/signals";
import { screens } from "./panels.ts";

/** What can be open, each with its name in the address. */
export const ENTITY_PATHS = {
  character: "characters",
  seed: "seeds",
  batch: "batches",
  scene: "scenes",
  clip: "clips",
  job: "jobs",
  asset: "assets",
  workflow: "workflows",
  worker: "workers",
  user: "users",
  /** A page of the manual. */
  help: "help",
} as const;
export type EntityKind = keyof typeof ENTITY_PATHS;

export interface Entity {
  readonly kind: EntityKind;
  readonly id: string;
}

/** Several things of one kind that are selected, in the order of selection. */
export interface Selection {
  readonly kind: EntityKind;
  readonly ids: readonly string[];
}

export interface Place {
  readonly projectId?: string | undefined;
  /** Id of a screen; without it, the screen on which the entity opens, else the first one. */
  readonly screen?: string | undefined;
  readonly entity?: Entity | undefined;
}

/** What belongs to the studio, not to a project. */
const OF_STUDIO: ReadonlySet<EntityKind> = new Set(["user", "worker", "workflow", "help"]);
const NOWHERE: Place = {};
const here = signal<Place>(NOWHERE);
const selected = signal<Selection | undefined>(undefined);
const arrivals = signal(0);

/** Where one is. */
export function place(): Place {
  return here.get();
}

/** The open project. */
export function projectId(): string | undefined {
  return here.get().projectId;
}

/** The open thing; of `kind` only, when that is given. */
export function entity(kind?: EntityKind): Entity | undefined {
  const open = here.get().entity;
  return kind === undefined || open?.kind === kind ? open : undefined;
}

/** What is selected; of `kind` only, when that is given. */
export function selection(kind?: EntityKind): Selection | undefined {
  const found = selected.get();
  return kind === undefined || found?.kind === kind ? found : undefined;
}

/** Selects these things of a kind instead of what was selected. */
export function select(kind: EntityKind, ids: readonly string[]): void {
  selected.set(ids.length === 0 ? undefined : { kind, ids });
}

/**
 * Goes to a place and writes it into the address. What `next` leaves out is as it was for the project, and empty for
 * the rest; another project forgets the selection. `replace` takes the place of the address before it.
 */
export function go(next: Place, { replace = false }: { readonly replace?: boolean } = {}): void {
  const before = here.get();
  const project = "projectId" in next ? next.projectId : before.projectId;
  const to: Place = { projectId: project, screen: next.screen, entity: next.entity };
  if (project !== before.projectId) selected.set(undefined);
  here.set(to);
  const address = addressOf(isOfStudio(to) ? { ...to, projectId: undefined } : to);
  if (!globalThis.history || location.pathname === address) return;
  // A window that was opened for one panel stays that.
  const whole = `${address}${location.search}`;
  if (replace) history.replaceState(null, "", whole);
  else history.pushState(null, "", whole);
}

/** How often the keyboard was wanted where the open thing shows; the dock follows it. */
export function keyboardWanted(): number {
  return arrivals.get();
}

/** Gives the keyboard to the panel that shows the open thing: whoever has just made it goes on there. */
export function takeKeyboard(): void {
  arrivals.set(arrivals.get() + 1);
}

/** Whether a place is the same in every project: its address names none, and the open project stays open. */
function isOfStudio({ screen, entity }: Place): boolean {
  if (entity) return OF_STUDIO.has(entity.kind);
  return screens().find(({ id }) => id === screen)?.isOfProject === false;
}

/** "/projects/<id>/clips/<id>", "/projects/<id>/characters", "/status", "/". */
export function addressOf({ projectId, screen, entity }: Place): string {
  const parts: string[] = [];
  if (projectId !== undefined) parts.push("projects", projectId);
  if (entity) parts.push(ENTITY_PATHS[entity.kind], entity.id);
  else if (screen !== undefined) parts.push(screen);
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

/** The place that an address names. What it does not know is a screen of that name, which nobody knows. */
export function placeOf(path: string): Place {
  const parts = path.split("/").filter((part) => part !== "").map(decode);
  const isOfProject = parts[0] === "projects" && parts[1] !== undefined;
  const projectId = isOfProject ? parts[1] : undefined;
  const rest = isOfProject ? parts.slice(2) : parts;
  const [name, id] = rest;
  const kind = KIND_OF.get(name ?? "");
  if (kind && id !== undefined && rest.length === 2) return { projectId, entity: { kind, id } };
  return { projectId, screen: name === undefined ? undefined : rest.join("/") };
}

/** Takes up the address, and follows the browser's back and forward until the returned function is called. */
export function followAddress(): () => void {
  const read = () => {
    const read = placeOf(location.pathname);
    here.set({ ...read, projectId: read.projectId ?? here.get().projectId });
  };
  read();
  addEventListener("popstate", read);
  return () => removeEventListener("popstate", read);
}

const KIND_OF: ReadonlyMap<string, EntityKind> = new Map(
  // The keys are those of the table above.
  Object.entries(ENTITY_PATHS).map(([kind, path]) => [path, kind as EntityKind]),
);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
