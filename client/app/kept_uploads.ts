import { uploads } from "#client/core/upload.ts";
import { reviveSeedUpload } from "#client/seeds/seed_uploads.ts";

/**
 * Goes on with the uploads that a former visit of this user left unfinished. One tab of a browser does; a second one
 * would send the same bytes beside it.
 */
export async function takeUpUploads(userId: string): Promise<void> {
  // Without a secure origin there are no locks; then two tabs at the start are the lesser evil.
  if (!navigator.locks) return await uploads.restore(userId, reviveSeedUpload);
  await navigator.locks.request(`seedloop.uploads.${userId}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await uploads.restore(userId, reviveSeedUpload);
    // Held as long as the page is there.
    await new Promise<never>(() => {});
  });
}
