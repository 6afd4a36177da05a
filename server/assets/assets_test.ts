import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { encodeBase64 } from "@std/encoding/base64.js";
import { encodeHex } from "@std/encoding/hex.js";
import { openApp } from "#server/app.ts";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { transact } from "#server/db/db.ts";
import { openUploadFolder } from "#server/http/upload_folder.ts";
import { givenAsset, givenMember, givenProject, tinyPng } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { recordInspection } from "./service.ts";

const headers = { "content-type": "application/octet-stream" };

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

Deno.test("uploadAsset takes what it is told once, and changes nothing when something is wrong", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const foreign = await givenProject(studio);
  const png = tinyPng(1);
  const send = (query: string, raw: Uint8Array<ArrayBuffer> = png, projectId = project.id) =>
    artist.post(`/api/projects/${projectId}/assets?${query}`, undefined, { raw, headers });
  const id = newId<"asset">();
  const hash = await sha256(png);
  const first = await send(`name=Jane.png&id=${id}&sha256=${hash}`);
  assertEquals([first.status, first.body.hash, first.body.mediaType], [201, hash, "image/png"]);
  assertEquals((await send(`name=Jane.png&id=${id}`)).status, 201, "the same again is the same");
  const other = await send(`name=Jane.png&id=${id}`, tinyPng(2));
  assertEquals(other.status, 409);
  assertMatch(other.body.detail, /its id belongs to another asset. Use a new id/);
  const elsewhere = await givenAsset(studio, { projectId: foreign.id });
  assertEquals((await send(`name=x.png&id=${elsewhere.id}`)).status, 409);
  const audits = await studio.db`select 1 from audit_entries where subject_id = ${id}`;
  assertEquals(audits.length, 1, "the repetition and the refusal are no uploads");

  const wrong = await send(`name=a.png&sha256=${"0".repeat(64)}`, tinyPng(3));
  assertEquals(wrong.status, 409);
  assertEquals(await studio.store.size(await sha256(tinyPng(3))), undefined, "nothing was stored");
  assertEquals((await send("name=a.png", new Uint8Array())).body.fields[0].field, "/body");
  assertEquals((await send("name=a%2Fb.png")).body.fields[0].field, "/query/name");
  assertEquals((await send("name=")).body.fields[0].field, "/query/name");
  assertEquals((await send(`name=${"n".repeat(256)}`)).body.fields[0].field, "/query/name");
  assertEquals((await send("name=a.png&sha256=12")).body.fields[0].field, "/query/sha256");
  assertEquals((await send("name=a.png", png, foreign.id)).status, 404);
  const large = await artist.post(`/api/projects/${project.id}/assets?name=a.png`, undefined, {
    raw: png,
    headers: { ...headers, "content-length": String(65e9) },
  });
  assertEquals(large.status, 413);
  const { items } = (await artist.get(`/api/projects/${project.id}/assets`)).body;
  assertEquals(items.map((asset: { id: string }) => asset.id), [id]);
});

Deno.test("assets are listed newest first, page by page and by kind, each one once", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const ids: string[] = [];
  for (let n = 0; n < 7; n++) {
    const kind = n % 2 === 0 ? "upload" : "portrait";
    ids.unshift((await givenAsset(studio, { projectId: project.id, kind })).id);
  }
  const path = `/api/projects/${project.id}/assets`;
  const seen: string[] = [];
  for (let cursor = "";;) {
    const { items, next } = (await artist.get(`${path}?limit=3${cursor && `&cursor=${cursor}`}`)).body;
    seen.push(...items.map((asset: { id: string }) => asset.id));
    if (!next) break;
    cursor = next;
  }
  assertEquals(seen, ids);
  assertEquals((await artist.get(`${path}?kind=portrait`)).body.items.length, 3);
  assertEquals((await artist.get(`${path}?kind=nonsense`)).body.fields[0].field, "/query/kind");
  assertEquals((await artist.get(`${path}?limit=0`)).body.fields[0].field, "/query/limit");
  assertEquals((await artist.get(`${path}?cursor=x`)).body.fields[0].field, "/query/cursor");
});

