import type { Permission, RoleCode } from "./permissions.ts";

/** Who acts: always an argument, never ambient. Made by the session middleware, or for a task by name. */
export interface Actor {
  readonly userId: string;
  readonly roleCode: RoleCode;
  /** What the role allows, cut down by the scopes of the token in use. */
  readonly permissions: ReadonlySet<Permission>;
  readonly sessionId?: string;
  readonly tokenId?: string;
  readonly ip?: string;
  readonly requestId?: string;
}
