import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { Instant } from "#server/core/time.ts";

/** A token file in the Design Tokens Format 2025.10: only what the studio changes. The studio reads it strictly. */
export const TokenFile = z.record(z.string().check(z.maxLength(80)), z.unknown());
export type TokenFile = z.infer<typeof TokenFile>;

/** By theme: "dark", "light", "contrast-dark", "contrast-light", "review". A theme that is not there is as it comes. */
const Themes = z.record(
  z.string().check(z.regex(/^[a-z][a-z-]{0,39}$/, "must be a theme's name")),
  TokenFile,
);

export const StudioTokens = z.object({
  themes: Themes,
  /** When they were last saved; null while nobody has. */
  changedAt: z.nullable(Instant),
  /** Login of who saved them. */
  changedBy: z.nullable(z.string()),
  /** The same as a stylesheet, to be laid over the client's own. */
  css: z.string(),
});
export type StudioTokens = z.infer<typeof StudioTokens>;

export const StudioTokensInput = z.object({
  themes: Themes,
  /** The `changedAt` that the change was made from: when someone saved in between, nothing is overwritten. */
  basedOn: z.nullable(Instant),
  /** Save although some words will be hard to read. */
  allowsLowContrast: z.optional(z.boolean()),
});
export type StudioTokensInput = z.infer<typeof StudioTokensInput>;

export const getStudioTokens = endpoint({
  method: "GET",
  path: "/settings/tokens",
  can: "settings.read",
  summary: "The studio's own design tokens, by theme",
  reply: StudioTokens,
});

export const saveStudioTokens = endpoint({
  method: "PUT",
  path: "/settings/tokens",
  can: "settings.admin",
  summary: "Replaces the studio's own design tokens; without themes everything is as it comes",
  body: StudioTokensInput,
  reply: StudioTokens,
});

/** A setting of the studio changed: read it again. */
export const settingsChanged = eventKind("settings.changed", z.object({ code: z.string() }));
