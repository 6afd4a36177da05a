import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { isId } from "#server/core/id.ts";

/** What can be found by its name: also the words of addresses. */
export const SEARCHED = [
  "project",
  "character",
  "scene",
  "clip",
  "asset",
  "job",
  "user",
  "worker",
  "batch",
  "workflow",
] as const;
export type Searched = (typeof SEARCHED)[number];

const Found = z.object({
  thing: z.literal(SEARCHED),
  id: z.string(),
  /** Null for what belongs to no project. */
  projectId: z.nullable(z.string()),
  name: z.string(),
  /** What tells it from others of its name: a clip's scene, an asset's kind, a user's login, a job's status, a workflow's role. */
  hint: z.nullable(z.string()),
  /** 0–1, 1 the very name. */
  score: z.number(),
});
export type Found = z.infer<typeof Found>;

export const search = endpoint({
  method: "GET",
  path: "/search",
  can: "signed_in",
  summary: "The 50 best matches by name among all that one may see, slips of the finger forgiven, best first",
  query: z.object({
    q: z.string().check(z.trim(), z.minLength(1), z.maxLength(200)),
    /** One kind only. */
    thing: z.optional(z.literal(SEARCHED)),
  }),
  reply: z.object({ items: z.array(Found) }),
});

/** [index in SEARCHED, id, name, index in `projects` or -1, hint]. */
const IndexRow = z.tuple([z.int(), z.string(), z.string(), z.int(), z.nullable(z.string())]);
export type IndexRow = z.infer<typeof IndexRow>;

export const readSearchIndex = endpoint({
  method: "GET",
  path: "/search/index",
  can: "signed_in",
  summary:
    "Names of all that one may see, newest first, to be searched where they are read; `next` as `before`",
  query: z.object({
    limit: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(20_000)), 10_000),
    /** Only what is older than this id: the `next` of the page before. */
    before: z.optional(z.string().check(z.refine(isId, "must be the `next` of the page before"))),
    /** Only what was made after this id: the first of an index that is there already. */
    after: z.optional(z.string().check(z.refine(isId, "must be the id of the newest row"))),
  }),
  reply: z.object({
    projects: z.array(z.string()),
    rows: z.array(IndexRow),
    next: z.optional(z.string()),
  }),
});
