import type { Entry, PaletteSource } from "#client/app/palette_sources.ts";
import type { IconName } from "#client/ui/icons.ts";
import type { Searched } from "#server/search/contract.ts";
import { type EntityMatch, entitySearch, type FoundEntity } from "./search.ts";
import { go, select } from "./place.ts";
import { defineWords, isolate } from "./words.ts";

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
    worker: "Worker",
    batch: "Variations",
    workflow: "Workflow",
    pictures: { one: "1 picture", other: "{n} pictures" },
    foundation_from_portrait: "foundation from portrait",
    portrait_from_foundation: "portrait from foundation",
    image_to_video: "video from a picture",
    first_last_to_video: "video between two pictures",
    refine_portrait: "refines a portrait",
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
    worker: "Worker",
    batch: "Varianten",
    workflow: "Workflow",
    pictures: { one: "1 Bild", other: "{n} Bilder" },
    foundation_from_portrait: "Grundbild aus Porträt",
    portrait_from_foundation: "Porträt aus Grundbild",
    image_to_video: "Video aus einem Bild",
    first_last_to_video: "Video zwischen zwei Bildern",
    refine_portrait: "verfeinert ein Porträt",
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
  worker: "server",
  batch: "grid",
  workflow: "workflow",
};

const ROLES = [
  "foundation_from_portrait",
  "portrait_from_foundation",
  "image_to_video",
  "first_last_to_video",
  "refine_portrait",
] as const;

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
  const { id, name, thing, hint } = entity;
  return {
    id,
    name,
    hint: [w(thing), isolate(hintOf(thing, hint) ?? "")].filter(Boolean).join(" · "),
    icon: ICONS[thing],
    ranges,
    score,
    run: () => goTo(entity),
  };
}

function hintOf(thing: Searched, hint: string | undefined): string | undefined {
  if (thing === "batch") return w("pictures", { n: Number(hint) });
  const role = thing === "workflow" && ROLES.find((one) => one === hint);
  return role ? w(role) : hint;
}

function goTo({ id, thing, projectId }: FoundEntity): void {
  if (thing === "project") return go({ projectId: id });
  // No screen of its own shows it: the file itself does.
  if (thing === "asset") return void open(`/api/assets/${id}/content`, "_blank", "noopener");
  go({ ...(projectId === undefined ? {} : { projectId }), entity: { kind: thing, id } });
  // Where one of several is shown, it is this one.
  select(thing, [id]);
}
