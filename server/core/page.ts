import * as z from "zod/mini";
import { isId } from "./id.ts";

/** Query of every list: keyset paging, newest first unless the endpoint says otherwise. */
export const PageQuery = z.object({
  limit: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(200)), 50),
  cursor: z.optional(z.string().check(z.maxLength(200))),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** PageQuery of a list whose cursors are ids. */
export const IdPageQuery = z.extend(PageQuery, {
  cursor: z.optional(z.string().check(z.refine(isId, "must be the `next` of the page before"))),
});

/** A page of `item`: `next` is the cursor of the following page, absent on the last. */
export function page<Item extends z.core.$ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.optional(z.string()) });
}
