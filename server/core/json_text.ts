/** JSON of a `T` that is text already, as the database built it: it goes out as it is, never parsed on the way. */
export class JsonText<T> {
  /** Only for the compiler: what the text says. */
  declare readonly says?: T;

  constructor(readonly text: string) {}
}

/** A page whose items are JSON already, with a comma between them; after `next` there are more. */
export function pageText<Item>(
  items: string,
  next: string | undefined,
): JsonText<{ items: Item[]; next?: string }> {
  return new JsonText(`{"items":[${items}]${next === undefined ? "" : `,"next":${JSON.stringify(next)}`}}`);
}
