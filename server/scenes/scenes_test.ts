import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { givenClip, givenSegment, givenTake } from "#server/testing/clip_fixtures.ts";
import { givenMember, givenProject, givenScene } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { givenClipInReview, Workshop } from "#server/testing/workshop.ts";
import type { Master } from "./contract.ts";

Deno.test("assembleScene takes final clips in order, numbers masters, and names those that are not final", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const workshop = new Workshop(studio);
  const project = await givenProject(studio, { member: artist.user });
  const scene = await givenScene(studio, { projectId: project.id });
  const path = `/api/scenes/${scene.id}/masters`;
  assertMatch((await artist.post(path, {})).body.detail, /The scene has no clips: add one/);
  const make = (name: string, frames: number) =>
    givenClipInReview(studio, workshop, artist, { scene, name, frames });
  const one = await make("Opening", 24);
  const two = await make("Closing", 50);
  const three = await make("Cut out", 12);
  await artist.patch(`/api/clips/${three.clip.id}`, { trash: true });
  await artist.post(`/api/cuts/${one.cutId}/finalize`, {});
  const refused = await artist.post(path, {});
  assertEquals([refused.status, refused.body.details.clipIds], [409, [two.clip.id]]);
  assertMatch(refused.body.detail, /These clips have no final cut: Closing. Finalize them first/);
  await artist.post(`/api/cuts/${two.cutId}/finalize`, {});
  await artist.patch(`/api/clips/${two.clip.id}`, { position: 1 });

  const id = newId<"master">();
  const answers = await Promise.all([1, 2, 3].map((n) => artist.post(path, n === 1 ? {} : { id })));
  assertEquals(answers.map((answer) => answer.status), [202, 202, 202]);
  assertEquals((await workshop.waiting()).length, 2, "the same id is the same master");
  assertEquals(new Set(answers.map((answer) => answer.body.number)), new Set([1, 2]));
  await workshop.work();
  const master: Master = (await artist.get(`/api/masters/${id}`)).body;
  assertEquals([master.status, master.frames, master.method], ["ready", 74, "copied"]);
  assertEquals(master.items.map((item) => [item.position, item.clipName, item.firstFrame, item.frameCount]), [
    [1, "Closing", 0, 50],
    [2, "Opening", 50, 24],
  ]);
  const asset = (await artist.get(`/api/assets/${master.assetId}`)).body;
  assertEquals(asset.retention, "protected");
  assertEquals(asset.derivatives, ["poster", "proxy", "sprite"], "a master can be looked at too");
  assertEquals([asset.sprite.columns, asset.sprite.frames], [1, [0]]);
  const cards = (await artist.get(`/api/scenes/${scene.id}/clips`)).body.items;
  const cut = (await artist.get(`/api/clips/${one.clip.id}`)).body.cuts.at(-1);
  assertEquals(cards.find(({ id }: { id: string }) => id === one.clip.id).picture, {
    assetId: cut.assetId,
    sprite: asset.sprite,
  });
  assertEquals(cut.sprite, asset.sprite);
  const bare = await givenClip(studio, { scene });
  const pictured = async () =>
    (await artist.get(`/api/scenes/${scene.id}/clips`)).body.items.find(({ id }: { id: string }) =>
      id === bare.id
    )
      .picture?.assetId ?? null;
  assertEquals(await pictured(), null);
  const segment = await givenSegment(studio, { clip: bare });
  const chosen = await givenTake(studio, { segment });
  const take = await givenTake(studio, { segment });
  const madeOf = async (takeId: string) =>
    (await studio.db`select intermediate_asset_id as id from takes where id = ${takeId}`)[0]?.id;
  assertEquals(await pictured(), await madeOf(take.id), "no take is chosen: the newest stands for the clip");
  await studio.db`update takes set chosen_at = now() where id = ${chosen.id}`;
  assertEquals(await pictured(), await madeOf(chosen.id));
  await artist.patch(`/api/clips/${bare.id}`, { trash: true });
  const decisions = (await artist.get(`/api/cuts/${one.cutId}/decisions`)).body;
  const undo = await artist.post(`/api/decisions/${decisions[0].id}/undo`);
  assertEquals(undo.status, 409);
  assertMatch(undo.body.detail, /part of 2 masters: it stays final/);
  assertEquals(
    (await artist.get(`/api/cuts/${one.cutId}/decisions`)).body[0].undoneAt,
    null,
    "nothing was changed",
  );

  const other = await givenScene(studio, { projectId: project.id });
  assertEquals((await artist.post(`/api/scenes/${other.id}/masters`, { id })).status, 409);
  await artist.patch(`/api/scenes/${scene.id}`, { status: "trashed" });
  assertMatch((await artist.post(path, {})).body.detail, /the scene is in the trash. Restore it/);
});

