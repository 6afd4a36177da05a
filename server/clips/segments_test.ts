import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import * as fc from "fast-check";
import { givenClip } from "#server/testing/clip_fixtures.ts";
import { givenMember } from "#server/testing/fixtures.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { givenWorkingImage, Workshop } from "#server/testing/workshop.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import { syncBundled } from "#server/workflows/service.ts";
import type { ClipState, Take } from "./contract.ts";

const takesOf = (state: ClipState) => state.segments.flatMap((segment) => segment.takes);
const chosenOf = (state: ClipState) => takesOf(state).filter((take) => take.isChosen);
const filledBy = (take: Take) => take.retimedFrames ?? (take.endFrame ?? 0) + 1;
const total = (state: ClipState) => chosenOf(state).reduce((sum, take) => sum + filledBy(take), 0);

/** A clip that is made by the workflow of that code, with all bundled workflows there. */
async function open(
  studio: TestStudio,
  { frames = 200, workflow = "preview_motion" }: { frames?: number; workflow?: string } = {},
) {
  const { db } = studio;
  const artist = await studio.as("creator");
  await syncBundled(db, BUNDLED_TEMPLATES);
  const clip = await givenClip(studio, { frames });
  await givenMember(studio, { id: clip.projectId }, artist.user!, "creator");
  await givenWorkingImage(studio, clip.hero);
  await givenWorkingImage(studio, clip.portrait);
  const [version] = await db<{ id: string }[]>`
    select v.id from workflow_versions v join workflows w on w.id = v.workflow_id where w.code = ${workflow}`;
  await artist.patch(`/api/clips/${clip.id}`, { workflowVersionId: version?.id });
  const workshop = new Workshop(studio);
  const state = async (): Promise<ClipState> => (await artist.get(`/api/clips/${clip.id}`)).body;
  const segment = async (index: number) => {
    const found = (await state()).segments.find((each) => each.index === index);
    if (!found) throw new Error(`There is no segment ${index}`);
    return found;
  };
  const onSegment = async (index: number, verb: "reroll" | "extend", body: unknown = {}) =>
    await artist.post(`/api/segments/${(await segment(index)).id}/${verb}`, body);
  const lock = async (index: number, isLocked = true) =>
    await artist.patch(`/api/segments/${(await segment(index)).id}`, { isLocked });
  const choose = (take: Take | undefined) => artist.post(`/api/takes/${take?.id}/choose`);
  const make = async () => {
    await artist.post(`/api/clips/${clip.id}/generate`);
    await workshop.work();
    return await state();
  };
  return { artist, clip, workshop, state, segment, onSegment, lock, choose, make };
}

Deno.test("rerollSegment plans what follows again, shows its takes as stale, and keeps them", async () => {
  await using studio = await testStudio();
  const { workshop, state, onSegment, choose, make } = await open(studio);
  const before = await make();
  assert(before.segments.length >= 3);
  assertEquals((await onSegment(1, "reroll", { randomSeed: 5 })).status, 202);
  assertEquals((await onSegment(1, "reroll")).status, 409, "one at a time");
  await workshop.work();
  const after = await state();
  assertEquals([after.status, total(after)], ["in_review", 200]);
  assertEquals(after.cuts.map((cut) => cut.status), ["superseded", "ready"]);
  assert(after.segments.every((segment) => segment.takes.length === 2), "each was planned again");
  const [first, ...later] = after.segments;
  assertEquals(first?.takes.map((take) => [take.isChosen, take.staleAt !== null]), [[false, false], [
    true,
    false,
  ]]);
  assertEquals(first?.takes.at(-1)?.randomSeed, 5);
  for (const segment of later) {
    assertEquals(
      segment.takes.map((take) => take.staleAt !== null),
      [true, false],
      `segment ${segment.index}`,
    );
  }
  const stranger = await choose(before.segments[1]?.takes[0]);
  assertEquals(stranger.status, 409);
  assertMatch(stranger.body.detail, /another take of segment 1 than the chosen one/);
  // The old take back: what went on from it is good again, so nothing is generated.
  assertEquals((await choose(before.segments[0]?.takes[0])).status, 200);
  const back = await state();
  assertEquals(chosenOf(back).map((take) => take.id), chosenOf(before).map((take) => take.id));
  assert(chosenOf(back).every((take) => take.staleAt === null));
  await workshop.work();
  const end = await state();
  assertEquals([end.status, total(end), takesOf(end).length], ["in_review", 200, takesOf(after).length]);
});

