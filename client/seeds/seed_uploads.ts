import { signal } from "@lit-labs/signals";
import { ApiError } from "#client/core/call.ts";
import { tellError } from "#client/core/notices.ts";
import { isPassing, type Upload, uploads, type UploadTarget } from "#client/core/upload.ts";
import type { KeptUpload } from "#client/core/upload_memory.ts";
import { newId } from "#server/core/id.ts";
import type { Seed, SeedKind } from "#server/seeds/contract.ts";
import { seedsOf } from "./seed_store.ts";
import { w } from "./words.ts";

/** A still on its way to be a seed. */
export interface SeedUpload {
  readonly upload: Upload;
  readonly characterId: string;
  readonly kind: SeedKind;
  /** The picture as this browser has it. */
  readonly localUrl: string;
}

/** What a still is for. It goes with the upload, so that a reload of the page loses nothing of it. */
interface SeedPurpose {
  readonly gives: "seed";
  /** Of the seed that it becomes: however often it is asked for, there is one. */
  readonly seedId: Seed["id"];
  readonly characterId: string;
  readonly kind: SeedKind;
  readonly replacesSeedId?: Seed["id"] | undefined;
}

interface Purpose extends SeedPurpose {
  readonly localUrl: string;
}

const purposes = signal<ReadonlyMap<string, Purpose>>(new Map());

/** Stills on their way to this character as that kind, the newest first; failed ones until they are put away. */
export function seedUploads(characterId: string, kind: SeedKind): readonly SeedUpload[] {
  return uploads.all.flatMap((upload) => {
    const purpose = purposes.get().get(upload.id);
    return purpose?.characterId === characterId && purpose.kind === kind ? [{ upload, ...purpose }] : [];
  }).reverse();
}

/** Sends a still and gives it as a seed once it is there, in place of `replacesSeedId` where that is given. */
export async function giveStill(
  file: File,
  given: {
    readonly projectId: string;
    readonly characterId: string;
    readonly kind: SeedKind;
    readonly replacesSeedId?: Seed["id"] | undefined;
  },
): Promise<void> {
  const { projectId, ...what } = given;
  const purpose: SeedPurpose = { gives: "seed", seedId: newId<"seed">(), ...what };
  const [upload] = await uploads.add([{ file, path: file.name || w("pastedName") }], {
    projectId,
    purpose,
    done: (upload) => giveUpload(upload, purpose),
  });
  if (upload) note(upload.id, purpose, file);
}

/** Takes up a still that a former visit left unfinished: it shows in its slot, and becomes what it was given as. */
export function reviveSeedUpload({ id, purpose, file }: KeptUpload): UploadTarget["done"] {
  if (!isSeedPurpose(purpose) || !file) return undefined;
  note(id, purpose, file);
  return (upload) => giveUpload(upload, purpose);
}

function isSeedPurpose(purpose: unknown): purpose is SeedPurpose {
  return typeof purpose === "object" && purpose !== null && "gives" in purpose && purpose.gives === "seed";
}

function note(uploadId: string, purpose: SeedPurpose, file: File): void {
  const localUrl = URL.createObjectURL(file);
  purposes.set(new Map(purposes.get()).set(uploadId, { ...purpose, localUrl }));
}

async function giveUpload({ id, projectId, path }: Upload, purpose: SeedPurpose): Promise<void> {
  const { seedId, characterId, kind, replacesSeedId } = purpose;
  try {
    await seedsOf(projectId, characterId).add({
      id: seedId,
      kind,
      assetId: id as NonNullable<Seed["assetId"]>,
      ...(replacesSeedId ? { replacesSeedId } : {}),
    });
  } catch (error) {
    if (error instanceof ApiError && isPassing(error)) throw error;
    tellError(error, w("giveFailed", { name: path }));
  }
  forget(id);
}

/** Stops one that is under way, or puts away one that failed. */
export async function dropSeedUpload(uploadId: string): Promise<void> {
  forget(uploadId);
  await uploads.cancel(uploadId);
}

function forget(uploadId: string): void {
  const rest = new Map(purposes.get());
  const known = rest.get(uploadId);
  // The real picture takes its place a moment later.
  if (known) setTimeout(() => URL.revokeObjectURL(known.localUrl), 10_000);
  rest.delete(uploadId);
  purposes.set(rest);
}