Deno.test("a master of the wrong length, a failed and a cancelled one say why; a retry takes it back", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const workshop = new Workshop(studio);
  const { clip, cutId } = await givenClipInReview(studio, workshop, artist);
  await artist.post(`/api/cuts/${cutId}/finalize`, {});
  const made = (await artist.post(`/api/scenes/${clip.sceneId}/masters`, {})).body;
  const find = async () => (await artist.get(`/api/masters/${made.id}`)).body;
  const job = await workshop.only();
  workshop.wishes = { assemble: (usual) => ({ ...usual, frameCount: 47 }) };
  await workshop.finish(job);
  assertEquals([(await find()).status, (await find()).assetId], ["failed", null]);
  assertMatch((await find()).failure, /it has 47 frames where its clips have 48/);
  workshop.wishes = {};
  await workshop.retry(job);
  assertEquals([(await find()).status, (await find()).failure], ["assembling", null]);
  await workshop.cancel(job);
  assertEquals((await find()).failure, "it was cancelled");
  await workshop.retry(job);
  await workshop.finish(job);
  await workshop.finish(job);
  assertEquals((await find()).status, "ready");
});

Deno.test("scenes have names of their own in a project, and ids only once", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const reviewer = await studio.as("reviewer");
  const project = await givenProject(studio, { member: artist.user });
  await givenMember(studio, project, reviewer.user!, "reviewer");
  const elsewhere = await givenProject(studio, { member: artist.user });
  const path = `/api/projects/${project.id}/scenes`;
  const id = newId<"scene">();
  assertEquals((await artist.post(path, { id, name: " Scene 010 " })).body.name, "Scene 010");
  assertEquals((await artist.post(path, { id, name: "Scene 010" })).status, 201);
  assertEquals((await artist.post(path, { name: "Scene 010" })).status, 409);
  assertEquals(
    (await artist.post(`/api/projects/${elsewhere.id}/scenes`, { id, name: "Other" })).status,
    409,
  );
  assertEquals((await reviewer.post(path, { name: "Mine" })).status, 403);
  assertEquals((await artist.post(path, { name: "x".repeat(121) })).body.fields[0].field, "/body/name");
  assertEquals((await artist.post(path, {})).body.fields[0].field, "/body/name");
  for (const name of ["20", "30", "40"]) await artist.post(path, { name });
  const first = (await artist.get(`${path}?limit=3`)).body;
  const rest = (await artist.get(`${path}?limit=3&cursor=${first.next}`)).body;
  assertEquals([...first.items, ...rest.items].map((scene: { name: string }) => scene.name), [
    "40",
    "30",
    "20",
    "Scene 010",
  ]);
  assertEquals(rest.next, undefined);
});

Deno.test("a scene's masters and a master's deliveries are listed, newest first, page by page", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const workshop = new Workshop(studio);
  const project = await givenProject(studio, { member: artist.user });
  const scene = await givenScene(studio, { projectId: project.id });
  const { cutId } = await givenClipInReview(studio, workshop, artist, { scene, name: "One", frames: 12 });
  await artist.post(`/api/cuts/${cutId}/finalize`, {});
  const numbers = async (path: string) => {
    const found: number[] = [];
    for (let cursor = "";;) {
      const { status, body } = await artist.get(`${path}?limit=2${cursor && `&cursor=${cursor}`}`);
      assertEquals(status, 200);
      found.push(...body.items.map((item: { number: number }) => item.number));
      if (!body.next) return found;
      cursor = body.next;
    }
  };
  const masters = `/api/scenes/${scene.id}/masters`;
  assertEquals(await numbers(masters), []);
  for (let n = 0; n < 3; n++) await artist.post(masters, {});
  await workshop.work();
  assertEquals(await numbers(masters), [3, 2, 1]);
  const [newest] = (await artist.get(masters)).body.items;
  assertEquals(newest, (await artist.get(`/api/masters/${newest.id}`)).body, "each as it is alone");
  const deliveries = `/api/masters/${newest.id}/deliveries`;
  assertEquals(await numbers(deliveries), []);
  const made = [
    await artist.post(deliveries, {}),
    await artist.post(deliveries, {}),
    await artist.post(deliveries, {}),
  ];
  assertEquals(made.map((answer) => answer.status), [201, 201, 201]);
  assertEquals(await numbers(deliveries), [3, 2, 1]);
  assertEquals((await artist.get(deliveries)).body.items[0], made[2]?.body);
});
