/** What is selected in a list, where the keys act, and from where Shift selects. Immutable. */
export interface ListSelection {
  readonly ids: ReadonlySet<string>;
  /** The item that has the keyboard. */
  readonly active: string | undefined;
  readonly anchor: string | undefined;
}

export const NOTHING_SELECTED: ListSelection = { ids: new Set(), active: undefined, anchor: undefined };

/** How a click or key goes to an item: selects it alone, adds or takes it, selects up to it, or only moves there. */
export type Reach = "only" | "toggle" | "range" | "move";

/** The reach that the modifier keys of an event ask for. */
export function reachOf(
  event: Pick<KeyboardEvent | MouseEvent, "shiftKey" | "ctrlKey" | "metaKey">,
  withModifier: Reach,
): Reach {
  if (event.shiftKey) return "range";
  return event.ctrlKey || event.metaKey ? withModifier : "only";
}

/** The selection after one has gone to `id`; `order` is the whole list's ids. */
export function reach(
  { ids, active, anchor }: ListSelection,
  order: readonly string[],
  id: string,
  how: Reach,
): ListSelection {
  if (how === "move") return { ids, active: id, anchor: anchor ?? active };
  if (how === "only") return { ids: new Set([id]), active: id, anchor: id };
  if (how === "toggle") {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    return { ids: next, active: id, anchor: id };
  }
  const from = order.indexOf(anchor ?? active ?? id);
  const to = order.indexOf(id);
  const [low, high] = from < to ? [from, to] : [to, from];
  return {
    ids: new Set(order.slice(Math.max(0, low), high + 1)),
    active: id,
    anchor: anchor ?? active ?? id,
  };
}

/** All that is not selected, and nothing that is. */
export function invert({ ids, active, anchor }: ListSelection, order: readonly string[]): ListSelection {
  return { ids: new Set(order.filter((id) => !ids.has(id))), active, anchor };
}
