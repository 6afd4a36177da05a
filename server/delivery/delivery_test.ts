import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { parse } from "@std/csv/mod.js";
import { DOMParser } from "@xmldom/xmldom";
import { encodeHex } from "@std/encoding/hex.js";
import { newId } from "#server/core/id.ts";
import { givenProject, givenScene } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { givenClipInReview, Workshop } from "#server/testing/workshop.ts";
import type { Delivery } from "./contract.ts";
import { NAMESPACE, type SidecarHeader, type SidecarItem, writeCsv, writeXml } from "./sidecars.ts";

const HEADER: SidecarHeader = {
  title: 'Über <Tom> & "Jerry"',
  rate: { num: 24000, den: 1001 },
  startFrame: 86400,
  masterFile: "Uber_v001.mp4",
  masterSha256: "a".repeat(64),
  frames: 100,
};

const ITEM: SidecarItem = {
  scene: "Szene 1",
  item: 1,
  clip: "Clip",
  version: 2,
  reel: "S1C001",
  recordInFrame: 40,
  frameCount: 60,
  widthPx: 64,
  heightPx: 64,
  pixelFormat: "yuv420p",
  colorPrimaries: "bt709",
  colorTransfer: "bt709",
  colorMatrix: "bt709",
  colorRange: "tv",
  seed: "1 2",
  workflow: "preview_motion v1",
  workflowHash: "",
  models: "",
  prompt: "",
  likenessMedian: "-0.1000",
  likenessMin: "",
  seamWorst: "pass",
  approvedBy: "",
  approvedAt: "",
  sha256: "b".repeat(64),
  file: "Clip_v002.mp4",
};

