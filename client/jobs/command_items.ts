import { w } from "#client/app/words.ts";
import { findCommand, isAllowed, isPossible } from "#client/core/commands.ts";
import type { MenuItem } from "#client/ui/menu.ts";

/** Commands as the items of a menu, those that one may do; off with the reason where they can't be done. */
export function commandItems(ids: readonly string[], target?: unknown): MenuItem[] {
  return ids.flatMap((id): MenuItem[] => {
    const command = findCommand(id);
    if (!command || !isAllowed(command)) return [];
    return [{
      id,
      label: command.label(target),
      icon: command.icon,
      keys: command.keys?.[0],
      isDanger: command.isDanger ?? false,
      note: command.isForGood ? w("isForGood") : undefined,
      whyNot: isPossible(command, target) ? undefined : command.whyNot?.(target) ?? " ",
    }];
  });
}
