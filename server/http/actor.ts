export type { Actor } from "#server/core/actor.ts";
