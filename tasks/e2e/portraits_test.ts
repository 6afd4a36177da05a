import { assert, assertEquals, assertMatch, fail } from "@std/assert/mod.js";
import { join } from "node:path";
import sharp from "sharp";
import * as assets from "#server/assets/contract.ts";
import * as characters from "#server/characters/contract.ts";
import { newId } from "#server/core/id.ts";
import { delay } from "#server/core/time.ts";
import * as projects from "#server/projects/contract.ts";
import * as seeds from "#server/seeds/contract.ts";
import { ApiClient, ApiError } from "#tasks/demo/api_client.ts";
import { openToken } from "#tasks/demo/studio.ts";
import { type GivenPortrait, makePortraits } from "./portraits.ts";
import { freePort, StudioProcess } from "./studio_process.ts";

Deno.test("a portrait of any kind works or is refused with the reason, and leaves nothing half made", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_portraits_" });
  await Deno.chmod(folder, 0o755);
  const data = join(folder, "data");
  const studio = new StudioProcess({ data, port: freePort() });
  try {
    assert(await studio.isUp(), studio.said);
    const { url, firstAdminUrl } = studio;
    const api = new ApiClient(url, await openToken({ url, firstAdminUrl, data }));
    const project = await api.call(projects.createProject, {
      body: {
        id: newId<"project">(),
        name: "Portraits",
        rate: { num: 24, den: 1 },
        widthPx: 384,
        heightPx: 256,
      },
    });
    for (const portrait of await makePortraits(folder)) {
      await test.step(portrait.name, () => tryPortrait(api, { projectId: project.id, folder }, portrait));
    }
  } finally {
    await studio.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

async function tryPortrait(
  api: ApiClient,
  { projectId, folder }: { projectId: projects.Project["id"]; folder: string },
  portrait: GivenPortrait,
): Promise<void> {
  const { name, bytes, outcome, isTried, uprightSize } = portrait;
  const character = await api.call(characters.createCharacter, {
    params: { projectId },
    body: { id: newId<"character">(), name },
  });
  const assetId = newId<"asset">();
  const made = await addPortrait(api, { projectId, characterId: character.id, assetId, name, bytes });
  if ("refused" in outcome) {
    const reason = typeof made === "string" ? made : made.failure ?? "";
    assertMatch(reason, outcome.refused);
    assertMatch(reason, /^[A-Z].{20,}/, "the reason is a sentence");
    if (typeof made !== "string") assertEquals(made.status, "failed");
    return;
  }
  if (typeof made === "string") return fail(`it was refused: ${made}`);
  assertEquals(made.status, "candidate", made.failure ?? "");
  if (outcome.faces !== undefined) assertEquals(made.measures?.faces, outcome.faces);
  if (uprightSize) {
    const path = join(folder, "working.png");
    await api.download(
      assets.getAssetDerivative,
      { params: { assetId: made.assetId ?? assetId, kind: "working_image" } },
      path,
    );
    const { width, height } = await sharp(path).metadata();
    assertEquals([width, height], [...uprightSize]);
  }
  if (!isTried) return;
  const batch = await api.call(seeds.createVariations, {
    params: { characterId: character.id },
    body: { id: newId<"variation batch">(), portraitSeedId: made.id, count: 1, baseRandomSeed: 1 },
  });
  const [foundation] = (await waitForBatch(api, batch.id)).seeds;
  assertEquals(foundation?.status, "candidate", foundation?.failure ?? "");
}

/** The seed at rest, or the sentence with which the upload or the seed was refused. */
async function addPortrait(
  api: ApiClient,
  { projectId, characterId, assetId, name, bytes }: {
    projectId: projects.Project["id"];
    characterId: characters.Character["id"];
    assetId: assets.Asset["id"];
    name: string;
    bytes: Uint8Array<ArrayBuffer>;
  },
): Promise<seeds.Seed | string> {
  try {
    await api.upload(assets.uploadAsset, { params: { projectId }, query: { name, id: assetId } }, bytes);
    let seed = await api.call(seeds.addSeed, {
      params: { characterId },
      body: { id: newId<"seed">(), kind: "portrait", assetId },
    });
    while (seed.status === "making") {
      await delay(100);
      seed = await api.call(seeds.getSeed, { params: { seedId: seed.id } });
    }
    return seed;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    assert(error.status >= 400 && error.status < 500, `${error.status}: ${error.message}`);
    const { items } = await api.call(seeds.listSeeds, { params: { characterId } });
    assertEquals(items, [], "a refusal leaves no seed");
    return error.message;
  }
}

async function waitForBatch(api: ApiClient, batchId: seeds.VariationBatch["id"]) {
  for (;;) {
    const batch = await api.call(seeds.getVariations, { params: { batchId } });
    if (batch.seeds.every((seed) => seed.status !== "making")) return batch;
    await delay(150);
  }
}
