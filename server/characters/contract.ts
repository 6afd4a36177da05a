import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { eventKind } from "#server/core/event.ts";
import { id } from "#server/core/id.ts";
import { Name } from "#server/core/name.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";

export const CharacterStatus = z.enum(["active", "trashed"]);

export const Character = z.object({
  id: id("character"),
  projectId: id("project"),
  name: z.string(),
  description: z.string(),
  status: CharacterStatus,
  /** Its newest portrait that was not rejected, and the newest hero. */
  portraitAssetId: z.nullable(id("asset")),
  heroAssetId: z.nullable(id("asset")),
  /** Foundations that are there, rejected ones not counted. */
  foundations: z.int(),
  createdAt: Instant,
});
export type Character = z.infer<typeof Character>;

export const Description = z.string().check(z.maxLength(10_000));
const characterParams = z.object({ characterId: id("character") });

export const listCharacters = endpoint({
  method: "GET",
  path: "/projects/:projectId/characters",
  can: "project.read",
  summary: "Characters of a project, newest first",
  params: z.object({ projectId: id("project") }),
  query: IdPageQuery,
  reply: page(Character),
});

export const createCharacter = endpoint({
  method: "POST",
  path: "/projects/:projectId/characters",
  can: "character.edit",
  summary:
    "Register a character; its character_metadata is written at once. The same id twice is the same character",
  params: z.object({ projectId: id("project") }),
  body: z.object({ id: z.optional(id("character")), name: Name, description: z._default(Description, "") }),
  reply: Character,
  status: 201,
});

export const getCharacter = endpoint({
  method: "GET",
  path: "/characters/:characterId",
  can: "project.read",
  summary: "One character",
  params: characterParams,
  reply: Character,
});

export const changeCharacter = endpoint({
  method: "PATCH",
  path: "/characters/:characterId",
  can: "character.edit",
  summary: "Rename or describe a character, trash or restore it",
  params: characterParams,
  body: z.object({
    name: z.optional(Name),
    description: z.optional(Description),
    status: z.optional(CharacterStatus),
  }),
  reply: Character,
});

export const characterChanged = eventKind("character.changed", z.object({ characterId: z.string() }));
