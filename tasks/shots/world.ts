import * as characters from "#server/characters/contract.ts";
import * as clips from "#server/clips/contract.ts";
import * as jobs from "#server/jobs/contract.ts";
import * as projects from "#server/projects/contract.ts";
import * as scenes from "#server/scenes/contract.ts";
import * as seeds from "#server/seeds/contract.ts";
import type { ApiClient } from "#tasks/demo/api_client.ts";

/** Addresses of what a studio has to show; undefined where it has none. */
export interface World {
  readonly project: string;
  readonly character: string | undefined;
  readonly batch: string | undefined;
  /** Status → a clip that has it. */
  readonly clips: ReadonlyMap<string, string>;
  readonly failedJob: string | undefined;
  readonly doneJob: string | undefined;
}

/** Looks through the newest project that has clips, else the newest one. */
export async function findWorld(api: ApiClient): Promise<World> {
  const { items } = await api.call(projects.listProjects, { query: {} });
  const project = items.find(({ clips }) => clips > 0) ?? items[0];
  if (!project) throw new Error("The studio has no project to show");
  const at = `/projects/${project.id}`;
  const cast = await api.call(characters.listCharacters, { params: { projectId: project.id }, query: {} });
  let batch: string | undefined;
  let character: string | undefined;
  for (const { id } of cast.items) {
    const made = await api.call(seeds.listVariations, { params: { characterId: id }, query: {} });
    const shown = made.items.find(({ ready }) => ready > 0);
    if (!shown) continue;
    character = `${at}/characters/${id}`;
    batch = `${at}/batches/${shown.id}`;
  }
  const found = new Map<string, string>();
  for (
    const { id } of (await api.call(scenes.listScenes, { params: { projectId: project.id }, query: {} }))
      .items
  ) {
    for (const clip of (await api.call(clips.listClips, { params: { sceneId: id }, query: {} })).items) {
      found.set(clip.status, `${at}/clips/${clip.id}`);
    }
  }
  const jobOf = async (status: "failed" | "done") => {
    const [job] = (await api.call(jobs.listJobs, { query: { status } })).items;
    return job && `/jobs/${job.id}`;
  };
  return {
    project: at,
    character: character ?? (cast.items[0] && `${at}/characters/${cast.items[0].id}`),
    batch,
    clips: found,
    failedJob: await jobOf("failed"),
    doneJob: await jobOf("done"),
  };
}