Deno.test("a segment before a locked one is made again and meets it: what follows stays, the total too", async () => {
  await using studio = await testStudio();
  const { workshop, state, segment, onSegment, lock, choose, make } = await open(studio);
  const before = await make();
  await lock(3);
  assertMatch((await onSegment(3, "reroll")).body.detail, /Segment 3 is locked: unlock it/);
  assertMatch(
    (await onSegment(1, "reroll", { following: "replan" })).body.detail,
    /Segment 3 is locked: unlock it, since it would be planned again/,
  );
  assertEquals((await onSegment(1, "reroll")).status, 202);
  assertEquals((await segment(1)).isRemade, true);
  const [job] = await workshop.waiting();
  const { values, uploads } = job?.input as {
    values: Record<string, unknown>;
    uploads: { parameter: string }[];
  };
  assertEquals(uploads.map(({ parameter }) => parameter).sort(), ["image", "last_image", "reference"]);
  assertEquals(values.frames, filledBy(chosenOf(before)[0]!));
  await workshop.work();
  const after = await state();
  assertEquals([after.status, total(after), after.segments[0]?.isRemade], ["in_review", 200, false]);
  assertEquals(chosenOf(after).slice(1).map(({ id }) => id), chosenOf(before).slice(1).map(({ id }) => id));
  const [old, remade] = after.segments[0]?.takes ?? [];
  assertEquals([remade?.isChosen, remade?.meetsNext, remade?.staleAt, old?.staleAt], [
    true,
    true,
    null,
    null,
  ]);
  // In the middle too, and once more on top of that.
  assertEquals((await onSegment(2, "reroll", { following: "keep" })).status, 202);
  await workshop.work();
  assertEquals([(await state()).status, total(await state())], ["in_review", 200]);
  // The old take of segment 1 ends elsewhere than the new one of segment 2 begins, so it would break the locked one.
  assertMatch((await choose(old)).body.detail, /Segment 3 is locked/);
  assertEquals(takesOf(await state()).length, takesOf(before).length + 2);
});

Deno.test("a remake is repeated after a gate's refusal, survives a pause, and ends when the old take is chosen", async () => {
  await using studio = await testStudio();
  const { artist, clip, workshop, state, segment, onSegment, choose, make } = await open(studio);
  const before = await make();
  const again = { following: "keep" };
  const flash = (luma: readonly number[]) => luma.map((value, frame) => frame === 5 ? value + 90 : value);
  workshop.wishes = {
    measureTake: (usual) => ({
      ...usual,
      curves: { ...usual.curves, meanLuma: flash(usual.curves.meanLuma) },
    }),
  };
  await onSegment(2, "reroll", again);
  await workshop.work((job) => job.kind === "clips.measure_take");
  await artist.post(`/api/clips/${clip.id}/pause`);
  await workshop.work();
  const paused = await state();
  assertEquals([paused.status, (await segment(2)).isRemade], ["paused", true]);
  assertEquals(total(paused), 200, "the old take holds the place");
  await artist.post(`/api/clips/${clip.id}/generate`);
  await workshop.work();
  const asked = await state();
  assertEquals(asked.status, "needs_attention");
  assertMatch(asked.attention ?? "", /Segment 2 needs a decision: the picture flashes/);
  assertEquals((await segment(2)).takes.map((take) => [take.status, take.meetsNext]), [
    ["ready", false],
    ["rejected", true],
    ["rejected", true],
    ["rejected", true],
  ]);
  assertEquals((await choose(before.segments[1]?.takes[0])).status, 200);
  const kept = await state();
  assertEquals([kept.status, (await segment(2)).isRemade, total(kept)], ["in_review", false, 200]);
  assertEquals(kept.cuts.length, 1, "the cut is as it was");
});

Deno.test("a remake by a workflow of fixed lengths is stitched retimed, so that the total lands exactly", async () => {
  await using studio = await testStudio();
  const { workshop, state, onSegment, lock, make } = await open(studio, { workflow: "wan22_i2v_14b" });
  // Ends that no length of the form 4n + 1 hits.
  workshop.wishes = { endFrame: ({ target, window }) => target - (window > 1 ? 3 : 0) };
  const before = await make();
  assertEquals([before.status, before.segments.length], ["in_review", 2]);
  await lock(2);
  await onSegment(1, "reroll");
  await workshop.work((job) => job.kind === "clips.stitch");
  const [remade] = chosenOf(await state());
  const stitch = await workshop.only();
  const { parts } = stitch.input as { parts: { frameCount: number; retimedFrames?: number }[] };
  assertEquals(remade?.retimedFrames, filledBy(chosenOf(before)[0]!));
  assert(remade?.endFrame !== null && remade?.retimedFrames !== (remade?.endFrame ?? 0) + 1);
  assertEquals(parts[0], {
    ...parts[0]!,
    frameCount: (remade?.endFrame ?? 0) + 1,
    retimedFrames: remade?.retimedFrames ?? 0,
  });
  await workshop.work();
  const after = await state();
  assertEquals([after.status, total(after)], ["in_review", total(before)]);
  assertEquals(after.cuts.at(-1)?.parts[0]?.retimedFrameCount, remade?.retimedFrames);
});

