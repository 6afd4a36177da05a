import { basename, join } from "node:path";
import * as assets from "#server/assets/contract.ts";
import * as characters from "#server/characters/contract.ts";
import * as clips from "#server/clips/contract.ts";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { delay } from "#server/core/time.ts";
import * as delivery from "#server/delivery/contract.ts";
import * as metadata from "#server/metadata/contract.ts";
import * as projects from "#server/projects/contract.ts";
import * as review from "#server/review/contract.ts";
import * as scenes from "#server/scenes/contract.ts";
import * as seeds from "#server/seeds/contract.ts";
import type { ApiClient } from "./api_client.ts";
import type { DemoOptions } from "./options.ts";
import { defaultPortrait } from "./portrait.ts";
import type { Progress } from "./progress_bars.ts";

export interface DemoResult {
  readonly engine: string;
  readonly frames: number;
  readonly rate: { num: number; den: number };
  readonly size: [number, number];
  readonly segments: {
    index: number;
    frames: number;
    endFrame: number;
    stability: number | null;
    likeness: number | null;
  }[];
  readonly likeness: { min: number | null; median: number | null; coverage: number } | null;
  readonly seams: { frame: number; verdict: string }[];
  readonly files: Record<string, string>;
  readonly timings: Record<string, number>;
}

/** Seconds since the last lap, for the timings in the result. */
class Stopwatch {
  #at = performance.now();
  lap(): number {
    const now = performance.now();
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    return Math.round(seconds * 1000) / 1000;
  }
}

/** The main path of SPEC §1 through the public API. Ids are made here, so a call that is repeated makes nothing twice. */
export async function travel(
  api: ApiClient,
  options: DemoOptions,
  bars: Progress,
  readyS: number,
): Promise<DemoResult> {
  const watch = new Stopwatch();
  const project = await api.call(projects.createProject, {
    body: {
      id: newId<"project">(),
      name: `Demo ${new Date().toISOString().slice(0, 19).replaceAll(":", ".")}`,
      rate: options.rate,
      widthPx: options.size.width,
      heightPx: options.size.height,
    },
  });
  const character = await api.call(characters.createCharacter, {
    params: { projectId: project.id },
    body: { id: newId<"character">(), name: "Demo character" },
  });
  const portrait = await addPortrait(api, options, bars, project.id, character.id);
  const hero = await makeHero(api, options, bars, character.id, portrait.id);
  const foundationS = watch.lap();

  const scene = await api.call(scenes.createScene, {
    params: { projectId: project.id },
    body: { id: newId<"scene">(), name: "Scene 010" },
  });
  const clip = await api.call(clips.createClip, {
    params: { sceneId: scene.id },
    body: {
      id: newId<"clip">(),
      name: "Clip 010",
      characterId: character.id,
      frames: options.frames,
      portraitSeedId: portrait.id,
      heroSeedId: hero.id,
      randomSeed: options.randomSeed,
    },
  });
  const plan = await api.call(clips.planClip, { params: { clipId: clip.id } });
  await api.call(clips.generateClip, { params: { clipId: clip.id } });
  let segmentsS = 0;
  const state = await waitForCut(api, clip.id, plan, bars, () => segmentsS = watch.lap());
  const cut = state.cuts.findLast((each) => each.status === "ready" || each.status === "final");
  if (!cut) throw new AppError("internal", "The clip is in review but has no cut");
  await api.call(review.finalizeCut, {
    params: { cutId: cut.id },
    body: { id: newId<"decision">(), note: "demo" },
  });
  const stitchS = watch.lap();

  const files = await deliver(api, options, bars, { sceneId: scene.id, characterId: character.id, cut });
  const deliveryS = watch.lap();
  bars.done("delivery", files.master);
  return {
    engine: plan.isCpuPreview ? "cpu-preview" : plan.workflowTitle,
    frames: cut.frames,
    rate: cut.rate,
    size: [cut.widthPx, cut.heightPx],
    segments: chosenTakes(state).map(({ index, take }) => ({
      index,
      frames: (take.endFrame ?? -1) + 1,
      endFrame: take.endFrame ?? 0,
      stability: take.stability,
      likeness: take.likeness?.median ?? null,
    })),
    likeness: cut.likeness,
    seams: cut.seams.map(({ frame, verdict }) => ({ frame, verdict })),
    files,
    timings: {
      ready: readyS,
      foundation: foundationS,
      segments: segmentsS,
      stitch: stitchS,
      delivery: deliveryS,
      total: Math.round((readyS + foundationS + segmentsS + stitchS + deliveryS) * 1000) / 1000,
    },
  };
}

async function addPortrait(
  api: ApiClient,
  options: DemoOptions,
  bars: Progress,
  projectId: string,
  characterId: string,
) {
  bars.set("portrait", 0, "uploading");
  const bytes = options.portrait ? await Deno.readFile(options.portrait) : await defaultPortrait();
  const name = options.portrait ? basename(options.portrait) : "portrait.png";
  const asset = await api.upload(assets.uploadAsset, {
    params: { projectId: projectId as projects.Project["id"] },
    query: { name, id: newId<"asset">() },
  }, bytes);
  const seed = await api.call(seeds.addSeed, {
    params: { characterId: characterId as characters.Character["id"] },
    body: { id: newId<"seed">(), kind: "portrait", assetId: asset.id },
  });
  const ready = await waitForSeed(api, seed.id);
  bars.done("portrait", ready.measures?.faces ? "face found" : "no face found: likeness can't be told");
  return ready;
}

