import { signal } from "@lit-labs/signals";
import type { Command } from "#client/core/commands.ts";
import { keptSignal } from "#client/core/kept_signal.ts";
import { tell } from "#client/core/notices.ts";
import { entity, go, projectId } from "#client/core/place.ts";
import { openSeeds } from "#client/seeds/open_pair.ts";
import type { Clip } from "#server/clips/contract.ts";
import type { Scene } from "#server/scenes/contract.ts";
import type { Seed } from "#server/seeds/contract.ts";
import { noteScene } from "./changes.ts";
import { type SceneLine, scenesOf, type SceneStore } from "./scene_store.ts";
import { w } from "./words.ts";

/** What the outline asks one to fill in. */
export type SceneAsk =
  | { readonly kind: "scene" }
  | { readonly kind: "clip"; readonly scene: Scene; readonly characterId?: string | undefined }
  | { readonly kind: "rename"; readonly thing: Scene | Clip };

const asked = keptSignal<SceneAsk | undefined>("scenes_ask", undefined);
const picked = signal<string | undefined>(undefined);

/** The form that is open, if any. */
export function sceneAsk(): SceneAsk | undefined {
  return asked.get();
}

export function askForScene(ask: SceneAsk | undefined): void {
  asked.set(ask);
}

/** The line of the outline that has the keyboard; commands take it before what is open. */
export function pickLine(id: string | undefined): void {
  picked.set(id);
}

function openScenes(): SceneStore | undefined {
  const project = projectId();
  return project === undefined ? undefined : scenesOf(project);
}

/** What is picked in the outline, else what is open. */
function pickedThing(): { line: SceneLine; clip?: Clip } | undefined {
  const store = openScenes();
  for (const id of [picked.get(), entity()?.id]) {
    if (!store || id === undefined) continue;
    const line = store.find(id);
    const found = line ? { line } : store.findClip(id);
    if (found) return found;
  }
  return undefined;
}

/** The scene into which a new clip goes: the picked one, else the last. */
function sceneForClip(): Scene | undefined {
  return (pickedThing()?.line ?? openScenes()?.all.at(-1))?.scene;
}

/** The approved hero of the open character. */
function openHero(): Seed | undefined {
  return openSeeds()?.all.find(({ status, approvedAt }) => status === "hero" && approvedAt !== null);
}

const FIRST_NUMBER = "010";
const SCOPE = ["outline"];
const group = () => w("scenes");

export const sceneCommands: readonly Command[] = [
  {
    id: "scenes.create",
    label: () => w("createScene"),
    group,
    icon: "clapperboard",
    keys: ["shift+n"],
    scope: SCOPE,
    permission: "clip.edit",
    when: () => projectId() !== undefined,
    whyNot: () => w("noProject"),
    run: () => {
      go({ screen: "scenes", entity: entity() });
      asked.set({ kind: "scene" });
    },
  },
  {
    id: "clips.create",
    label: () => w("createClip"),
    group,
    icon: "plus",
    keys: ["n"],
    scope: SCOPE,
    permission: "clip.edit",
    when: () => sceneForClip() !== undefined,
    whyNot: () => w(projectId() === undefined ? "noProject" : "needsScene"),
    run: () => {
      const scene = sceneForClip();
      if (!scene) return;
      go({ screen: "scenes", entity: entity() });
      asked.set({ kind: "clip", scene });
    },
  },
  {
    id: "clips.begin",
    label: () => w("beginClip"),
    group,
    icon: "clapperboard",
    keys: ["m"],
    scope: ["character", "variations"],
    permission: "clip.edit",
    when: () => openHero() !== undefined,
    whyNot: () => w("needsHero"),
    run: async () => {
      const [hero, store] = [openHero(), openScenes()];
      if (!hero || !store) return;
      await store.reading.read();
      const scene = store.all.at(-1)?.scene ?? await createFirst(store);
      go({ screen: "scenes", entity: { kind: "scene", id: scene.id } });
      asked.set({ kind: "clip", scene, characterId: hero.characterId });
    },
  },
  {
    id: "scenes.rename",
    label: () => w("rename"),
    group,
    icon: "edit",
    keys: ["f2"],
    scope: SCOPE,
    permission: "clip.edit",
    when: () => pickedThing() !== undefined,
    whyNot: () => w("needsPicked"),
    run: () => {
      const found = pickedThing();
      if (found) asked.set({ kind: "rename", thing: found.clip ?? found.line.scene });
    },
  },
  {
    id: "scenes.trash",
    label: () => w("trashScene"),
    group,
    icon: "trash",
    scope: SCOPE,
    isDanger: true,
    permission: "clip.edit",
    when: () => pickedThing() !== undefined,
    whyNot: () => w("needsPicked"),
    run: async () => {
      const store = openScenes();
      const scene = pickedThing()?.line.scene;
      if (!store || !scene) return;
      const { id, projectId, name } = scene;
      const [before, after] = [{ status: "active" }, { status: "trashed" }] as const;
      const text = w("trashedScene", { name });
      const undo = noteScene(text, { projectId, id, before, after });
      await undo.settle(store.changeScene(id, after));
      tell({ kind: "done", text, undo });
    },
  },
];

async function createFirst(store: SceneStore): Promise<Scene> {
  const scene = await store.createScene(w("sceneName", { number: FIRST_NUMBER }));
  const { id, projectId, name } = scene;
  const [before, after] = [{ status: "trashed" }, { status: "active" }] as const;
  noteScene(w("created", { name }), { projectId, id, before, after });
  return scene;
}
