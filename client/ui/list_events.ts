/** Something was picked from a menu: `itemId` says what. */
export class PickEvent extends Event {
  static readonly type = "st-pick";
  constructor(readonly itemId: string) {
    super(PickEvent.type, { bubbles: true, composed: true });
  }
}

/** The selection in a grid, table or tree changed: the ids of all that is selected now, in the order of the list. */
export class SelectEvent extends Event {
  static readonly type = "st-select";
  constructor(readonly ids: readonly string[]) {
    super(SelectEvent.type, { bubbles: true, composed: true });
  }
}

/** One item is to be opened: by double click or Enter. */
export class OpenEvent extends Event {
  static readonly type = "st-open";
  constructor(readonly itemId: string) {
    super(OpenEvent.type, { bubbles: true, composed: true });
  }
}

/** A menu is wanted at a point of the window, for one item: by right click, Shift+F10 or the menu key. */
export class MenuEvent extends Event {
  static readonly type = "st-menu-wanted";
  constructor(readonly itemId: string, readonly x: number, readonly y: number) {
    super(MenuEvent.type, { bubbles: true, composed: true });
  }
}

/** Sent once near the end of a list: time to load the next page. */
export class NearEndEvent extends Event {
  static readonly type = "st-near-end";
  constructor() {
    super(NearEndEvent.type);
  }
}

/** Another order is wanted: by the column, from its greatest when `isDescending`. */
export class SortEvent extends Event {
  static readonly type = "st-sort";
  constructor(readonly column: string, readonly isDescending: boolean) {
    super(SortEvent.type, { bubbles: true, composed: true });
  }
}

/** An item is wanted elsewhere: before the item `beforeId`, or at the end where that is undefined. */
export class MoveEvent extends Event {
  static readonly type = "st-move";
  constructor(readonly itemId: string, readonly beforeId: string | undefined) {
    super(MoveEvent.type, { bubbles: true, composed: true });
  }
}

/** A branch of a tree was opened or closed. */
export class ExpandEvent extends Event {
  static readonly type = "st-expand";
  constructor(readonly itemId: string, readonly isExpanded: boolean) {
    super(ExpandEvent.type, { bubbles: true, composed: true });
  }
}