/** A batch of foundations; the one most like the portrait (or else the sharpest) becomes the approved hero. */
async function makeHero(
  api: ApiClient,
  options: DemoOptions,
  bars: Progress,
  characterId: string,
  portraitSeedId: string,
) {
  const count = 3;
  const batch = await api.call(seeds.createVariations, {
    params: { characterId: characterId as characters.Character["id"] },
    body: {
      id: newId<"variation batch">(),
      portraitSeedId: portraitSeedId as seeds.Seed["id"],
      count,
      baseRandomSeed: options.randomSeed,
    },
  });
  for (;;) {
    const { seeds: made } = await api.call(seeds.getVariations, { params: { batchId: batch.id } });
    const isOver = made.filter((seed) => seed.status !== "making");
    bars.set("foundations", isOver.length / count, `${isOver.length} of ${count}`);
    if (isOver.length === made.length) {
      const best = made.filter((seed) =>
        seed.status === "candidate" || seed.status === "kept" || seed.status === "hero"
      ).sort(byMerit)[0];
      if (!best) {
        throw new AppError(
          "conflict",
          made.find((seed) => seed.failure)?.failure ?? "No foundation could be made",
        );
      }
      return await api.call(seeds.chooseHero, { params: { seedId: best.id }, body: { approve: true } });
    }
    await delay(250);
  }
}

/** Deterministic: equal scores are decided by the random seed. */
function byMerit(a: seeds.Seed, b: seeds.Seed): number {
  const likeness = (seed: seeds.Seed) => Math.round((seed.measures?.likeness ?? -1) * 1000);
  const sharpness = (seed: seeds.Seed) => Math.round(seed.measures?.sharpness ?? 0);
  return likeness(b) - likeness(a) || sharpness(b) - sharpness(a) ||
    (a.randomSeed ?? 0) - (b.randomSeed ?? 0);
}

async function waitForSeed(api: ApiClient, seedId: string): Promise<seeds.Seed> {
  for (;;) {
    const seed = await api.call(seeds.getSeed, { params: { seedId: seedId as seeds.Seed["id"] } });
    if (seed.status === "failed" || seed.status === "cancelled") {
      throw new AppError("invalid", seed.failure ?? "The portrait was refused");
    }
    if (seed.status !== "making") return seed;
    await delay(150);
  }
}

async function waitForCut(
  api: ApiClient,
  clipId: clips.Clip["id"],
  plan: clips.Plan,
  bars: Progress,
  onStitching: () => void,
): Promise<clips.ClipState> {
  let isStitching = false;
  for (;;) {
    const state = await api.call(clips.getClip, { params: { clipId } });
    const ready = chosenTakes(state);
    const frames = ready.reduce((sum, { take }) => sum + (take.endFrame ?? 0) + 1, 0);
    bars.set("segments", frames / plan.askedFrames, `${ready.length} of ${plan.segments.length}`);
    if (!isStitching && (state.status === "stitching" || state.status === "in_review")) {
      isStitching = true;
      onStitching();
      bars.set("cut", 0.1, "stitching");
    }
    if (state.status === "in_review" || state.status === "final") {
      bars.done("cut", "measured");
      return state;
    }
    if (state.status === "needs_attention") {
      throw new AppError("conflict", state.attention ?? "The clip needs a person");
    }
    await delay(200);
  }
}

function chosenTakes(state: clips.ClipState): { index: number; take: clips.Take }[] {
  return state.segments.flatMap((segment) => {
    const take = segment.takes.find((each) => each.isChosen);
    return take ? [{ index: segment.index, take }] : [];
  });
}

async function deliver(
  api: ApiClient,
  options: DemoOptions,
  bars: Progress,
  made: { sceneId: scenes.Scene["id"]; characterId: characters.Character["id"]; cut: clips.Cut },
): Promise<Record<string, string>> {
  bars.set("master", 0.1, "assembling");
  let master = await api.call(scenes.assembleScene, {
    params: { sceneId: made.sceneId },
    body: { id: newId<"master">() },
  });
  while (master.status === "assembling") {
    await delay(150);
    master = await api.call(scenes.getMaster, { params: { masterId: master.id } });
  }
  if (master.status === "failed") {
    throw new AppError("conflict", master.failure ?? "The master could not be assembled");
  }
  bars.done("master", master.method ?? "");
  const package_ = await api.call(delivery.createDelivery, {
    params: { masterId: master.id },
    body: { id: newId<"delivery">() },
  });
  const folder = options.out ?? "seedloop-demo";
  await Deno.mkdir(folder, { recursive: true });
  const root = await Deno.realPath(folder);
  const paths: Record<string, string> = {};
  for (const file of package_.files) {
    const path = join(root, file.name);
    await api.download(
      delivery.getDeliveryFile,
      { params: { deliveryId: package_.id, name: file.name } },
      path,
    );
    paths[file.kind] ??= path;
  }
  const cut = join(root, "cut.mp4");
  if (made.cut.assetId) {
    await api.download(assets.getAssetContent, { params: { assetId: made.cut.assetId } }, cut);
  }
  const character = join(root, "character_metadata.json");
  await api.download(metadata.getCharacterMetadata, { params: { characterId: made.characterId } }, character);
  const video = join(root, "video_metadata.json");
  await api.download(metadata.getVideoMetadata, { params: { cutId: made.cut.id } }, video);
  return { cut, master: paths.master ?? "", character, video, csv: paths.csv ?? "", xml: paths.xml ?? "" };
}
