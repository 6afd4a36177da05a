import { registerCommands } from "#client/core/commands.ts";
import type { Command } from "#client/core/commands.ts";
import { type PanelKind, registerPanels, registerScreens, type Screen } from "#client/core/panels.ts";
import { characterPanels, characterScreens } from "#client/characters/panels.ts";
import { clipPanels } from "#client/clips/panels.ts";
import { designPanels, designScreens } from "#client/design_page/panels.ts";
import { historyPanels } from "#client/history/panels.ts";
import { projectPanels, projectScreens } from "#client/projects/panels.ts";
import { scenePanels, sceneScreens } from "#client/scenes/panels.ts";
import { seedPanels, seedScreens } from "#client/seeds/panels.ts";
import { auditPanels } from "#client/audit/panels.ts";
import { firstRunPanels, firstRunScreens } from "#client/first_run/panels.ts";
import { helpPanels, helpScreens } from "#client/help/panels.ts";
import { workerPanels, workerScreens } from "#client/fleet/panels.ts";
import { jobPanels, jobScreens } from "#client/jobs/panels.ts";
import { statusPanels, statusScreens } from "#client/status/panels.ts";
import { peoplePanels, peopleScreens } from "#client/users/panels.ts";

/** What a slice brings into the studio: one line below each. These files are small; what is heavy loads when shown. */
export interface Slice {
  /** From `client/<slice>/panels.ts`. */
  readonly panels?: readonly PanelKind[];
  /** Places of the top bar, from `client/<slice>/panels.ts`. */
  readonly screens?: readonly Screen[];
  /** Loads `client/<slice>/commands.ts`, and with it the slice's stores: nothing of them is needed to show a panel. */
  readonly loadCommands?: () => Promise<readonly Command[]>;
}

/** Everything in the studio, screens in the order of the top bar. */
export const SLICES: readonly Slice[] = [
  {
    panels: projectPanels,
    screens: projectScreens,
    loadCommands: async () => (await import("#client/projects/commands.ts")).projectCommands,
  },
  {
    panels: characterPanels,
    screens: characterScreens,
    loadCommands: async () => (await import("#client/characters/commands.ts")).characterCommands,
  },
  {
    panels: seedPanels,
    screens: seedScreens,
    loadCommands: async () => (await import("#client/seeds/commands.ts")).seedCommands,
  },
  {
    panels: scenePanels,
    screens: sceneScreens,
    loadCommands: async () => (await import("#client/scenes/commands.ts")).sceneCommands,
  },
  { panels: clipPanels, loadCommands: async () => (await import("#client/clips/commands.ts")).clipCommands },
  { loadCommands: async () => (await import("#client/player/commands.ts")).playerCommands },
  {
    panels: historyPanels,
    loadCommands: async () => (await import("#client/history/commands.ts")).historyCommands,
  },
  {
    panels: jobPanels,
    screens: jobScreens,
    loadCommands: async () => (await import("#client/jobs/commands.ts")).jobCommands,
  },
  {
    panels: statusPanels,
    screens: statusScreens,
    loadCommands: async () => (await import("#client/status/commands.ts")).statusCommands,
  },
  {
    panels: workerPanels,
    screens: workerScreens,
    loadCommands: async () => (await import("#client/fleet/commands.ts")).workerCommands,
  },
  {
    panels: peoplePanels,
    screens: peopleScreens,
    loadCommands: async () => {
      const { accountCommands, peopleCommands } = await import("#client/users/commands.ts");
      return [...peopleCommands, ...accountCommands];
    },
  },
  {
    panels: auditPanels,
    loadCommands: async () => (await import("#client/audit/commands.ts")).auditCommands,
  },
  {
    panels: firstRunPanels,
    screens: firstRunScreens,
    loadCommands: async () => (await import("#client/first_run/commands.ts")).firstRunCommands,
  },
  {
    panels: designPanels,
    screens: designScreens,
    loadCommands: async () => (await import("#client/design_page/commands.ts")).designCommands,
  },
  {
    panels: helpPanels,
    screens: helpScreens,
    loadCommands: async () => (await import("#client/help/commands.ts")).helpCommands,
  },
];

/**
 * Makes the slices' panels and screens known; call it once, before the dock. A slice's commands come with the first
 * panel of it that shows, so that its buttons are there with it; the returned function brings all others, and resolves
 * when they are there. What could not be loaded is asked for again at the next call.
 */
export function registerSlices(slices: readonly Slice[] = SLICES): () => Promise<void> {
  const loads = slices.map(({ panels = [], screens = [], loadCommands }) => {
    const load = once(async () => void registerCommands(await loadCommands?.() ?? []));
    registerPanels(panels.map((kind) => withCommands(kind, load)));
    registerScreens(screens);
    return load;
  });
  return async () => void await Promise.all(loads.map((load) => load()));
}

function withCommands(kind: PanelKind, loadCommands: () => Promise<void>): PanelKind {
  return { ...kind, load: () => Promise.all([kind.load(), loadCommands()]) };
}

/** `work` done once for all who ask; after it failed, once more. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () =>
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
}
