import { call } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { inOrder } from "#client/core/order.ts";
import { callPages, orGone, Store, storesBy } from "#client/core/store.ts";
import {
  changeClip,
  type Clip,
  type ClipCard,
  clipChanged,
  type ClipInput,
  createClip,
  listClips,
} from "#server/clips/contract.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import {
  changeScene,
  createScene,
  getScene,
  listScenes,
  type Scene,
  sceneChanged,
} from "#server/scenes/contract.ts";

/** A scene with its clips in their order. */
export interface SceneLine {
  readonly scene: Scene;
  readonly clips: readonly ClipCard[];
}

type ProjectId = Scene["projectId"];

/** The scenes of one project with their clips, in order, and what can be done with them. */
export class SceneStore {
  readonly #store: Store<SceneLine>;
  readonly #projectId: ProjectId;

  constructor(projectId: string) {
    // An id that the studio gave, out of an address.
    this.#projectId = projectId as ProjectId;
    this.#store = new Store<SceneLine>({
      idOf: ({ scene }) => scene.id,
      list: async () => {
        const scenes = await callPages(listScenes, { params: { projectId: this.#projectId } });
        return await Promise.all(scenes.map((scene) => withClips(scene)));
      },
      read: async (id) => {
        const scene = await orGone(call(getScene, { params: { sceneId: id as Scene["id"] } }));
        return scene && await withClips(scene);
      },
      topics: () => [`project:${projectId}`],
      concerns: readSceneIds,
      keeps: ({ scene }) => scene.status !== "trashed",
      order: (one, other) =>
        one.scene.position - other.scene.position || inOrder(one.scene.id, other.scene.id),
    }, live);
  }

  get all(): readonly SceneLine[] {
    return this.#store.items;
  }

  get reading(): Pick<Store<SceneLine>, "isKnown" | "isStale" | "problem" | "read"> {
    return this.#store;
  }

  find(sceneId: string): SceneLine | undefined {
    return this.#store.find(sceneId);
  }

  findClip(clipId: string): { readonly line: SceneLine; readonly clip: ClipCard } | undefined {
    for (const line of this.all) {
      const clip = line.clips.find(({ id }) => id === clipId);
      if (clip) return { line, clip };
    }
    return undefined;
  }

  open(): () => void {
    return this.#store.open();
  }

  /** Each of these throws ApiError. */
  async createScene(name: string): Promise<Scene> {
    const scene = await call(createScene, {
      params: { projectId: this.#projectId },
      body: { id: newId<"scene">(), name },
    });
    this.#store.put({ scene, clips: [] });
    return scene;
  }

  async createClip(
    sceneId: Scene["id"],
    input: Pick<ClipInput, "name" | "characterId" | "frames">,
  ): Promise<Clip> {
    const clip = await call(createClip, { params: { sceneId }, body: { id: newId<"clip">(), ...input } });
    const line = this.find(sceneId);
    const card = { ...clip, picture: null };
    if (line) this.#store.put({ ...line, clips: [...line.clips.filter(({ id }) => id !== clip.id), card] });
    return clip;
  }

  async changeScene(
    sceneId: Scene["id"],
    change: { name?: string; status?: Scene["status"] },
  ): Promise<void> {
    await this.#store.act(
      sceneId,
      (line) => line && { ...line, scene: { ...line.scene, ...change } },
      async () => void await call(changeScene, { params: { sceneId }, body: change }),
    );
  }

  async renameClip(clip: Clip, name: string): Promise<void> {
    await this.#store.act(
      clip.sceneId,
      (line) =>
        line && { ...line, clips: line.clips.map((each) => each.id === clip.id ? { ...each, name } : each) },
      async () => void await call(changeClip, { params: { clipId: clip.id }, body: { name } }),
    );
  }
}

async function withClips(scene: Scene): Promise<SceneLine> {
  const clips = await callPages(listClips, { params: { sceneId: scene.id } });
  return { scene, clips: clips.filter(({ status }) => status !== "trashed") };
}

function readSceneIds({ code, data }: LiveEvent): readonly string[] | undefined {
  const kind = code === sceneChanged.code
    ? sceneChanged
    : code === clipChanged.code
    ? clipChanged
    : undefined;
  const read = kind?.data.safeParse(data);
  return read?.success ? [read.data.sceneId] : undefined;
}

/** The scenes of a project; the same store for all who ask. */
export const scenesOf: (projectId: string) => SceneStore = storesBy((projectId) => new SceneStore(projectId));
