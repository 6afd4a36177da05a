import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import type { Permission } from "#server/core/permissions.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import { announce } from "#server/live/announce.ts";
import { renewDocuments, writeCharacterDocument } from "#server/metadata/service.ts";
import { cutPage, requireAccess } from "#server/projects/service.ts";
import { type Character, characterChanged } from "./contract.ts";
import * as queries from "./queries.ts";

/** The character, if the actor may do `permission` in its project. */
export async function openCharacter(
  db: Queryable,
  actor: Actor,
  characterId: string,
  permission: Permission,
): Promise<Character> {
  const character = await queries.findCharacter(db, characterId);
  await requireAccess(db, actor, character?.projectId, permission, "character");
  if (!character) throw notFound("character");
  return character;
}

export async function listCharacters(
  db: Db,
  actor: Actor,
  projectId: string,
  query: PageQuery,
): Promise<{ items: Character[]; next?: string }> {
  await requireAccess(db, actor, projectId, "project.read");
  return cutPage(await queries.listCharacters(db, projectId, query), query.limit);
}

export async function createCharacter(
  { db, store }: { db: Db; store: FileStore },
  actor: Actor,
  projectId: string,
  input: { id?: string | undefined; name: string; description: string },
): Promise<Character> {
  await requireAccess(db, actor, projectId, "character.edit");
  const characterId = input.id ?? newId<"character">();
  await transact(db, async (tx) => {
    if (!await queries.insertCharacter(tx, { ...input, id: characterId, projectId }, actor)) return;
    await writeCharacterDocument({ db: tx, store }, characterId);
    await audit(tx, actor, "character.create", {
      projectId,
      subject: ["character", characterId],
      facts: { name: input.name },
    });
    await announce(tx, characterChanged, `project:${projectId}`, { characterId });
  });
  const character = await openCharacter(db, actor, characterId, "project.read");
  if (character.projectId !== projectId) {
    throw new AppError("conflict", "A character with this id is in another project: use a new id");
  }
  return character;
}

export async function changeCharacter(
  { db, store }: { db: Db; store: FileStore },
  actor: Actor,
  characterId: string,
  change: queries.CharacterChange,
): Promise<Character> {
  const before = await openCharacter(db, actor, characterId, "character.edit");
  await transact(db, async (tx) => {
    await queries.updateCharacter(tx, characterId, change);
    await renewDocuments({ db: tx, store }, { characterId });
    await audit(tx, actor, "character.change", {
      projectId: before.projectId,
      subject: ["character", characterId],
      facts: { before, change },
    });
    await announce(tx, characterChanged, `project:${before.projectId}`, { characterId });
  });
  return await openCharacter(db, actor, characterId, "project.read");
}
