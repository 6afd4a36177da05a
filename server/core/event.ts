import * as z from "zod/mini";

/**
 * A kind of event: something that has happened, announced to clients. A row of `event_kind`.
 * The topic says who hears it: "project:<id>", "user:<id>", "fleet", "jobs", "studio".
 */
export interface EventKind<S extends z.core.$ZodType = z.core.$ZodType> {
  readonly kind: "event";
  readonly code: string;
  readonly data: S;
}

/** Declares an event, e.g. `eventKind("clip.changed", z.object({ clipId: id("clip") }))`. */
export function eventKind<S extends z.core.$ZodType>(code: string, data: S): EventKind<S> {
  return { kind: "event", code, data };
}

/** An event as clients get it. `seq` counts up; a client that reconnects asks for all after its last. */
export const LiveEvent = z.object({
  seq: z.int(),
  code: z.string(),
  topic: z.string(),
  at: z.string(),
  data: z.unknown(),
});
export type LiveEvent = z.infer<typeof LiveEvent>;