Deno.test("without a workflow that reaches a last picture, keeping what follows is refused with the mend", async () => {
  await using studio = await testStudio();
  const { onSegment, state, make } = await open(studio);
  await make();
  await studio.db`
    update workflows set status_id = (select id from workflow_status where code = 'retired') where code = 'preview_first_last'`;
  const refused = await onSegment(1, "reroll", { following: "keep" });
  assertEquals([refused.status, refused.body.details.rule], [409, "needs_first_last_workflow"]);
  assertMatch(refused.body.detail, /Import or activate a first-and-last-frame workflow, or unlock/);
  assertEquals((await state()).status, "in_review", "nothing has changed");
});

Deno.test("extendSegment makes one segment longer within the clip, or the clip with it", async () => {
  await using studio = await testStudio();
  const { artist, workshop, state, onSegment, segment, make } = await open(studio, { frames: 144 });
  const before = await make();
  const kept = chosenOf(before).map(filledBy);
  assertEquals(kept, [48, 48, 48]);
  assertEquals((await onSegment(1, "extend", { frames: 12 })).status, 202);
  await workshop.work();
  const within = await state();
  assertEquals([within.status, within.frames, total(within)], ["in_review", 144, 144]);
  assertEquals(chosenOf(within).map(filledBy)[0], 60);
  assertEquals(within.segments[0]?.askedFrames, 60);
  const last = within.segments.length;
  assertMatch(
    (await onSegment(last, "extend", { frames: 5 })).body.detail,
    /is the clip's last and ends with it/,
  );
  assertMatch(
    (await onSegment(1, "extend", { frames: 50 })).body.detail,
    /can become at most \d+ frames longer/,
  );

  assertEquals((await onSegment(last, "extend", { frames: 5, following: "keep" })).status, 202);
  await workshop.work();
  const longer = await state();
  assertEquals([longer.status, longer.frames, total(longer)], ["in_review", 149, 149]);
  assertEquals((await onSegment(2, "extend", { frames: 7, following: "keep" })).status, 202);
  await workshop.work();
  const grown = await state();
  assertEquals([grown.status, grown.frames, total(grown)], ["in_review", 156, 156]);
  assertEquals(
    chosenOf(grown).map(filledBy),
    chosenOf(longer).map(filledBy).map((frames, index) => index === 1 ? frames + 7 : frames),
  );
  assertEquals(
    (await artist.patch(`/api/segments/${(await segment(1)).id}`, { askedFrames: null })).status,
    200,
  );
  assertEquals((await segment(1)).askedFrames, null);
});

Deno.test("a segment's own seed and prompt are its next take's; a rejected take is not made again with the same seed", async () => {
  await using studio = await testStudio();
  const { artist, workshop, onSegment, segment, make } = await open(studio, { frames: 48 });
  await make();
  const own = { randomSeed: 1234, prompt: "she looks up" };
  const changed = await artist.patch(`/api/segments/${(await segment(1)).id}`, own);
  assertEquals([changed.status, changed.body.segments[0].randomSeed], [200, 1234]);
  await onSegment(1, "reroll");
  const [job] = await workshop.waiting();
  const { values } = job?.input as { values: Record<string, unknown> };
  assertEquals([values.seed, values.prompt], [1234, "she looks up"]);
  workshop.wishes = {
    measureTake: (usual) => ({
      ...usual,
      curves: { ...usual.curves, motion: usual.curves.motion.map(() => 0) },
    }),
  };
  await workshop.work();
  assertEquals((await segment(1)).takes.slice(1).map((take) => take.randomSeed), [
    1234,
    1234 + 7919,
    1234 + 2 * 7919,
  ]);
  await artist.patch(`/api/segments/${(await segment(1)).id}`, { randomSeed: null, prompt: null });
  assertEquals([(await segment(1)).randomSeed, (await segment(1)).prompt], [null, null]);
});

