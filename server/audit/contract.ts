import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { id } from "#server/core/id.ts";
import { page, PageQuery } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";

/** Who did what, when and from where (SPEC rule 6). */
export const AuditEntry = z.object({
  id: z.int(),
  at: Instant,
  /** A code of `audit_action`. */
  action: z.string(),
  label: z.string(),
  /** Null for the studio itself, or for someone who could not sign in. */
  userId: z.nullable(id("user")),
  login: z.nullable(z.string()),
  /** The API token it was done with. */
  tokenId: z.nullable(id("api token")),
  projectId: z.nullable(id("project")),
  subjectKind: z.nullable(z.string()),
  subjectId: z.nullable(z.string()),
  ip: z.nullable(z.string()),
  requestId: z.nullable(z.string()),
  facts: z.record(z.string(), z.unknown()),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditFilter = z.object({
  limit: PageQuery.shape.limit,
  /** The number of the last entry of the page before. */
  cursor: z.optional(z.coerce.number().check(z.int(), z.minimum(1))),
  action: z.optional(z.string().check(z.maxLength(60))),
  userId: z.optional(id("user")),
  projectId: z.optional(id("project")),
  subjectId: z.optional(z.string().check(z.regex(/^[0-9a-f-]{36}$/, "must be a UUID"))),
  /** Only what happened at or after this instant. */
  since: z.optional(Instant),
});
export type AuditFilter = z.infer<typeof AuditFilter>;

export const listAudit = endpoint({
  method: "GET",
  path: "/audit",
  can: "audit.read",
  summary: "Who did what, newest first",
  query: AuditFilter,
  reply: page(AuditEntry),
});

export const listAuditActions = endpoint({
  method: "GET",
  path: "/audit/actions",
  can: "audit.read",
  summary: "What can be done that is recorded, to filter by",
  reply: z.object({ items: z.array(z.object({ action: z.string(), label: z.string() })) }),
});
