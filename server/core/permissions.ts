import * as z from "zod/mini";

/** The roles of SPEC §4. Rows of `role`; this list and the table are kept equal by a test. */
export const RoleCode = z.enum(["admin", "creator", "reviewer"]);
export type RoleCode = z.infer<typeof RoleCode>;

/**
 * What one may be allowed to do. Rows of `permission`; which role holds which is `role_permission`.
 * `project.*`-like permissions count only in projects that one is a member of.
 */
export const Permission = z.enum([
  "project.read",
  "project.create",
  "project.edit",
  "project.members",
  "asset.read",
  "asset.upload",
  "character.edit",
  "clip.edit",
  "generate",
  "job.read",
  "job.control",
  "queue.admin",
  "review.note",
  "review.decide",
  "review.finalize",
  "delivery.create",
  "workflow.read",
  "workflow.edit",
  "worker.read",
  "worker.admin",
  "user.read",
  "user.admin",
  "audit.read",
  "settings.read",
  "settings.admin",
  "token.own",
]);
export type Permission = z.infer<typeof Permission>;

/** Scopes of an API token: each is a set of permissions; a token never holds more than its owner. */
export const TokenScope = z.enum(["read", "submit", "review", "admin"]);
export type TokenScope = z.infer<typeof TokenScope>;
