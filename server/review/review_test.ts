import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { givenMember } from "#server/testing/fixtures.ts";
import { testStudio } from "#server/testing/test_studio.ts";
import { givenClipInReview, Workshop } from "#server/testing/workshop.ts";
import type { Decision } from "./contract.ts";

const WRONG = "f".repeat(64);

Deno.test("finalizeCut does it all in one step, once, for the very file that was seen", async () => {
  await using studio = await testStudio();
  const { db } = studio;
  const artist = await studio.as("creator");
  const { clip, cutId, state } = await givenClipInReview(studio, new Workshop(studio), artist);
  const cut = `/api/cuts/${cutId}`;
  const asset = (await artist.get(`/api/assets/${state.cuts[0]?.assetId}`)).body;
  assertEquals((await artist.get(`${cut}/metadata`)).status, 404, "not written before it is final");
  const wrong = await artist.post(`${cut}/finalize`, { hash: WRONG });
  assertEquals([wrong.status, wrong.body.details.hash], [409, asset.hash]);
  const id = newId<"decision">();
  const final = await artist.post(`${cut}/finalize`, { id, hash: asset.hash, note: "Print it" });
  assertEquals([final.body.status, final.body.cuts[0].status], ["final", "final"]);
  assertEquals((await artist.get(`/api/assets/${asset.id}`)).body.retention, "protected");
  const metadata = (await artist.get(`${cut}/metadata`)).body;
  assertEquals([metadata.review.outcome, metadata.document_version], ["final", 1]);
  assertEquals(metadata.review.decisions[0].note, "Print it");
  assertEquals(metadata.review.decisions[0].sha256, asset.hash);
  assertEquals(metadata.technical.codec, "h264");
  assertEquals((await artist.post(`${cut}/finalize`, { id, hash: asset.hash })).status, 200);
  assertEquals((await artist.post(`${cut}/finalize`, {})).status, 200);
  assertEquals((await artist.post(`${cut}/finalize`, { hash: WRONG })).status, 409, "wrong stays wrong");
  const decisions: Decision[] = (await artist.get(`${cut}/decisions`)).body;
  assertEquals(decisions.map((each) => [each.id as string, each.kind, each.hash]), [[
    id,
    "finalize",
    asset.hash,
  ]]);

  const refused = await artist.delete(`/api/assets/${asset.id}`);
  assertEquals(refused.status, 409);
  assertMatch(refused.body.detail, /it is used as cut 1 of clip/);
  await assertRejects(
    async () => await db`delete from assets where id = ${asset.id}`,
    Error,
    "it is protected",
  );
  await assertRejects(async () => await db`delete from cuts where id = ${cutId}`);
  await assertRejects(async () => await db`delete from files where hash = ${asset.hash}`);
  for (const path of ["generate", "stitch"]) {
    assertEquals((await artist.post(`/api/clips/${clip.id}/${path}`)).status, 409);
  }
  assertEquals((await artist.patch(`/api/clips/${clip.id}`, { frames: 10 })).status, 409);
  assertEquals((await artist.patch(`/api/clips/${clip.id}`, { name: "Renamed" })).status, 200);
});

Deno.test("twenty pairs who finalize at once leave one decision and one final cut each", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const rival = await studio.as("creator");
  const workshop = new Workshop(studio);
  const { clip, cutId } = await givenClipInReview(studio, workshop, artist);
  await givenMember(studio, { id: clip.projectId }, rival.user!, "creator");
  await artist.post(`/api/clips/${clip.id}/stitch`);
  await workshop.work();
  const cuts = (await artist.get(`/api/clips/${clip.id}`)).body.cuts.map((cut: { id: string }) => cut.id);
  assertEquals(cuts.length, 2);
  for (let round = 0; round < 20; round++) {
    const other = round % 2 === 0 ? cutId : cuts[1];
    const answers = await Promise.all([
      artist.post(`/api/cuts/${cutId}/finalize`, {}),
      rival.post(`/api/cuts/${other}/finalize`, {}),
    ]);
    const state = (await artist.get(`/api/clips/${clip.id}`)).body;
    const finals = state.cuts.filter((cut: { status: string }) => cut.status === "final");
    assertEquals([state.status, finals.length], ["final", 1]);
    assertEquals(answers.map((answer) => answer.status).sort(), other === cutId ? [200, 200] : [200, 409]);
    const standing: Decision[] = (await Promise.all(cuts.map(async (id: string) =>
      (await artist.get(`/api/cuts/${id}/decisions`)).body
    ))).flat().filter((each: Decision) =>
      each.undoneAt === null
    );
    assertEquals(standing.map((each) => each.cutId), [finals[0].id]);
    const undone = await Promise.all([1, 2].map(() => artist.post(`/api/decisions/${standing[0]?.id}/undo`)));
    assertEquals(
      undone.map((answer) => [answer.status, answer.body.status]),
      Array(2).fill([200, "in_review"]),
    );
  }
});

Deno.test("a decision that is taken back leaves what stood before it; reviewers judge but do not finalize", async () => {
  await using studio = await testStudio();
  const artist = await studio.as("creator");
  const reviewer = await studio.as("reviewer");
  const { clip, cutId } = await givenClipInReview(studio, new Workshop(studio), artist);
  await givenMember(studio, { id: clip.projectId }, reviewer.user!, "reviewer");
  const decide = async (kind: string) =>
    (await reviewer.post(`/api/cuts/${cutId}/${kind}`, {})).body.id as string;
  const status = async () => (await reviewer.get(`/api/clips/${clip.id}`)).body.cuts[0].status;
  const undo = (id: string) => reviewer.post(`/api/decisions/${id}/undo`);
  const first = await decide("reject");
  assertEquals(await status(), "rejected");
  const second = await decide("approve");
  assertEquals(await status(), "ready");
  await undo(second);
  assertEquals(await status(), "rejected", "the rejection stands again");
  const third = await decide("reject");
  await undo(first);
  assertEquals(await status(), "rejected", "another rejection stands");
  await undo(third);
  assertEquals(await status(), "ready");
  assertEquals((await reviewer.post(`/api/cuts/${cutId}/finalize`, {})).status, 403);
  assertEquals((await artist.post(`/api/cuts/${cutId}/finalize`, {})).status, 200);
  assertMatch(
    (await reviewer.post(`/api/cuts/${cutId}/reject`, {})).body.detail,
    /cut is final: undo the finalization/,
  );
  const decisions: Decision[] = (await reviewer.get(`/api/cuts/${cutId}/decisions`)).body;
  const final = decisions.find((each) => each.kind === "finalize");
  assertEquals((await undo(final?.id ?? "")).status, 403);
  assertEquals(final?.decidedBy?.id as string, artist.user?.id);
  assert(decisions.every((each, index) => each.kind === "finalize" || index < 3));
  const other = await givenClipInReview(studio, new Workshop(studio), artist);
  const used = await artist.post(`/api/cuts/${other.cutId}/approve`, { id: first });
  assertEquals(used.status, 409);
  assertMatch(used.body.detail, /use a new id/);
  assertEquals(
    (await artist.post(`/api/cuts/${cutId}/approve`, { hash: "abc" })).body.fields[0].field,
    "/body/hash",
  );
  assertEquals((await artist.post(`/api/cuts/${cutId}/approve`, { note: "x".repeat(8001) })).status, 400);
});
