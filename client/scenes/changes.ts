import { type Changed, type Note, undoableChange } from "#client/core/undoable.ts";
import { call } from "#client/core/call.ts";
import { changeClip, type Clip } from "#server/clips/contract.ts";
import type { Scene } from "#server/scenes/contract.ts";
import { scenesOf } from "./scene_store.ts";

type SceneChange = Partial<Pick<Scene, "name" | "status">>;

/** Notes another name of a scene, or its way to the trash. */
export const noteScene: Note<Changed<SceneChange>> = undoableChange<SceneChange>(
  "scenes.change",
  // Ids that the studio gave, out of the history.
  ({ projectId, id }, change) => scenesOf(projectId).changeScene(id as Scene["id"], change),
);

/** Notes that a clip was made; taken back, it is in the trash. */
export const noteClipMade: Note<Changed<{ readonly trash: boolean }>> = undoableChange<
  { readonly trash: boolean }
>(
  "scenes.make_clip",
  async ({ id }, change) =>
    // Whoever shows its scene is told by the studio.
    void await call(changeClip, { params: { clipId: id as Clip["id"] }, body: change }),
);

/** Notes another name of a clip. */
export const noteClipName: Note<Changed<{ readonly name: string }>> = undoableChange<
  { readonly name: string }
>(
  "scenes.rename_clip",
  async ({ projectId, id }, { name }) => {
    const found = scenesOf(projectId).findClip(id);
    if (found) await scenesOf(projectId).renameClip(found.clip, name);
    // Its scene is not open: the studio tells whoever shows it.
    else await call(changeClip, { params: { clipId: id as Clip["id"] }, body: { name } });
  },
);
