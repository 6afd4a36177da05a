import { registerCommands } from "#client/core/commands.ts";
import type { Command } from "#client/core/commands.ts";
import { type PanelKind, registerPanels, registerScreens, type Screen } from "#client/core/panels.ts";
import { characterCommands } from "#client/characters/commands.ts";
import { characterPanels, characterScreens } from "#client/characters/panels.ts";
import { clipCommands } from "#client/clips/commands.ts";
import { clipPanels } from "#client/clips/panels.ts";
import { designCommands } from "#client/design_page/commands.ts";
import { designPanels, designScreens } from "#client/design_page/panels.ts";
import { historyCommands } from "#client/history/commands.ts";
import { historyPanels } from "#client/history/panels.ts";
import { playerCommands } from "#client/player/commands.ts";
import { projectCommands } from "#client/projects/commands.ts";
import { projectPanels, projectScreens } from "#client/projects/panels.ts";
import { sceneCommands } from "#client/scenes/commands.ts";
import { scenePanels, sceneScreens } from "#client/scenes/panels.ts";
import { seedCommands } from "#client/seeds/commands.ts";
import { seedPanels, seedScreens } from "#client/seeds/panels.ts";
import { auditCommands } from "#client/audit/commands.ts";
import { auditPanels } from "#client/audit/panels.ts";
import { firstRunCommands } from "#client/first_run/commands.ts";
import { firstRunPanels, firstRunScreens } from "#client/first_run/panels.ts";
import { workerCommands } from "#client/fleet/commands.ts";
import { workerPanels, workerScreens } from "#client/fleet/panels.ts";
import { jobCommands } from "#client/jobs/commands.ts";
import { jobPanels, jobScreens } from "#client/jobs/panels.ts";
import { statusPanels, statusScreens } from "#client/status/panels.ts";
import { accountCommands, peopleCommands } from "#client/users/commands.ts";
import { peoplePanels, peopleScreens } from "#client/users/panels.ts";

/** What a slice brings into the studio: one line below each. These files are small; what is heavy loads when shown. */
export interface Slice {
  /** From `client/<slice>/panels.ts`. */
  readonly panels?: readonly PanelKind[];
  /** Places of the top bar, from `client/<slice>/panels.ts`. */
  readonly screens?: readonly Screen[];
  /** From `client/<slice>/commands.ts`. */
  readonly commands?: readonly Command[];
}

/** Everything in the studio, screens in the order of the top bar. */
export const SLICES: readonly Slice[] = [
  { panels: projectPanels, screens: projectScreens, commands: projectCommands },
  { panels: characterPanels, screens: characterScreens, commands: characterCommands },
  { panels: seedPanels, screens: seedScreens, commands: seedCommands },
  { panels: scenePanels, screens: sceneScreens, commands: sceneCommands },
  { panels: clipPanels, commands: clipCommands },
  { commands: playerCommands },
  { panels: historyPanels, commands: historyCommands },
  { panels: jobPanels, screens: jobScreens, commands: jobCommands },
  { panels: statusPanels, screens: statusScreens },
  { panels: workerPanels, screens: workerScreens, commands: workerCommands },
  { panels: peoplePanels, screens: peopleScreens, commands: [...peopleCommands, ...accountCommands] },
  { panels: auditPanels, commands: auditCommands },
  { panels: firstRunPanels, screens: firstRunScreens, commands: firstRunCommands },
  { panels: designPanels, screens: designScreens, commands: designCommands },
];

/** Makes the slices known. Call it once, before the dock. */
export function registerSlices(slices: readonly Slice[] = SLICES): void {
  for (const { panels = [], screens = [], commands = [] } of slices) {
    registerPanels(panels);
    registerScreens(screens);
    registerCommands(commands);
  }
}
