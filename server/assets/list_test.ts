import { assertEquals } from "@std/assert/mod.js";
import { id } from "#server/core/id.ts";
import { givenAsset, givenProject } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { until } from "#server/testing/until.ts";
import { getAsset, listAssets } from "./contract.ts";
import { upsertFacts } from "./queries.ts";
import { insertDerivative } from "./service.ts";

Deno.test("listAssets says of each asset what getAsset says, whatever its name and facts, in pages without gaps", async () => {
  await using studio = await testStudio();
  const client = await studio.as("creator");
  const project = await givenProject(studio, { member: client.user });
  const made = [];
  for (
    const name of [
      "plain.png",
      'a "quoted" \\ name {}.png',
      "日本語\u2028🎬.png",
      "%s ' ; --.png",
      "\u0001kind 1\u0001.png",
    ]
  ) {
    made.push(await givenAsset(studio, { projectId: project.id, name }));
  }
  const [whole, bare, , quoted] = made;
  await upsertFacts(studio.db, whole!.file.hash, {
    kind: "video",
    mediaType: "video/mp4",
    container: "mp4",
    codec: "h264",
    widthPx: 1280,
    heightPx: 720,
    rotationDeg: 90,
    pixelFormat: "yuv420p",
    bitDepth: 8,
    hasAlpha: false,
    rate: { num: 24000, den: 1001 },
    isConstantRate: true,
    frameCount: 120,
    durationUs: 5_005_000_000_000,
    colorPrimaries: "bt709",
    colorTransfer: "bt709",
    colorMatrix: "bt709",
    colorRange: "tv",
    hasAudio: true,
  });
  await upsertFacts(studio.db, bare!.file.hash, { kind: "image", mediaType: "image/png", container: "png" });
  await upsertFacts(studio.db, quoted!.file.hash, {
    kind: "image",
    mediaType: "image/png",
    container: 'odd "\\',
    codec: "\n",
  });
  await insertDerivative(studio.db, whole!.file.hash, "thumbnail", bare!.file);
  await insertDerivative(studio.db, whole!.file.hash, "poster", bare!.file);
  const singly = [];
  for (const asset of made.toReversed()) {
    singly.push(await client.call(getAsset, { params: { assetId: id("asset").parse(asset.id) } }));
  }
  const params = { projectId: id("project").parse(project.id) };
  const first = await client.call(listAssets, { params, query: { limit: 3 } });
  const rest = await client.call(listAssets, { params, query: { limit: 3, cursor: first.next } });
  assertEquals([...first.items, ...rest.items], singly);
  assertEquals([first.items.length, first.next, rest.next], [3, first.items[2]!.id, undefined]);
  assertEquals((await client.call(listAssets, { params, query: { limit: 5 } })).next, undefined);
  assertEquals(singly[4]!.facts?.rate, { num: 24000, den: 1001 });
  assertEquals(singly[4]!.facts?.durationUs, 5_005_000_000_000);
  assertEquals(singly[4]!.derivatives, ["thumbnail", "poster"]);
  assertEquals(singly[3]!.facts, { container: "png" });
  assertEquals(singly[2]!.facts, null);
  const none = await client.call(listAssets, { params, query: { kind: "master" } });
  assertEquals(none, { items: [] });
});

Deno.test("a file's card says what its tables say after every change of them", async () => {
  await using studio = await testStudio();
  const client = await studio.as("creator");
  const { db } = studio;
  const project = await givenProject(studio, { member: client.user });
  const asset = await givenAsset(studio, { projectId: project.id });
  const { hash } = asset.file;
  const poster = await givenAsset(studio, { bytes: new Uint8Array([1]) });
  const layout = { columns: 2, rows: 1, tileWidthPx: 8, tileHeightPx: 8, frames: [0, 12] };
  const changes = [
    () => upsertFacts(db, hash, { kind: "image", mediaType: "image/png", container: "png" }),
    () => upsertFacts(db, hash, { kind: "image", mediaType: "image/png", container: "png", widthPx: 8 }),
    () => insertDerivative(db, hash, "sprite", poster.file, layout),
    () => insertDerivative(db, hash, "sprite", poster.file, { ...layout, rows: 2 }),
    () => insertDerivative(db, hash, "poster", poster.file),
    () => db`update files set size_bytes = 7 where hash = ${hash}`,
    () =>
      db`update files set media_type_id = (select id from media_type where code = 'video/mp4') where hash = ${hash}`,
    () => db`delete from derivatives where source_hash = ${hash} and layout is not null`,
    () => db`delete from media_facts where file_hash = ${hash}`,
  ];
  const params = { projectId: id("project").parse(project.id) };
  const seen = new Set<string>();
  for (const change of changes) {
    await change();
    const singly = await client.call(getAsset, { params: { assetId: id("asset").parse(asset.id) } });
    assertEquals((await client.call(listAssets, { params })).items, [singly], String(change));
    seen.add(JSON.stringify(singly));
  }
  assertEquals(seen.size, changes.length, "every change is one of the reply");
});

Deno.test("of two changes to what is known of a file at the same moment its card has both", async () => {
  await using studio = await testStudio();
  const { file } = await givenAsset(studio);
  const other = await givenAsset(studio, { bytes: new Uint8Array([1]) });
  const waits = async () => {
    const rows = await studio.db`
      select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    return rows.length > 0;
  };
  const facts = { kind: "image", mediaType: "image/png", container: "png" } as const;
  let second: Promise<void> | undefined;
  await studio.db.begin(async (tx) => {
    await insertDerivative(tx, file.hash, "thumbnail", other.file);
    second = upsertFacts(studio.db, file.hash, facts);
    await until("the second waits for the first", waits);
  });
  await second;
  const [row] = await studio.db<{ card: string }[]>`select card from files where hash = ${file.hash}`;
  const { derivatives, facts: kept } = JSON.parse(`{${row?.card}}`);
  assertEquals([derivatives, kept], [["thumbnail"], { container: "png" }]);
});
