import { join } from "@std/path/mod.js";
import { AppError, errorMessage } from "#server/core/errors.ts";

const FOLDERS = ["store", "work", "trash"] as const;

/** Makes the studio's folder and checks that it can be written. Touches nothing that another studio may be using. */
export async function prepareFolder(root: string): Promise<void> {
  try {
    // Others may pass through: under root the database runs as another user.
    await Deno.mkdir(root, { recursive: true, mode: 0o755 });
    const probe = join(root, ".probe");
    using file = await Deno.open(probe, { create: true, write: true, truncate: true });
    await file.write(new Uint8Array(64 * 1024));
    await file.sync();
    await Deno.remove(probe);
    for (const folder of FOLDERS) await Deno.mkdir(join(root, folder), { recursive: true });
  } catch (error) {
    throw folderError(root, error);
  }
}

/**
 * Removes what a killed studio left in the scratch folder. Only for who holds the folder's lock: each running job has
 * its files there.
 */
export async function emptyWork(root: string): Promise<void> {
  const work = join(root, "work");
  for await (const entry of Deno.readDir(work)) {
    // Children of a killed studio live for up to two seconds more and may be removing the same files.
    await Deno.remove(join(work, entry.name), { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw folderError(work, error);
    });
  }
}

function folderError(root: string, error: unknown): AppError {
  const reason = errorMessage(error);
  if (/ENOSPC|No space left|os error 28/.test(reason)) {
    return new AppError(
      "storage_full",
      `Cannot start: the disk of ${root} is full. Free some space, or choose another folder with --data`,
    );
  }
  if (/EROFS|Read-only|os error 30/.test(reason)) {
    return new AppError(
      "invalid",
      `Cannot start: ${root} is on a read-only disk. Choose another folder with --data`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new AppError(
      "invalid",
      `Cannot start: ${root} can't be written by this user. Change its owner, or choose another folder with --data`,
    );
  }
  return new AppError(
    "invalid",
    `Cannot start: ${root} can't be used as the data folder (${reason}). Choose another one with --data`,
  );
}

/** Holds the folder for this process; the system lets go of it however the process ends. */
export async function lockFolder(root: string): Promise<{ release(): void }> {
  const path = join(root, "studio.lock");
  const file = await Deno.open(path, { create: true, read: true, write: true });
  if (!await file.tryLock(true)) {
    file.close();
    const holder = (await Deno.readTextFile(path).catch(() => "")).trim();
    throw new AppError(
      "conflict",
      `Cannot start: another studio${
        holder ? ` (process ${holder})` : ""
      } uses ${root}. Stop it first, or choose another folder with --data`,
    );
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return { release: () => file.close() };
}
