import type { Command } from "#client/core/commands.ts";
import { pairCommands } from "./pair_commands.ts";
import { sheetCommands } from "./sheet_commands.ts";

/** Everything that can be done with seeds, pairs and batches. */
export const seedCommands: readonly Command[] = [...pairCommands, ...sheetCommands];
