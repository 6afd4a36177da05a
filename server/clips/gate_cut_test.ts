import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import type * as z from "zod/mini";
import { givenClip } from "#server/testing/clip_fixtures.ts";
import { givenMember } from "#server/testing/fixtures.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { givenWorkingImage, type Wishes, Workshop } from "#server/testing/workshop.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import { syncBundled } from "#server/workflows/service.ts";
import type { ClipState } from "./contract.ts";
import type { measureCut } from "./job_kinds.ts";

async function open(studio: TestStudio, rerollLimit = 2, frames = 200) {
  const artist = await studio.as("creator");
  await syncBundled(studio.db, BUNDLED_TEMPLATES);
  const clip = await givenClip(studio, { frames });
  await givenMember(studio, { id: clip.projectId }, artist.user!, "creator");
  await givenWorkingImage(studio, clip.hero);
  await givenWorkingImage(studio, clip.portrait);
  const [version] = await studio.db<{ id: string }[]>`
    select v.id from workflow_versions v join workflows w on w.id = v.workflow_id where w.code = 'preview_motion'`;
  await artist.patch(`/api/clips/${clip.id}`, { rerollLimit, workflowVersionId: version?.id });
  const workshop = new Workshop(studio);
  const state = async (): Promise<ClipState> => (await artist.get(`/api/clips/${clip.id}`)).body;
  const generate = async () => {
    await artist.post(`/api/clips/${clip.id}/generate`);
    await workshop.work();
    return await state();
  };
  const takesOf = async (index: number) => (await state()).segments[index - 1]?.takes ?? [];
  return { artist, clip, workshop, state, generate, takesOf };
}

/** The seam before the third segment shows, as long as `isBad` says so. */
function badSeam(isBad: () => boolean): NonNullable<Wishes["measureCut"]> {
  return (usual) => ({
    ...usual,
    seams: usual.seams.map((seam, index) =>
      index === 1 && isBad()
        ? { ...seam, verdict: "fail" as const, jump: 9, reasons: ["jump: the picture jumps at frame 101"] }
        : seam
    ),
  });
}

Deno.test("a cut whose seam shows gets another take of that segment; the cut keeps why, and no person is needed", async () => {
  await using studio = await testStudio();
  const { artist, workshop, generate, takesOf } = await open(studio);
  let cuts = 0;
  workshop.wishes = { measureCut: badSeam(() => ++cuts === 1) };
  const done = await generate();
  assertEquals([done.status, done.attention], ["in_review", null]);
  assertEquals(done.cuts.map((cut) => [cut.status, cut.gate?.verdict, cut.gate?.segment]), [
    ["superseded", "reroll", 3],
    ["ready", "pass", null],
  ]);
  assertMatch(done.cuts[0]?.gate?.reasons[0] ?? "", /the picture jumps at frame 101/);
  assertEquals((await takesOf(2)).length, 1, "what goes before stays");
  const [old, fresh] = await takesOf(3);
  assert(old && fresh?.isChosen && fresh.randomSeed !== old.randomSeed);
  const ofCut = (await artist.get(`/api/cuts/${done.cuts[1]?.id}/measures`)).body;
  assertEquals([ofCut.curves.motion.length, ofCut.curves.noiseFloor, ofCut.curves.meanLab], [
    200,
    0.3,
    undefined,
  ]);
  assertEquals([ofCut.likeness.median, ofCut.likeness.points.at(-1).frame], [0.9, 192]);
  assertEquals(ofCut.limits, { rest: null, colour: null, likeness: null }, "no gate knows this face model");
  const ofTake = (await artist.get(`/api/takes/${fresh?.id}/measures`)).body;
  assertEquals(ofTake.curves.meanLab[0], [50, 2, 3]);
  assertEquals(ofTake.limits.colour, { warn: 5, fail: 12 });
  // Motion is 1.2 over the noise: an end that moves with 0.6 of that is remarked, with 0.9 it fails.
  const { warn, fail } = ofTake.limits.rest;
  assertEquals([warn.toFixed(2), fail.toFixed(2)], ["0.72", "1.08"]);
});