Deno.test("content is served whole and in ranges; a derivative that is not there says when it will be", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const bytes = new TextEncoder().encode("0123456789");
  const asset = await givenAsset(studio, {
    projectId: project.id,
    bytes,
    mediaType: "text/plain",
    name: 'é"x.txt',
  });
  const path = `/api/assets/${asset.id}/content`;
  const get = (range?: string) => artist.get(path, { headers: range ? { range } : {} });
  const whole = await get();
  assertEquals([whole.status, whole.body, whole.headers.get("accept-ranges")], [200, "0123456789", "bytes"]);
  assertMatch(whole.headers.get("cache-control") ?? "", /immutable/);
  const some = await get("bytes=2-4");
  assertEquals([some.status, some.body, some.headers.get("content-range")], [206, "234", "bytes 2-4/10"]);
  assertEquals([(await get("bytes=-3")).body, (await get("bytes=8-")).body], ["789", "89"]);
  assertEquals((await get("bytes=20-")).status, 416);
  const none = await artist.get(`/api/assets/${asset.id}/derivatives/proxy`);
  assertEquals(none.status, 404);
  assertMatch(none.body.detail, /This asset has no proxy yet: it is made when the file has been looked into/);
  assertEquals((await artist.get(`/api/assets/${asset.id}/derivatives/nonsense`)).status, 400);
  const working = await studio.store.put(tinyPng(5), "image/png");
  const facts = { kind: "image", mediaType: "image/png", container: "png", widthPx: 8 } as const;
  await transact(studio.db, (tx) => recordInspection(tx, asset.file.hash, { facts, working }));
  assertEquals((await artist.get(`/api/assets/${asset.id}/derivatives/working_image`)).status, 200);
  const shown = (await artist.get(`/api/assets/${asset.id}`)).body;
  assertEquals([shown.derivatives, shown.facts.widthPx], [["working_image"], 8]);
  const stranger = await studio.as("creator");
  for (
    const hidden of [path, `/api/assets/${asset.id}`, `/api/assets/${asset.id}/derivatives/working_image`]
  ) {
    assertEquals((await stranger.get(hidden)).status, 404);
  }
});

Deno.test("deleteAsset removes what nothing needs; reviewers may not", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const reviewer = await studio.as("reviewer");
  const project = await givenProject(studio, { member: artist.user });
  await givenMember(studio, project, reviewer.user!, "reviewer");
  const asset = await givenAsset(studio, { projectId: project.id });
  assertEquals((await reviewer.delete(`/api/assets/${asset.id}`)).status, 403);
  assertEquals((await artist.delete(`/api/assets/${asset.id}`)).status, 204);
  assertEquals((await artist.delete(`/api/assets/${asset.id}`)).status, 404);
  const kept = await givenAsset(studio, { projectId: project.id, retention: "protected" });
  assertMatch((await artist.delete(`/api/assets/${kept.id}`)).body.detail, /it is protected/);
});

Deno.test("resumable uploads end as assets of a project that the sender may upload to, and of no other", async () => {
  await using studio = await testStudio();
  const uploads = await openUploadFolder(`${studio.folder}/uploads`);
  const { app } = openApp({
    ...studio,
    uploads,
    log: silentLog,
    version: "0.0.0-test",
    checkReplies: true,
  });
  const artist = await studio.as("creator");
  const project = await givenProject(studio, { member: artist.user });
  const foreign = await givenProject(studio);
  const png = tinyPng(9);
  const send = async (
    id: string,
    projectId: string | undefined,
    body: Uint8Array<ArrayBuffer> | null = png,
  ) => {
    const metadata = { id, filename: "Jane.png", ...(projectId === undefined ? {} : { projectId }) };
    const response = await app.fetch(
      new Request("http://studio.test/api/uploads", {
        method: "POST",
        headers: {
          authorization: `Bearer ${artist.token}`,
          "tus-resumable": "1.0.0",
          "upload-length": String(png.length),
          "upload-metadata": Object.entries(metadata).map(([key, value]) => `${key} ${encodeBase64(value)}`)
            .join(","),
          ...(body ? { "content-type": "application/offset+octet-stream" } : {}),
        },
        body,
      }),
      { remoteAddr: { transport: "tcp", hostname: "10.9.9.9", port: 1 } },
    );
    return { status: response.status, text: await response.text() };
  };
  const id = newId<"asset">();
  assertEquals((await send(id, foreign.id)).status, 404);
  const unnamed = await send(id, undefined);
  assertEquals(unnamed.status, 400);
  assertEquals(JSON.parse(unnamed.text).fields[0].field, "/headers/upload-metadata/projectId");
  assertEquals((await send(id, "nonsense")).status, 400);
  assertEquals(uploads.countOpen(artist.user?.id ?? ""), 0, "nothing was begun");
  assertEquals((await send(id, project.id)).status, 201);
  const asset = (await artist.get(`/api/assets/${id}`)).body;
  assertEquals([asset.projectId, asset.hash, asset.name], [project.id, await sha256(png), "Jane.png"]);
  assertEquals((await send(id, project.id)).status, 201, "a repeated one is the same");
  assert((await artist.get(`/api/projects/${project.id}/assets`)).body.items.length === 1);
});
