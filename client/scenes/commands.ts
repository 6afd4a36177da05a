import { signal } from "@lit-labs/signals";
import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { entity, go, projectId } from "#client/core/place.ts";
import type { Clip } from "#server/clips/contract.ts";
import type { Scene } from "#server/scenes/contract.ts";
import { type SceneLine, scenesOf, type SceneStore } from "./scene_store.ts";
import { w } from "./words.ts";

/** What the outline asks one to fill in. */
export type SceneAsk =
  | { readonly kind: "scene" }
  | { readonly kind: "clip"; readonly scene: Scene }
  | { readonly kind: "rename"; readonly thing: Scene | Clip };

const asked = signal<SceneAsk | undefined>(undefined);
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
      await store.changeScene(scene.id, { status: "trashed" });
      tell({
        kind: "done",
        text: w("trashedScene", { name: scene.name }),
        undo: () => store.changeScene(scene.id, { status: "active" }),
      });
    },
  },
];
