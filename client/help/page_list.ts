import type { IconName } from "#client/ui/icons.ts";

/** The manual's pages, in the order in which they are read. Their texts are in `pages_en.ts` and `pages_de.ts`. */
export const PAGES = [
  { id: "start", icon: "flag", about: ["first_run", "projects"] },
  { id: "seeds", icon: "face", about: ["characters", "character", "variations", "batch"] },
  { id: "plan", icon: "clapperboard", about: ["outline", "clip", "clip-settings"] },
  { id: "takes", icon: "dice", about: ["clip-timeline"] },
  { id: "player", icon: "play", about: [] },
  { id: "finish", icon: "package", about: [] },
  { id: "queue", icon: "list", about: ["queue", "job", "job_tray"] },
  { id: "workers", icon: "server", about: ["workers", "status"] },
  { id: "areas", icon: "columns", about: [] },
  { id: "keys", icon: "keyboard", about: [] },
  { id: "history", icon: "history", about: ["history"] },
  { id: "kept", icon: "save", about: [] },
  { id: "people", icon: "users", about: ["users", "roles", "audit", "members", "sessions"] },
  { id: "lan", icon: "network", about: [] },
  { id: "scripts", icon: "terminal", about: ["tokens"] },
] as const satisfies readonly PageFacts[];

interface PageFacts {
  readonly id: string;
  readonly icon: IconName;
  /** Kinds of panels beside which one is helped by this page. */
  readonly about: readonly string[];
}

export type PageId = (typeof PAGES)[number]["id"];

/** A page by its id; undefined where there is none. */
export function findPage(id: string | undefined): (typeof PAGES)[number] | undefined {
  return PAGES.find((page) => page.id === id);
}

/** The page that helps beside a panel of this kind. */
export function pageAbout(panelKind: string | undefined): PageId | undefined {
  return PAGES.find(({ about }: PageFacts) => panelKind !== undefined && about.includes(panelKind))?.id;
}