/** What people write into names and prompts, and what a reader of the sheet gets of it. */
const TEXTS: readonly (readonly [written: string, inCsv: string])[] = [
  ['a "quoted", thing', 'a "quoted", thing'],
  ["two\nlines\r\nand\rmore", "two\nlines\r\nand\rmore"],
  ['=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'],
  ["+1", "'+1"],
  ["-2+3", "'-2+3"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["＝1", "'＝1"],
  ["-12.5", "-12.5"],
  ["日本語 🎬 é̂ \u202e", "日本語 🎬 é̂ \u202e"],
  ["]]> <x/> &amp; '", "]]> <x/> &amp; '"],
  [" padded ", " padded "],
];

Deno.test("writeCsv is read back as written, but for cells that a sheet would run", () => {
  for (const [prompt, read] of TEXTS) {
    const text = writeCsv(HEADER, [{ ...ITEM, prompt }, ITEM]);
    assert(text.endsWith("\r\n"));
    const rows = parse(text, { skipFirstRow: true }) as Record<string, string>[];
    assertEquals(rows.length, 2);
    // A reader may turn line ends within a cell into its own.
    const plain = (value = "") => value.replaceAll(/\r\n?/g, "\n");
    assertEquals(plain(rows[0]?.prompt), plain(read));
    assertEquals(rows[0]?.likeness_median, "-0.1000", "a number is no formula");
    assertEquals([rows[0]?.rec_in_tc, rows[0]?.rec_out_f, rows[0]?.fps_num], ["01:00:01:16", "100", "24000"]);
  }
});

Deno.test("writeXml is well-formed and read back as written, without what XML can't say", () => {
  for (const [prompt] of [...TEXTS, ["bell \u0007 nul \u0000 \ufffe"] as const]) {
    const faults: string[] = [];
    const parser = new DOMParser({
      onError: (level, message) => level === "warning" || faults.push(message),
    });
    const document = parser.parseFromString(writeXml(HEADER, [{ ...ITEM, prompt }]), "application/xml");
    assertEquals(faults, []);
    const read = (name: string) => document.getElementsByTagNameNS(NAMESPACE, name)[0]?.textContent;
    assertEquals(
      read("prompt"),
      prompt.replaceAll("\u0007", "\ufffd").replaceAll("\u0000", "\ufffd").replaceAll("\ufffe", "\ufffd"),
    );
    assertEquals([read("title"), read("rec_in_f")], [HEADER.title, "40"]);
  }
});

Deno.test("a delivery holds master, sidecars and metadata, protected, with sums that are true", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const workshop = new Workshop(studio);
  const project = await givenProject(studio, { member: artist.user });
  await artist.patch(`/api/projects/${project.id}`, { name: "Ünder/ der: Brücke" });
  const scene = await givenScene(studio, { projectId: project.id });
  await artist.patch(`/api/scenes/${scene.id}`, { name: "=1+1 日本" });
  const one = await givenClipInReview(studio, workshop, artist, { scene, name: "Опening", frames: 24 });
  const two = await givenClipInReview(studio, workshop, artist, { scene, name: 'Close, "up"', frames: 90 });
  for (const { cutId } of [one, two]) await artist.post(`/api/cuts/${cutId}/finalize`, {});
  const master = (await artist.post(`/api/scenes/${scene.id}/masters`, {})).body;
  const path = `/api/masters/${master.id}/deliveries`;
  assertMatch(
    (await artist.post(path, {})).body.detail,
    /The master is assembling: deliver it when it is ready/,
  );
  await workshop.work();
  // A name that changes after the finalization is in the delivery as it is now.
  await artist.patch(`/api/clips/${one.clip.id}`, { name: "Opening" });
  const id = newId<"delivery">();
  const answers = await Promise.all([
    artist.post(path, { id }),
    artist.post(path, { id }),
    artist.post(path, {}),
  ]);
  assertEquals(answers.map((answer) => answer.status), [201, 201, 201]);
  const delivery: Delivery = answers[0].body;
  assertEquals(new Set(answers.map((answer) => answer.body.number)), new Set([1, 2]));
  const base = "Under_der_Brucke_1_1_v001";
  assertEquals(delivery.files.map((file) => file.name).sort(), [
    "MANIFEST.sha256",
    "README.txt",
    `${base}.csv`,
    `${base}.mp4`,
    `${base}.xml`,
    `${base}_001_video_metadata.json`,
    `${base}_002_video_metadata.json`,
    `${base}_character_1_metadata.json`,
    `${base}_character_2_metadata.json`,
  ]);
  const read = async (name: string) => (await artist.get(`/api/deliveries/${id}/files/${name}`)).body;
  const sums = (await read("MANIFEST.sha256")).trim().split("\n").map((line: string) => line.split("  "));
  assertEquals(sums.length, delivery.files.length - 1);
  for (const [sum, name] of sums) {
    const file = delivery.files.find((each) => each.name === name)!;
    const bytes = await new Response(await studio.store.read(file.hash)).arrayBuffer();
    assertEquals(encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))), sum);
  }
  const rows = parse(await read(`${base}.csv`), { skipFirstRow: true }) as Record<string, string>[];
  assertEquals(rows.map((row) => [row.scene, row.clip, row.rec_in_f, row.rec_out_f]), [
    ["'=1+1 日本", "Opening", "0", "24"],
    ["'=1+1 日本", 'Close, "up"', "24", "114"],
  ]);
  assertEquals(
    rows[0]?.approved_by,
    (await read(`${base}_001_video_metadata.json`)).review.decisions[0].by.name,
  );
  assertEquals((await read(`${base}_001_video_metadata.json`)).clip.name, "Opening");
  assertMatch(await read("README.txt"), /114 frames at 24/);
  assertEquals((await artist.get(`/api/deliveries/${id}/files/none.txt`)).status, 404);
  assertEquals((await artist.get(`/api/deliveries/${id}/files/..%2Fx`)).status, 400);
  for (const file of delivery.files) {
    assertEquals((await artist.delete(`/api/assets/${file.assetId}`)).status, 409);
    await assertRejects(async () => await studio.db`delete from assets where id = ${file.assetId}`);
  }
  const stranger = await studio.as("creator");
  assertEquals((await stranger.get(`/api/deliveries/${id}`)).status, 404);
  const again = (await artist.post(`/api/scenes/${scene.id}/masters`, {})).body;
  await workshop.work();
  assertEquals((await artist.post(`/api/masters/${again.id}/deliveries`, { id })).status, 409);
});
