import * as z from "zod/mini";

/** What somebody has open in a project: "clip" and its id; null for the project as such. */
export const OpenThing = z.nullable(
  z.object({
    kind: z.string().check(z.regex(/^[a-z_]{1,20}$/)),
    id: z.string().check(z.maxLength(40)),
  }),
);
export type OpenThing = z.infer<typeof OpenThing>;

/** Somebody who has a project open now. */
export const Person = z.object({ userId: z.string(), name: z.string(), at: OpenThing });
export type Person = z.infer<typeof Person>;

/** The studio's own machine among the subjects of vitals; the others are workers, by id. */
export const HOST = "host";
