import * as assets from "#server/assets/contract.ts";
import { createToken } from "#server/auth/contract.ts";
import * as characters from "#server/characters/contract.ts";
import * as clips from "#server/clips/contract.ts";
import * as fleet from "#server/fleet/contract.ts";
import * as projects from "#server/projects/contract.ts";
import * as review from "#server/review/contract.ts";
import * as scenes from "#server/scenes/contract.ts";
import * as seeds from "#server/seeds/contract.ts";
import { inviteUser, listUsers } from "#server/users/contract.ts";
import { until } from "#server/testing/until.ts";
import { ApiClient, ApiError } from "#tasks/demo/api_client.ts";
import { defaultPortrait } from "#tasks/demo/portrait.ts";

/** As long as a name on a screen may be that has to stay readable. */
export const LONG_NAME = "Marguerite-Éléonore van der Hooghenbrugghe-Vandersteen the Second of Her Name A";
/** A render on two busy cores. */
/** For renders of a machine that takes pictures meanwhile. */
export const PATIENT = { everyMs: 300, patienceMs: 300_000 };

/** Makes what a studio has after a day: people, tokens, workers and projects. */
export async function addPeople(api: ApiClient): Promise<void> {
  const people = [["grace", "Grace Hopper", "creator"], ["long.name", LONG_NAME, "creator"], [
    "iris",
    "Iris",
    "reviewer",
  ]] as const;
  for (const [login, displayName, role] of people) {
    await api.call(inviteUser, { body: { login, displayName, role } });
  }
  await api.call(createToken, {
    body: { name: "Nightly render", scopes: ["read", "submit"], expiresInDays: 30 },
  });
  await api.call(createToken, { body: { name: LONG_NAME, scopes: ["read"] } });
  // Nothing answers there: how a worker looks that was switched off.
  await mayRefuse(api.call(fleet.addWorker, { body: { name: "gpu-b", url: "http://127.0.0.1:59999" } }));
}

/** Everyone who is in the studio works on it. */
export async function addMembers(api: ApiClient, project: projects.Project): Promise<void> {
  for (const { id, role } of (await api.call(listUsers, { query: {} })).items) {
    await api.call(projects.setMember, { params: { projectId: project.id, userId: id }, body: { role } });
  }
}

export async function addProject(api: ApiClient, name: string): Promise<projects.Project> {
  return await api.call(projects.createProject, { body: { name, widthPx: 384, heightPx: 256 } });
}

/** A character with portrait, nine variations of which some are decided, and the approved hero. */
export async function addCharacter(api: ApiClient, project: projects.Project) {
  const character = await api.call(characters.createCharacter, {
    params: { projectId: project.id },
    body: { name: "Jane" },
  });
  await api.call(characters.createCharacter, {
    params: { projectId: project.id },
    body: { name: LONG_NAME },
  });
  const picture = await api.upload(assets.uploadAsset, {
    params: { projectId: project.id },
    query: { name: "jane.png" },
  }, await defaultPortrait());
  const portrait = await api.call(seeds.addSeed, {
    params: { characterId: character.id },
    body: { kind: "portrait", assetId: picture.id },
  });
  await until("the portrait", async () => {
    const { status } = await api.call(seeds.getSeed, { params: { seedId: portrait.id } });
    return status !== "making";
  }, PATIENT);
  const batch = await api.call(seeds.createVariations, {
    params: { characterId: character.id },
    body: { portraitSeedId: portrait.id, count: 9, baseRandomSeed: 7 },
  });
  let made: readonly seeds.Seed[] = [];
  await until("the variations", async () => {
    made = (await api.call(seeds.getVariations, { params: { batchId: batch.id } })).seeds;
    return made.every(({ status }) => status !== "making");
  }, PATIENT);
  const [hero, ...others] = made;
  for (const [index, { id }] of others.slice(0, 5).entries()) {
    const body = index < 3 ? { status: "kept" as const, rating: 5 - index } : { status: "rejected" as const };
    await api.call(seeds.cullSeed, { params: { seedId: id }, body });
  }
  if (!hero) throw new Error("No variation was made");
  await api.call(seeds.chooseHero, { params: { seedId: hero.id }, body: { approve: true } });
  return { character, portrait, hero, batch };
}

type Cast = Awaited<ReturnType<typeof addCharacter>>;

/** A finished clip of 2 s, a draft of a long name, one of 20 s to run, and one that needs a person. */
export async function addClips(api: ApiClient, project: projects.Project, cast: Cast) {
  const scene = await api.call(scenes.createScene, {
    params: { projectId: project.id },
    body: { name: "Scene 010" },
  });
  await api.call(scenes.createScene, { params: { projectId: project.id }, body: { name: LONG_NAME } });
  const add = (name: string, frames: number, more: Partial<clips.ClipInput> = {}) =>
    api.call(clips.createClip, {
      params: { sceneId: scene.id },
      body: {
        name,
        frames,
        characterId: cast.character.id,
        portraitSeedId: cast.portrait.id,
        heroSeedId: cast.hero.id,
        randomSeed: 3,
        prompt: "She turns to the window and smiles",
        ...more,
      },
    });
  const final = await add("Clip 010", 48);
  const draft = await add(LONG_NAME, 240);
  const running = await add("Clip 030", 480);
  const attention = await add("Clip 040", 48, { likenessFloor: 1, rerollLimit: 0 });
  await api.call(clips.generateClip, { params: { clipId: final.id } });
  await api.call(clips.generateClip, { params: { clipId: attention.id } });
  await until("the finished clip", async () => {
    const state = await api.call(clips.getClip, { params: { clipId: final.id } });
    const cut = state.cuts.findLast(({ status }) => status === "ready");
    if (state.status === "in_review" && cut) {
      await api.call(review.finalizeCut, { params: { cutId: cut.id }, body: { note: "as asked" } });
    }
    return state.status === "final" || state.status === "needs_attention";
  }, PATIENT);
  await until("the clip that needs a person", async () => {
    const { status } = await api.call(clips.getClip, { params: { clipId: attention.id } });
    return status === "needs_attention" || status === "in_review";
  }, PATIENT);
  return { scene, final, draft, running, attention };
}

/** A job that failed: a picture whose end is missing. */
export async function addFailure(api: ApiClient, project: projects.Project, cast: Cast): Promise<void> {
  const whole = await defaultPortrait();
  await mayRefuse((async () => {
    const picture = await api.upload(assets.uploadAsset, {
      params: { projectId: project.id },
      query: { name: "half.png" },
    }, whole.slice(0, whole.length / 3));
    await api.call(seeds.addSeed, {
      params: { characterId: cast.character.id },
      body: { kind: "foundation", assetId: picture.id },
    });
  })());
}

async function mayRefuse(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
