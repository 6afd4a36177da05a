import type { Entry, PaletteSource } from "#client/app/palette_sources.ts";
import type { IconName } from "#client/ui/icons.ts";
import type { Searched } from "#server/search/contract.ts";
import { type EntityMatch, entitySearch } from "./search.ts";
import { go } from "./place.ts";
import { defineWords } from "./words.ts";

const w = defineWords({
  en: {
    entities: "In the studio",
    project: "Project",
    character: "Character",
    scene: "Scene",
    clip: "Clip",
    asset: "Asset",
    job: "Job",
    user: "User",
  },
  de: {
    entities: "Im Studio",
    project: "Projekt",
    character: "Figur",
    scene: "Szene",
    clip: "Clip",
    asset: "Datei",
    job: "Auftrag",
    user: "Person",
  },
});

const ICONS: Readonly<Record<Searched, IconName>> = {
  project: "folder",
  character: "face",
  scene: "clapperboard",
  clip: "film",
  asset: "image",
  job: "activity",
  user: "user",
};

/** What the palette finds of the studio's things; choosing one goes to it. `boost` adds to what was used lately. */
export function makeEntitySource(boost: () => (id: string) => number): PaletteSource {
  return {
    id: "entities",
    label: () => w("entities"),
    prefix: "@",
    find: async (query, limit, stop) => {
      // Names may be read while the first letters are typed; what is held already answers at once.
      const load = entitySearch.load().catch(() => {});
      if (entitySearch.size === 0) await load;
      const add = boost();
      if (query === "") {
        return entitySearch.newest(limit, (id) => add(id) > 0)
          .map((entity) => entryOf({ entity, score: add(entity.id), ranges: [] }));
      }
      const found = await entitySearch.find(query, limit, stop, ({ id }) => add(id));
      return found.map(entryOf);
    },
  };
}

function entryOf({ entity, score, ranges }: EntityMatch): Entry {
  const { id, name, thing, projectId, hint } = entity;
  return {
    id,
    name,
    hint: [w(thing), hint].filter(Boolean).join(" · "),
    icon: ICONS[thing],
    ranges,
    score,
    run: () => go(thing === "project" ? { projectId: id } : { projectId, entity: { kind: thing, id } }),
  };
}