Deno.test("after the clip's limit a person is asked with the reason; keeping the cut takes it to review", async () => {
  await using studio = await testStudio();
  const { artist, clip, workshop, generate, state, takesOf } = await open(studio);
  workshop.wishes = { measureCut: badSeam(() => true) };
  const asked = await generate();
  assertEquals(asked.status, "needs_attention");
  assertMatch(
    asked.attention ?? "",
    /^Segment 3 of the cut needs a decision: at the join on frame \d+, jump/,
  );
  assertMatch(asked.attention ?? "", /Keep the cut, make the segment again or change its prompt\.$/);
  assertEquals(asked.cuts.map((cut) => cut.gate?.verdict), ["reroll", "reroll", "ask"]);
  assertEquals((await takesOf(3)).length, 3, "once and two more");
  const [older] = asked.cuts;
  assertEquals((await artist.post(`/api/cuts/${older?.id}/keep`)).status, 409);
  const newest = asked.cuts.at(-1);
  const kept = await artist.post(`/api/cuts/${newest?.id}/keep`);
  assertEquals([kept.status, kept.body.status, kept.body.attention], [200, "in_review", null]);
  assertEquals((await artist.post(`/api/cuts/${newest?.id}/keep`)).body.status, "in_review", "twice is once");
  assertEquals((await artist.post(`/api/clips/${clip.id}/generate`)).body.status, "in_review");
  // A person's deed begins anew: the limit holds for each, and never for ever.
  const before = (await state()).cuts.length;
  await artist.post(`/api/segments/${asked.segments[2]?.id}/reroll`, {});
  await workshop.work();
  const again = await state();
  assertEquals([again.status, again.cuts.length - before], ["needs_attention", 3]);
});

Deno.test("a gate never replaces what a person chose or locked: it asks and says so", async () => {
  await using studio = await testStudio();
  const { artist, workshop, generate, state, takesOf } = await open(studio);
  let isBad = false;
  workshop.wishes = { measureCut: badSeam(() => isBad) };
  const good = await generate();
  const third = good.segments[2];
  await artist.post(`/api/segments/${third?.id}/reroll`, {});
  await workshop.work();
  isBad = true;
  await artist.post(`/api/takes/${third?.takes[0]?.id}/choose`);
  await workshop.work();
  const chosen = await state();
  assertEquals(chosen.status, "needs_attention");
  assertMatch(
    chosen.attention ?? "",
    /It was not made again by itself: the take of segment 3 was chosen by hand\./,
  );
  assertEquals((await takesOf(3)).length, 2);
  assertEquals((await takesOf(3))[0]?.isChosen, true);
  await artist.patch(`/api/segments/${third?.id}`, { isLocked: true });
  await artist.post(`/api/clips/${chosen.id}/stitch`);
  await workshop.work();
  const locked = await state();
  assertMatch(locked.attention ?? "", /It was not made again by itself: /);
  assertEquals(locked.cuts.at(-1)?.gate?.verdict, "ask");
  assertEquals((await takesOf(3)).length, 2);
});

Deno.test("a segment before a locked one that the gate faults is made again and meets it", async () => {
  await using studio = await testStudio();
  const { artist, workshop, generate, state, takesOf } = await open(studio, 1, 280);
  const good = await generate();
  assert(good.segments.length > 3);
  await artist.patch(`/api/segments/${good.segments.at(-1)?.id}`, { isLocked: true });
  let isBad = true;
  workshop.wishes = { measureCut: badSeam(() => isBad) };
  await artist.post(`/api/clips/${good.id}/stitch`);
  await workshop.work((job) => job.kind === "comfy.generate");
  assertEquals((await takesOf(3)).length, 2);
  isBad = false;
  await workshop.work();
  const done = await state();
  assertEquals([done.status, done.cuts.at(-1)?.gate?.verdict], ["in_review", "pass"]);
  assertEquals((await takesOf(3)).at(-1)?.meetsNext, true);
  assertEquals(done.segments.at(-1)?.takes.map((take) => take.isChosen), [true], "the locked one stays");
});

Deno.test("measuring a cut is told what its takes' measures know, where the pixels and the portrait are the same", async () => {
  await using studio = await testStudio();
  const { artist, clip, workshop, generate } = await open(studio);
  const { db } = studio;
  await db`update projects set width_px = 64, height_px = 64 where id = ${clip.projectId}`;
  const known = async () => {
    await artist.post(`/api/clips/${clip.id}/stitch`);
    await workshop.work((job) => job.kind === "clips.measure_cut");
    const job = await workshop.only();
    await workshop.finish(job);
    return (job.input as z.output<typeof measureCut["input"]>).known?.points;
  };
  const state = await generate();
  const parts = state.cuts.at(-1)?.parts ?? [];
  const expected = parts.flatMap(({ firstFrame, sourceFrameCount }) =>
    Array.from({ length: Math.ceil(sourceFrameCount / 8) }, (_, at) => (firstFrame ?? 0) + at * 8)
  );
  assertEquals((await known())?.map((point) => point.frame), expected);
  await db`update takes set width_px = 32 where id = ${parts[0]?.takeId ?? ""}`;
  assert(
    ((await known()) ?? []).every((point) => point.frame >= (parts[1]?.firstFrame ?? 0)),
    "it is scaled",
  );
  await db`update clips set portrait_seed_id = hero_seed_id where id = ${clip.id}`;
  assertEquals(await known(), undefined, "it is another portrait");
});
