/** JSON of a `T` that is text already, as the database built it: it goes out as it is, never parsed on the way. */
export class JsonText<T> {
  /** Only for the compiler: what the text says. */
  declare readonly says?: T;

  constructor(readonly text: string) {}
}

/** A page whose rows are JSON texts already. */
export function pageText<Item>(
  rows: readonly { readonly id: string; readonly text: string }[],
  limit: number,
): JsonText<{ items: Item[]; next?: string }> {
  // Rows were read one beyond the limit: whether that one is there says whether there is a next page.
  const next = rows.length > limit ? rows[limit - 1]?.id : undefined;
  const items = rows.slice(0, limit).map((row) => row.text).join(",");
  return new JsonText(`{"items":[${items}]${next === undefined ? "" : `,"next":${JSON.stringify(next)}`}}`);
}
