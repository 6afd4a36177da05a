import type { Actor } from "#server/core/actor.ts";
import { notFound } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { durationUs, timecode } from "#server/core/media_time.ts";
import { addAsset } from "#server/assets/service.ts";
import type { Db, Queryable, Tx } from "#server/db/db.ts";
import { requireAccess } from "#server/projects/service.ts";
import type { FileStore } from "#server/files/store.ts";
import { CharacterMetadata, SCHEMA_VERSION, VideoMetadata } from "./contract.ts";
import * as queries from "./queries.ts";

export interface DocumentPlace {
  readonly db: Tx;
  readonly store: FileStore;
}

/**
 * Writes a new version of the character's `character_metadata.json` in the caller's transaction: the file is
 * durable first, its rows come with the commit, older versions stay.
 */
export async function writeCharacterDocument(
  place: DocumentPlace,
  characterId: string,
): Promise<string | undefined> {
  const facts = await queries.readCharacter(place.db, characterId);
  if (!facts) return undefined;
  const subject = { kind: "character" as const, characterId };
  const version = await queries.nextVersion(place.db, subject);
  const document = CharacterMetadata.parse({ ...header("character_metadata", version), ...facts });
  return await save(place, subject, version, facts.project.id, "character_metadata.json", document);
}

/** Writes a new version of the cut's `video_metadata.json`. */
export async function writeVideoDocument(place: DocumentPlace, cutId: string): Promise<string | undefined> {
  const facts = await queries.readVideo(place.db, cutId);
  if (!facts) return undefined;
  const { start_frame: startFrame, ...technical } = facts.technical;
  const subject = { kind: "video" as const, cutId };
  const version = await queries.nextVersion(place.db, subject);
  const document = VideoMetadata.parse({
    ...header("video_metadata", version),
    ...facts,
    technical: {
      ...technical,
      duration_us: durationUs(technical.frames, technical.rate),
      start_timecode: timecode(startFrame, technical.rate),
    },
  });
  return await save(place, subject, version, facts.project.id, "video_metadata.json", document);
}

function header(name: string, version: number) {
  return {
    $schema: `/api/schemas/${name}`,
    schema_version: SCHEMA_VERSION,
    document_version: version,
    written_at: new Date().toISOString(),
  };
}

async function save(
  { db, store }: DocumentPlace,
  subject: queries.DocumentSubject,
  version: number,
  projectId: string,
  name: string,
  document: unknown,
): Promise<string> {
  const file = await store.put(
    new TextEncoder().encode(JSON.stringify(document, null, 2) + "\n"),
    "application/json",
  );
  const assetId = await addAsset(db, { projectId, file, kind: "metadata", retention: "keep", name });
  await queries.insertDocument(db, {
    ...subject,
    id: newId(),
    version,
    schemaVersion: SCHEMA_VERSION,
    assetId,
  });
  return assetId;
}

/** The newest document of the subject, or undefined when none was written yet. */
export async function findDocument(
  db: Queryable,
  subject: queries.DocumentSubject,
): Promise<queries.FoundDocument | undefined> {
  return await queries.findDocument(db, subject);
}

/** The newest document, if the actor may read in its project. */
export async function openDocument(
  db: Db,
  actor: Actor,
  subject: queries.DocumentSubject,
): Promise<queries.FoundDocument> {
  const found = await queries.findDocument(db, subject);
  await requireAccess(db, actor, found?.projectId, "asset.read", `${subject.kind}_metadata`);
  if (!found) throw notFound(`${subject.kind}_metadata`);
  return found;
}
