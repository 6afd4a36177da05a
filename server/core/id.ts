import * as z from "zod/mini";
import { v7 } from "uuid";

/** A UUIDv7 of one kind of thing. Branded, so that a clip's id can't be passed for a scene's. */
export type Id<Kind extends string> = string & { readonly __id: Kind };

/** A new time-ordered id (RFC 9562, version 7). Clients may make their own: creates are idempotent. */
export function newId<Kind extends string>(): Id<Kind> {
  return v7() as Id<Kind>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Schema of an id of `kind`: a canonical lower-case UUID. */
export function id<Kind extends string>(kind: Kind) {
  return z.pipe(
    z.string().check(z.regex(UUID, `must be the UUID of a ${kind}`)).register(z.globalRegistry, {
      title: `${kind} id`,
      format: "uuid",
    }),
    z.transform((value) => value as Id<Kind>),
  );
}

/** Whether `text` can be an id at all; routes answer 404 for anything else. */
export function isId(text: string): boolean {
  return UUID.test(text);
}
