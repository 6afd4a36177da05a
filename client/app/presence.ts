import { signal } from "@lit-labs/signals";
import { session } from "#client/auth/session_store.ts";
import { follow } from "#client/core/follow.ts";
import { live } from "#client/core/live.ts";
import { entity, projectId } from "#client/core/place.ts";
import type { Person } from "#server/live/contract.ts";

const people = signal<{ readonly projectId: string; readonly all: readonly Person[] } | undefined>(undefined);

/** The others who have the open project open now; none while the studio is out of reach. */
export function others(): readonly Person[] {
  const known = people.get();
  if (!known || known.projectId !== projectId() || live.state !== "live") return [];
  return known.all.filter(({ userId }) => userId !== session.me?.userId);
}

/** Tells the others what one has open, and hears where they are, until the returned function is called. */
export function followPresence(): () => void {
  let unlisten = () => {};
  let heard: string | undefined;
  const stop = follow(() => {
    const project = projectId();
    const open = entity();
    queueMicrotask(() => {
      if (project !== heard) {
        heard = project;
        unlisten();
        unlisten = project === undefined ? () => {} : live.listen({
          topics: [`project:${project}`],
          presence: (projectId, all) => projectId === heard && people.set({ projectId, all }),
        });
      }
      live.stand(project ?? null, open ? { kind: open.kind, id: open.id } : null);
    });
  });
  return () => {
    stop();
    unlisten();
    live.stand(null, null);
    people.set(undefined);
  };
}
