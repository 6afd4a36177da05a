import { session } from "#client/auth/session_store.ts";
import { forgetFacts } from "#client/core/cache.ts";
import { forgetUploads } from "#client/core/upload_memory.ts";
import { workspace } from "#client/core/workspace.ts";
import { forgetWorkspaces } from "#client/core/workspace_memory.ts";

/** What the studio's page keeps of a user beside the databases; theme and language are the browser's. */
const OF_USER = ["seedloop.dock", "seedloop.keys", "seedloop.project", "seedloop.recent"] as const;

/**
 * Signs out, by `leave`, and leaves nothing of the user in this browser, also not in the page's memory: it is loaded
 * anew. Work that the studio could not be given stays, for the same user's next visit. Throws what `leave` throws.
 */
export async function signOut(leave: () => Promise<void> = () => session.signOut()): Promise<void> {
  const { me } = session;
  const isSaved = await workspace.flush().then(() => workspace.state === "saved", () => false);
  await leave();
  if (me) await forgetUser(me.userId, isSaved);
  location.replace("/");
}

/** Forgets what this browser keeps of a user; workspaces only where the studio has all of them. */
export async function forgetUser(userId: string, isSaved: boolean): Promise<void> {
  for (const key of OF_USER) localStorage.removeItem(key);
  await Promise.all([
    forgetFacts(userId),
    forgetUploads(userId),
    ...(isSaved ? [forgetWorkspaces(userId)] : []),
  ]);
}
