import type { Actor } from "#server/core/actor.ts";
import { notFound } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
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
 * Brings the character's `character_metadata.json` up to date in the caller's transaction: where facts differ from
 * the newest version, a new one is written; its file is durable first, its rows come with the commit, older ones stay.
 */
export async function writeCharacterDocument(
  place: DocumentPlace,
  characterId: string,
): Promise<queries.FoundDocument | undefined> {
  await queries.lockCharacter(place.db, characterId);
  const facts = await queries.readCharacter(place.db, characterId);
  if (!facts) return undefined;
  return await save(place, { kind: "character", characterId }, CharacterMetadata, facts);
}

/** The same for the cut's `video_metadata.json`. */
export async function writeVideoDocument(
  place: DocumentPlace,
  cutId: string,
): Promise<queries.FoundDocument | undefined> {
  await queries.lockCut(place.db, cutId);
  const facts = await queries.readVideo(place.db, cutId);
  if (!facts) return undefined;
  const { start_frame: startFrame, ...technical } = facts.technical;
  return await save(place, { kind: "video", cutId }, VideoMetadata, {
    ...facts,
    technical: {
      ...technical,
      duration_us: durationUs(technical.frames, technical.rate),
      start_timecode: timecode(startFrame, technical.rate),
    },
  });
}

/**
 * Brings every document that tells of a project, scene, clip or character up to date, in the transaction that changes
 * it: a new name is in them at once. Cuts without a document have none to bring up to date.
 */
export async function renewDocuments(place: DocumentPlace, scope: queries.DocumentScope): Promise<void> {
  const { characterIds, cutIds } = await queries.listSubjects(place.db, scope);
  for (const characterId of characterIds) await writeCharacterDocument(place, characterId);
  for (const cutId of cutIds) await writeVideoDocument(place, cutId);
}

async function save(
  { db, store }: DocumentPlace,
  subject: queries.DocumentSubject,
  schema: typeof CharacterMetadata | typeof VideoMetadata,
  facts: { readonly project: { readonly id: string }; readonly [fact: string]: unknown },
): Promise<queries.FoundDocument> {
  const newest = await queries.findDocument(db, subject);
  const version = (newest?.version ?? 0) + 1;
  const name = `${subject.kind}_metadata`;
  const document = schema.parse({
    $schema: `/api/schemas/${name}`,
    schema_version: SCHEMA_VERSION,
    document_version: version,
    written_at: new Date().toISOString(),
    ...facts,
  });
  if (newest && await saysTheSame(store, newest, document)) return newest;
  const text = JSON.stringify(document, null, 2) + "\n";
  const file = await store.put(new TextEncoder().encode(text), "application/json");
  const projectId = facts.project.id;
  const assetId = await addAsset(db, {
    projectId,
    file,
    kind: "metadata",
    retention: "keep",
    name: `${name}.json`,
  });
  const row = { ...subject, id: newId(), version, schemaVersion: SCHEMA_VERSION, assetId };
  await queries.insertDocument(db, row);
  return { ...file, assetId, projectId, version };
}

/** Whether a stored document holds the same facts; its number and time aside. */
async function saysTheSame(store: FileStore, stored: FileRef, document: object): Promise<boolean> {
  const text = await new Response(await store.read(stored.hash)).text();
  const own = { document_version: 0, written_at: "" };
  return JSON.stringify({ ...JSON.parse(text), ...own }) === JSON.stringify({ ...document, ...own });
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
