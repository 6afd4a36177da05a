import { signal } from "@lit-labs/signals";
import { call } from "#client/core/call.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { entity, projectId } from "#client/core/place.ts";
import { charactersOf } from "./character_store.ts";
import { getSeed, getVariations, type Seed, type VariationBatch } from "#server/seeds/contract.ts";

/** Which character a batch or a seed belongs to. */
const owners = signal<ReadonlyMap<string, string>>(new Map());
/** The character that was open last, by project. */
const lastOpen = keptSignal<Readonly<Record<string, string>>>("characters_last", {});
const asked = new Set<string>();

/**
 * The open character, or the one whose batch or seed is open; else the one that was open last in this project, else
 * its first one.
 */
export function openCharacterId(): string | undefined {
  const open = entity();
  if (open?.kind === "character") return open.id;
  if (open?.kind === "batch" || open?.kind === "seed") {
    const owner = owners.get().get(open.id);
    if (owner !== undefined) return owner;
    void askOwner(open.kind, open.id);
  }
  const project = projectId();
  if (project === undefined) return undefined;
  const last = lastOpen.get()[project];
  const characters = charactersOf(project);
  return last !== undefined && characters.find(last) ? last : characters.all[0]?.id;
}

/** The batch that is open. */
export function openBatchId(): string | undefined {
  return entity("batch")?.id;
}

/** Tells what is known already, so that nobody needs to ask the studio. */
export function noteOwner(thingId: string, characterId: string): void {
  if (owners.get().get(thingId) !== characterId) owners.set(new Map(owners.get()).set(thingId, characterId));
}

export function noteOpen(project: string, characterId: string): void {
  if (lastOpen.get()[project] !== characterId) {
    lastOpen.set({ ...lastOpen.get(), [project]: characterId });
  }
}

async function askOwner(kind: "batch" | "seed", id: string): Promise<void> {
  if (asked.has(id)) return;
  asked.add(id);
  try {
    // Out of an address: the studio says whether it is one.
    const found = kind === "batch"
      ? await call(getVariations, { params: { batchId: id as VariationBatch["id"] } })
      : await call(getSeed, { params: { seedId: id as Seed["id"] } });
    noteOwner(id, found.characterId);
  } catch {
    // Gone, or no access, or no studio: the page says so by the list it shows instead.
    asked.delete(id);
  }
}