Deno.test("a clip that may be retimed ends on the calm frame near its end, and still has the asked frames", async () => {
  await using studio = await testStudio();
  const { artist, clip, workshop, state, make } = await open(studio, { frames: 60 });
  assertEquals((await artist.patch(`/api/clips/${clip.id}`, { retimeLimit: 0.5 })).status, 400);
  assertEquals((await artist.patch(`/api/clips/${clip.id}`, { retimeLimit: 0.04 })).body.retimeLimit, 0.04);
  workshop.wishes = { endFrame: ({ target, window }) => target - window };
  const done = await make();
  assertEquals(chosenOf(done).map((take) => take.endFrame), [57]);
  const [part] = done.cuts.at(-1)?.parts ?? [];
  assertEquals([done.status, part?.sourceFrameCount, part?.retimedFrameCount], ["in_review", 58, 60]);
  assertEquals((await state()).cuts.at(-1)?.frames, 60);
});

type Deed =
  | { readonly do: "reroll" | "extend"; readonly at: number; readonly keep: boolean; readonly frames: number }
  | { readonly do: "lock" | "unlock" | "choose"; readonly at: number; readonly take: number }
  | { readonly do: "length"; readonly frames: number };

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    do: fc.constantFrom("reroll" as const, "extend" as const),
    at: fc.nat({ max: 5 }),
    keep: fc.boolean(),
    frames: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({
    do: fc.constantFrom("lock" as const, "unlock" as const, "choose" as const),
    at: fc.nat({ max: 5 }),
    take: fc.nat({ max: 6 }),
  }),
  fc.record({ do: fc.constant("length" as const), frames: fc.integer({ min: 1, max: 260 }) }),
);

Deno.test("whatever people do with segments, the clip lands on its length, locked takes stay and none is lost", async () => {
  await using studio = await testStudio();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("preview_motion", "wan22_i2v_14b"),
      fc.array(deeds, { minLength: 1, maxLength: 7 }),
      fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
      async (workflow, todo, shares) => {
        const { artist, clip, workshop, state, onSegment, lock, choose, make } = await open(studio, {
          workflow,
        });
        workshop.wishes = {
          endFrame: ({ target, window }) => target + Math.round(window * (shares.next().value ?? 0)),
        };
        const own = (job: { projectId: string | null }) => job.projectId === clip.projectId;
        const settle = async () => {
          for (let count = 0; count < 200; count++) {
            const job = (await workshop.waiting()).find(own);
            if (!job) return;
            await workshop.finish(job);
          }
          throw new Error("The jobs do not come to an end");
        };
        await make();
        for (const deed of todo) {
          const before = await state();
          const live = before.segments.filter((segment) => segment.takes.some((take) => take.isChosen));
          const target = "at" in deed ? live[deed.at % live.length] : undefined;
          const locked = before.segments.filter((segment) => segment.lockedAt).flatMap((each) => each.takes)
            .filter((take) => take.isChosen).map((take) => take.id);
          if (deed.do === "length") await artist.patch(`/api/clips/${clip.id}`, { frames: deed.frames });
          else if (deed.do === "reroll" || deed.do === "extend") {
            const body = { following: deed.keep ? "keep" : "replan" };
            await onSegment(
              target?.index ?? 1,
              deed.do,
              deed.do === "extend" ? { ...body, frames: deed.frames } : body,
            );
          } else if (deed.do === "choose") {
            await choose(target?.takes[deed.take % (target.takes.length || 1)]);
          } else await lock(target?.index ?? 1, deed.do === "lock");
          await artist.post(`/api/clips/${clip.id}/generate`);
          await settle();
          const after = await state();
          assertEquals([after.status, after.attention], ["in_review", null], JSON.stringify(deed));
          const cut = after.cuts.at(-1);
          assertEquals([cut?.status, cut?.frames], ["ready", after.frames]);
          const stitched = cut?.parts.reduce(
            (sum, part) => sum + (part.retimedFrameCount ?? part.sourceFrameCount),
            0,
          );
          const wanted = workflow === "preview_motion" ? after.frames : Math.ceil(after.frames * 16 / 24);
          assert(
            stitched !== undefined && stitched >= wanted && stitched <= wanted + 1,
            `${stitched} frames for ${wanted} after ${JSON.stringify(deed)}`,
          );
          const ids = new Set(takesOf(after).map((take) => take.id));
          assert(takesOf(before).every((take) => ids.has(take.id)), "a take is lost");
          const chosen = new Set(chosenOf(after).map((take) => take.id));
          if (deed.do !== "length") {
            assert(locked.every((id) => chosen.has(id)), "a locked take was replaced");
          }
        }
      },
    ),
    { numRuns: 6 },
  );
});
