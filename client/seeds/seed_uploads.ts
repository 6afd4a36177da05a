import { signal } from "@lit-labs/signals";
import { tellError } from "#client/core/notices.ts";
import { type Upload, uploads } from "#client/core/upload.ts";
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

interface Purpose {
  readonly characterId: string;
  readonly kind: SeedKind;
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
  const { projectId, characterId, kind, replacesSeedId } = given;
  const name = file.name || w("pastedName");
  const [upload] = await uploads.add([{ file, path: name }], {
    projectId,
    done: ({ id }) => void take(id),
  });
  if (!upload) return;
  const localUrl = URL.createObjectURL(file);
  purposes.set(new Map(purposes.get()).set(upload.id, { characterId, kind, localUrl }));

  async function take(id: string): Promise<void> {
    try {
      await seedsOf(projectId, characterId).add({
        kind,
        assetId: id as NonNullable<Seed["assetId"]>,
        ...(replacesSeedId ? { replacesSeedId } : {}),
      });
    } catch (error) {
      tellError(error, w("giveFailed", { name }));
    } finally {
      forget(id);
    }
  }
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
