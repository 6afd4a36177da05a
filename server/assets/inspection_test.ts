import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { encodeBase64 } from "@std/encoding/base64.js";
import { givenAsset, givenProject, tinyPng } from "#server/testing/fixtures.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { Workshop } from "#server/testing/workshop.ts";
import type { Asset } from "./contract.ts";

/** The first bytes by which an MP4 is known, and a number that makes it a file of its own. */
function mp4(number: number): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode("\0\0\0\x18ftypisom\0\0\0\0isommp42");
  return new Uint8Array([...head, 0, 0, 0, 8, 109, 100, 97, 116, number]);
}

async function open(studio: TestStudio) {
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const path = `/api/projects/${project.id}/assets`;
  const upload = async (name: string, raw: Uint8Array<ArrayBuffer>): Promise<Asset> => {
    const headers = { "content-type": "application/octet-stream" };
    const answer = await artist.post(`${path}?name=${name}`, undefined, { raw, headers });
    assertEquals(answer.status, 201, JSON.stringify(answer.body));
    return answer.body;
  };
  const read = async (asset: Asset): Promise<Asset> => {
    const alone = (await artist.get(`/api/assets/${asset.id}`)).body;
    const { items } = (await artist.get(path)).body;
    assertEquals(items.find((each: Asset) => each.id === asset.id), alone, "the list says the same");
    return alone;
  };
  const changes = async () =>
    (await studio.db<{ id: string }[]>`
      select e.data ->> 'assetId' as id from events e join event_kind k on k.id = e.kind_id where k.code = 'asset.changed'`)
      .map(({ id }) => id);
  return { artist, project, upload, read, changes, workshop: new Workshop(studio) };
}

const state = ({ inspection, derivatives }: Asset) => [inspection?.status, inspection?.failure, derivatives];

Deno.test("an uploaded picture is looked into by itself, once for its content, and the asset shows how far it is", async () => {
  await using studio = await testStudio();
  const { upload, read, changes, workshop } = await open(studio);
  const picture = await upload("still.png", tinyPng(1));
  assertEquals(state(picture), ["waiting", null, []]);
  const twin = await upload("again.png", tinyPng(1));
  assertEquals((await workshop.waiting()).map((job) => [job.kind, job.fileHash]), [[
    "media.inspect",
    picture.hash,
  ]]);
  await workshop.work();
  const done = await read(picture);
  assertEquals(state(done), ["done", null, ["working_image", "thumbnail"]]);
  assertEquals(done.facts?.widthPx, 8);
  assertEquals(state(await read(twin)), state(done));
  assertEquals((await changes()).sort(), [picture.id, twin.id].sort());
  assertEquals(state(await upload("third.png", tinyPng(1)))[0], "done", "it is known already");
  assertEquals((await workshop.waiting()).length, 0);
});

Deno.test("an uploaded video gets proxy, poster and sprite too; other files are not looked into", async () => {
  await using studio = await testStudio();
  const { artist, project, upload, read, workshop } = await open(studio);
  workshop.wishes = {
    inspect: ({ facts }) => ({ facts: { ...facts, rate: { num: 24, den: 1 }, frameCount: 12 } }),
  };
  const video = await upload("take.mp4", mp4(1));
  assertEquals(video.mediaType, "video/mp4");
  await workshop.finish(await workshop.only());
  assertEquals(state(await read(video)), ["waiting", null, []]);
  const proxy = await workshop.only();
  assertEquals([proxy.kind, (proxy.input as { frameCount: number }).frameCount], ["media.proxy", 12]);
  await workshop.work();
  assertEquals(state(await read(video)), ["done", null, ["poster", "proxy", "sprite"]]);
  assertEquals((await artist.get(`/api/assets/${video.id}/derivatives/poster`)).status, 200);
  assertEquals([video.sprite, (await read(video)).sprite?.frames], [null, [0]]);
  const text = await upload("notes.txt", new TextEncoder().encode("Just words"));
  const made = await givenAsset(studio, { projectId: project.id });
  assertEquals([text.inspection, (await artist.get(`/api/assets/${made.id}`)).body.inspection], [null, null]);
  assertEquals((await workshop.waiting()).length, 0);
});

Deno.test("what can't be read says why in the asset; a retry or another upload takes it back", async () => {
  await using studio = await testStudio();
  const { upload, read, workshop } = await open(studio);
  const broken = await upload("broken.mp4", mp4(2));
  const job = await workshop.only();
  await workshop.fail(job, "The video is truncated: upload it again");
  assertEquals(state(await read(broken)), ["failed", "The video is truncated: upload it again", []]);
  await workshop.retry(job);
  assertEquals(state(await read(broken))[0], "waiting");
  await workshop.cancel(job);
  assertMatch((await read(broken)).inspection?.failure ?? "", /cancelled/);
  await upload("once_more.mp4", mp4(2));
  await workshop.work();
  assertEquals(state(await read(broken)).slice(0, 2), ["done", null]);
  assert((await read(broken)).facts);
});

Deno.test("a resumable upload is looked into as well", async () => {
  await using studio = await testStudio();
  const { artist, project, workshop } = await open(studio);
  const bytes = tinyPng(9);
  const encode = (value: string) => encodeBase64(new TextEncoder().encode(value));
  const created = await artist.request("POST", "/api/uploads", undefined, {
    headers: {
      "tus-resumable": "1.0.0",
      "upload-length": String(bytes.length),
      "upload-metadata": `filename ${encode("a.png")},projectId ${encode(project.id)}`,
    },
  });
  assertEquals(created.status, 201);
  const sent = await artist.request("PATCH", created.headers.get("location") ?? "", undefined, {
    raw: bytes,
    headers: {
      "tus-resumable": "1.0.0",
      "content-type": "application/offset+octet-stream",
      "upload-offset": "0",
    },
  });
  assertEquals(sent.status, 204);
  assertEquals((await workshop.waiting()).map((job) => job.kind), ["media.inspect"]);
});
