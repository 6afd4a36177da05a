import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import * as fc from "fast-check";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { transact } from "#server/db/db.ts";
import { givenClip } from "#server/testing/clip_fixtures.ts";
import {
  givenMember,
  givenScene,
  givenSeed,
  givenWorker,
  givenWorkflowVersion,
} from "#server/testing/fixtures.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import { openVersion, syncBundled } from "#server/workflows/service.ts";
import { type TestStudio, testStudio } from "#server/testing/test_studio.ts";
import { givenWorkingImage, Workshop } from "#server/testing/workshop.ts";
import type { ClipState } from "./contract.ts";
import { advance } from "./loop.ts";
import { findClip } from "./queries.ts";
import { chainOf, readRun } from "./run.ts";
import type { LoopTake } from "./take_queries.ts";

async function open(studio: TestStudio, given: { frames?: number } = {}) {
  const artist = await studio.as("creator");
  await givenWorkflowVersion(studio);
  const clip = await givenClip(studio, given);
  await givenMember(studio, { id: clip.projectId }, artist.user!, "creator");
  await givenWorkingImage(studio, clip.hero);
  await givenWorkingImage(studio, clip.portrait);
  const workshop = new Workshop(studio);
  const state = async (): Promise<ClipState> => (await artist.get(`/api/clips/${clip.id}`)).body;
  const post = (path: string, body?: unknown) => artist.post(`/api/clips/${clip.id}/${path}`, body);
  const change = (body: unknown) => artist.patch(`/api/clips/${clip.id}`, body);
  return { artist, clip, workshop, state, post, change };
}

const takesOf = (state: ClipState) => state.segments.flatMap((segment) => segment.takes);
const chosenOf = (state: ClipState) => takesOf(state).filter((take) => take.isChosen);
const keptOf = (state: ClipState) => chosenOf(state).reduce((sum, take) => sum + (take.endFrame ?? 0) + 1, 0);

Deno.test("generateClip lands on the asked count whatever ends are found, with one open take at a time", async () => {
  await using studio = await testStudio();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 400 })),
      fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
      async (frames, shares) => {
        const { artist, workshop, post, state, clip } = await open(studio, { frames });
        // Other runs' jobs are in the same database: this run looks only at its own.
        const own = (job: { projectId: string | null }) => job.projectId === clip.projectId;
        workshop.wishes = {
          endFrame: ({ target, window }) => target + Math.round(window * (shares.next().value ?? 0)),
        };
        const { body: plan } = await artist.get(`/api/clips/${clip.id}/plan`);
        assertEquals((await post("generate")).status, 202);
        for (let count = 0; count < 200; count++) {
          const jobs = (await workshop.waiting()).filter(own);
          const open = takesOf(await state()).filter((take) =>
            ["generating", "ingesting", "measuring"].includes(take.status)
          );
          assert(open.length <= 1, `${open.length} takes are open`);
          const [job] = jobs;
          if (!job) break;
          await workshop.finish(job);
        }
        const end = await state();
        assertEquals(end.status, "in_review");
        assertEquals(keptOf(end), frames);
        assertEquals(end.cuts.map((cut) => [cut.status, cut.frames]), [["ready", frames]]);
        assert(
          end.segments.length <= plan.bound,
          `${end.segments.length} segments, at most ${plan.bound} planned`,
        );
      },
    ),
    { numRuns: 12 },
  );
});

Deno.test("advance() called again, by two at once and after late results makes no second take", async () => {
  await using studio = await testStudio();
  const { clip, workshop, state, post } = await open(studio, { frames: 120 });
  const answers = await Promise.all([post("generate"), post("generate"), post("generate")]);
  assertEquals(answers.map((answer) => answer.status), [202, 202, 202]);
  const go = () => transact(studio.db, (tx) => advance(tx, clip.id, { userId: null }));
  await Promise.all([go(), go(), go()]);
  assertEquals(takesOf(await state()).length, 1);
  const made = await workshop.only();
  await workshop.finish(made);
  await workshop.finish(made);
  assertEquals((await workshop.waiting()).map((job) => job.kind), ["clips.ingest_take"]);
  await workshop.work((job) => job.kind === "clips.measure_take");
  const measure = await workshop.only();
  await Promise.all([workshop.finish(measure), go(), workshop.finish(measure)]);
  assertEquals(takesOf(await state()).map((take) => take.status), ["ready", "generating"]);
  await workshop.work();
  const done = await state();
  assertEquals([done.status, keptOf(done), done.cuts.length], ["in_review", 120, 1]);
  assertEquals((await post("generate")).body.status, "in_review", "nothing has changed, so nothing is made");
  assertEquals((await state()).cuts.length, 1);
});

Deno.test("the database refuses takes without an approved hero and a second open one", async () => {
  await using studio = await testStudio();
  const { clip, artist, post } = await open(studio);
  const { db } = studio;
  const version = await givenWorkflowVersion(studio);
  const segmentId = newId<"segment">();
  await db`insert into segments (id, clip_id, index, status_id) values (${segmentId}, ${clip.id}, 1, 1)`;
  const insert = (number: number) =>
    db`
      insert into takes (id, segment_id, number, status_id, random_seed, workflow_version_id, start_file_hash,
                         rate_num, rate_den, generate_frames, drop_head, target_end, end_window, is_end_exact)
      values (${newId()}, ${segmentId}, ${number}, 1, 1, ${version.id}, ${clip.hero.file.hash}, 24, 1, 9, 0, 8, 0, true)`;
  await db`delete from seed_approvals where seed_id = ${clip.hero.id}`;
  await assertRejects(async () => await insert(1), Error, "no approved hero");
  const refused = await post("generate");
  assertEquals([refused.status, refused.body.details.rule], [409, "take_needs_hero"]);
  await artist.post(`/api/seeds/${clip.hero.id}/approve`);
  await insert(1);
  await assertRejects(async () => await insert(2), Error, "one_open_take");
  await db`update clips set hero_seed_id = null where id = ${clip.id}`;
  await assertRejects(async () => await insert(3), Error, "no approved hero");
});

Deno.test("a gate makes a take again up to the clip's limit, then asks; a person may keep or go on", async () => {
  await using studio = await testStudio();
  const { artist, clip, workshop, state, post, change } = await open(studio, { frames: 48 });
  assertEquals((await change({ rerollLimit: 1, likenessFloor: 0.95 })).status, 200);
  await post("generate");
  await workshop.work();
  const asked = await state();
  assertEquals(asked.status, "needs_attention");
  assertMatch(
    asked.attention ?? "",
    /Segment 1 needs a decision: likeness 0\.90 is under the clip's floor 0\.95/,
  );
  assertEquals(takesOf(asked).map((take) => take.status), ["rejected", "rejected"], "one try and one more");
  const [first, second] = takesOf(asked);
  assert(first?.randomSeed !== second?.randomSeed);
  assertEquals(second?.gate?.verdict, "ask");
  assertEquals((await artist.post(`/api/takes/${first?.id}/choose`)).status, 200);
  await workshop.work();
  const kept = await state();
  assertEquals([kept.status, keptOf(kept), kept.attention], ["in_review", 48, null]);
  assertEquals(chosenOf(kept).map((take) => take.id), [first?.id ?? ""]);
  assertEquals((await artist.post(`/api/takes/${first?.id}/choose`)).body.cuts.length, 1, "chosen already");
  // With the limit at 0 the first bad take is asked about at once.
  await change({ rerollLimit: 0 });
  await artist.post(`/api/segments/${kept.segments[0]?.id}/reroll`, { randomSeed: 5 });
  await workshop.work();
  assertEquals(takesOf(await state()).map((take) => take.randomSeed).at(-1), 5);
  assertEquals((await state()).status, "needs_attention");
  assertEquals(clip.projectId, kept.projectId);
});

Deno.test("a take whose picture is at fault is made again as often as the clip allows", async () => {
  await using studio = await testStudio();
  const { workshop, state, post, change } = await open(studio, { frames: 48 });
  await change({ rerollLimit: 4 });
  const freeze = (motion: readonly number[]) => motion.map(() => 0);
  workshop.wishes = {
    measureTake: (usual) => ({ ...usual, curves: { ...usual.curves, motion: freeze(usual.curves.motion) } }),
  };
  await post("generate");
  await workshop.work();
  assertEquals(takesOf(await state()).map((take) => take.gate?.verdict), [
    "reroll",
    "reroll",
    "reroll",
    "reroll",
    "ask",
  ]);
  assertMatch((await state()).attention ?? "", /Segment 1 needs a decision: the picture is frozen/);
});

Deno.test("chainOf ends where a take was made from another picture, at another rate, or is missing", async () => {
  await using studio = await testStudio();
  const { clip, workshop, post } = await open(studio, { frames: 200 });
  await post("generate");
  await workshop.work();
  const row = await findClip(studio.db, clip.id);
  const version = await openVersion(studio.db, row?.workflowVersionId ?? "");
  const { loop, takes, chain } = await readRun(studio.db, row!, version);
  assert(chain.length >= 3);
  const changed = (change: Partial<LoopTake>) =>
    takes.map((take, index) => index === 1 ? { ...take, ...change } : take);
  assertEquals(chainOf(changed({}), loop).length, chain.length);
  assertEquals(chainOf(changed({ startsFromTakeId: newId() }), loop).length, 1);
  assertEquals(chainOf(changed({ rate: { num: 16, den: 1 } }), loop).length, 1);
  assertEquals(chainOf(changed({ isChosen: false }), loop).length, 1);
  assertEquals(chainOf(changed({ endFrame: null }), loop).length, 1);
});

Deno.test("pause lets the running step end; changing waits for it; resume goes on", async () => {
  await using studio = await testStudio();
  const { workshop, state, post, change } = await open(studio, { frames: 120 });
  assertEquals((await post("pause")).status, 409, "nothing runs");
  await post("generate");
  const busy = await change({ prompt: "another" });
  assertEquals(busy.status, 409);
  assertMatch(busy.body.detail, /it is generating. Pause it/);
  assertEquals((await change({ name: "Renamed while it runs" })).status, 200);
  assertEquals((await post("pause")).body.status, "paused");
  assertEquals((await post("pause")).body.status, "paused", "twice is once");
  assertMatch((await change({ frames: 96 })).body.detail, /its last step still runs/);
  await workshop.work();
  assertEquals(takesOf(await state()).map((take) => take.status), ["ready"]);
  assertEquals((await state()).status, "paused");
  assertEquals((await change({ frames: 96, prompt: "calmer" })).status, 200);
  await post("generate");
  await workshop.work();
  assertEquals([(await state()).status, keptOf(await state())], ["in_review", 96]);
});

Deno.test("a failed or cancelled step asks or pauses, and is taken back by a retry while it is still the next", async () => {
  await using studio = await testStudio();
  const { workshop, state, post } = await open(studio, { frames: 48 });
  await post("generate");
  const job = await workshop.only();
  await workshop.fail(job);
  const failed = await state();
  assertEquals([failed.status, failed.attention], [
    "needs_attention",
    "Segment 1 could not be made: The worker has burnt down",
  ]);
  await workshop.retry(job);
  const back = await state();
  assertEquals([back.status, back.attention, takesOf(back)[0]?.status], ["generating", null, "generating"]);
  await workshop.cancel(job);
  assertEquals([(await state()).status, takesOf(await state())[0]?.status], ["paused", "cancelled"]);
  await post("generate");
  assertEquals(takesOf(await state()).map((take) => take.status), ["cancelled", "generating"]);
  const late = await assertRejects(() => workshop.retry(job), AppError);
  assertMatch(late.message, /the clip has gone on without it/);
  await workshop.work((next) => next.kind === "clips.stitch");
  const stitch = await workshop.only();
  await workshop.fail(stitch, "The disk was full");
  assertMatch((await state()).attention ?? "", /The cut could not be made: The disk was full/);
  await workshop.retry(stitch);
  await workshop.work();
  assertEquals([(await state()).status, (await state()).cuts.length], ["in_review", 1]);
});

Deno.test("results that can't be are failures with the reason, not stuck steps", async () => {
  await using studio = await testStudio();
  const { workshop, state, post } = await open(studio, { frames: 48 });
  await post("generate");
  const job = await workshop.only();
  await workshop.finish(job, {
    outputs: [],
    graph: {},
    software: { name: "x", version: "1", details: {} },
    timings: {},
  });
  assertMatch((await state()).attention ?? "", /The worker made no file/);
  await post("generate");
  workshop.wishes = { endFrame: () => 9999 };
  await workshop.work();
  assertMatch((await state()).attention ?? "", /No frame of the take can be its end/);
  await post("generate");
  workshop.wishes = { stitch: (usual) => ({ ...usual, frameCount: 47 }) };
  await workshop.work();
  assertMatch((await state()).attention ?? "", /it has 47 frames in 1 parts, where 48 in 1 were asked/);
  await post("generate");
  workshop.wishes = {};
  await workshop.work();
  assertEquals((await state()).status, "in_review");
});

Deno.test("changeClip keeps the takes: shorter is trimmed in the cut, longer goes on from the whole take", async () => {
  await using studio = await testStudio();
  const { artist, clip, workshop, state, post, change } = await open(studio, { frames: 150 });
  await post("generate");
  await workshop.work();
  const long = await state();
  assertEquals((await change({ frames: 40 })).status, 200);
  await post("generate");
  await workshop.work();
  const short = await state();
  assertEquals(takesOf(short).length, takesOf(long).length, "nothing was generated");
  assertEquals(short.cuts.at(-1)?.parts.reduce((sum, part) => sum + part.sourceFrameCount, 0), 40);
  assertEquals(short.cuts.at(-1)?.frames, 40);
  await change({ frames: 150 });
  await post("generate");
  await workshop.work();
  const again = await state();
  assertEquals([again.status, keptOf(again)], ["in_review", 150]);
  assertEquals(takesOf(again).length, takesOf(long).length, "what was made still fits");
  // Another hero: the takes stay, but none is in the cut any more.
  const hero = await givenSeed(studio, {
    character: { id: clip.characterId, projectId: clip.projectId },
    kind: "foundation",
  });
  await givenWorkingImage(studio, hero);
  await artist.post(`/api/seeds/${hero.id}/hero`, { approve: true });
  assertEquals((await change({ heroSeedId: hero.id })).status, 200);
  assertEquals(chosenOf(await state()).length, 0);
  const old = await artist.post(`/api/takes/${takesOf(again)[0]?.id}/choose`);
  assertMatch(old.body.detail, /made from another hero/);
  await post("generate");
  await workshop.work();
  assertEquals([(await state()).status, keptOf(await state())], ["in_review", 150]);
});

Deno.test("a workflow of another native rate begins anew: frames of two rates are never counted together", async () => {
  await using studio = await testStudio();
  await syncBundled(studio.db, BUNDLED_TEMPLATES);
  const { workshop, state, post, change } = await open(studio, { frames: 48 });
  const [wan] = await studio.db<{ id: string }[]>`
    select v.id from workflow_versions v join workflows w on w.id = v.workflow_id where w.code = 'wan22_i2v_14b'`;
  await post("generate");
  await workshop.work();
  const before = await state();
  assertEquals(before.cuts[0]?.conform, "none");
  await change({ workflowVersionId: wan?.id });
  await post("generate");
  await workshop.work();
  const after = await state();
  assertEquals([after.status, after.cuts.at(-1)?.conform], ["in_review", "interpolate"]);
  assertEquals(new Set(chosenOf(after).map((take) => take.rate.num)), new Set([16]));
  assertEquals(keptOf(after), 33, "48 frames at 24 need 33 at 16");
});

Deno.test("clips are made of their own project's things only, and say which field is wrong", async () => {
  await using studio = await testStudio();
  const { artist, clip, change } = await open(studio);
  const other = await givenClip(studio);
  const path = `/api/scenes/${clip.sceneId}/clips`;
  const base = { name: "New", characterId: clip.characterId, frames: 24 };
  const status = async (body: unknown) => (await artist.post(path, body)).status;
  assertEquals(await status(base), 201);
  assertEquals(await status({ ...base, name: "Foreign", characterId: other.characterId }), 404);
  assertEquals(await status({ ...base, name: "Foreign", heroSeedId: other.hero.id }), 404);
  assertEquals(await status({ ...base, name: "Foreign", portraitSeedId: other.portrait.id }), 404);
  assertEquals(await status({ ...base, name: "Swapped", heroSeedId: clip.portrait.id }), 409);
  assertEquals(await status({ ...base, name: "No workflow", workflowVersionId: newId() }), 404);
  const foundation = await givenWorkflowVersion(studio, { role: "foundation_from_portrait" });
  const wrong = await artist.post(path, { ...base, name: "Wrong", workflowVersionId: foundation.id });
  assertEquals([wrong.status, wrong.body.fields[0].field], [400, "/body/workflowVersionId"]);
  assertEquals((await change({ heroSeedId: other.hero.id })).status, 404);
  const fields = async (body: unknown) =>
    (await artist.post(path, body)).body.fields?.map((each: { field: string }) => each.field);
  assertEquals(await fields({ ...base, frames: 0 }), ["/body/frames"]);
  assertEquals(await fields({ ...base, frames: 1.5 }), ["/body/frames"]);
  assertEquals(await fields({ ...base, frames: 1e9 }), ["/body/frames"]);
  assertEquals(await fields({ ...base, name: "  " }), ["/body/name"]);
  assertEquals(await fields({ ...base, name: "a\u0007b" }), ["/body/name"]);
  assertEquals(await fields({ ...base, prompt: "x".repeat(8001) }), ["/body/prompt"]);
  assertEquals(await fields({ ...base, likenessFloor: 2, rerollLimit: -1 }), [
    "/body/likenessFloor",
    "/body/rerollLimit",
  ]);
  assertEquals(await fields({ ...base, knob: 1 }), ["/body/knob"]);
  const id = newId<"clip">();
  assertEquals(await status({ ...base, id, name: "Twice" }), 201);
  assertEquals(await status({ ...base, id, name: "Twice" }), 201);
  assertEquals(await status({ ...base, name: "Twice" }), 409);
  const scene = await givenScene(studio, { projectId: clip.projectId });
  assertEquals((await artist.post(`/api/scenes/${scene.id}/clips`, { ...base, id })).status, 409);
});

Deno.test("knobs that the workflow does not know are named when the clip is generated, and nothing is begun", async () => {
  await using studio = await testStudio();
  const { state, post, change } = await open(studio);
  await change({ knobs: { motion: 99, nonsense: 1 } });
  const refused = await post("generate");
  assertEquals(refused.status, 400);
  assertEquals(refused.body.fields.map((each: { field: string }) => each.field).sort(), [
    "/parameters/motion",
    "/parameters/nonsense",
  ]);
  assertEquals([(await state()).status, (await state()).segments.length], ["draft", 0]);
});

Deno.test("a clip in the trash rests: it can be restored with what it has, and nothing else", async () => {
  await using studio = await testStudio();
  const { workshop, state, post, change } = await open(studio);
  await post("generate");
  await workshop.work();
  assertEquals((await change({ trash: false })).body.status, "in_review", "it is not in the trash");
  assertEquals((await change({ trash: true })).body.status, "trashed");
  assertEquals((await change({ prompt: "x" })).status, 409);
  assertMatch((await post("generate")).body.detail, /in the trash: restore it/);
  assertMatch((await post("stitch")).body.detail, /in the trash: restore it/);
  assertEquals((await change({ trash: false })).body.status, "draft");
  assertEquals((await post("generate")).body.status, "in_review");
  assertEquals((await state()).cuts.length, 1);
});

Deno.test("a clip made before its hero goes by the character's when it is generated, or says how to set one", async () => {
  await using studio = await testStudio();
  const { artist, clip, post, change, state } = await open(studio);
  assertEquals((await change({ heroSeedId: null, portraitSeedId: null })).status, 200);
  const { db } = studio;
  await db`delete from seed_approvals where seed_id = ${clip.hero.id}`;
  const refused = await post("generate");
  assertEquals([refused.status, refused.body.details.rule], [409, "take_needs_hero"]);
  assertMatch(
    refused.body.detail,
    /POST \/api\/seeds\/\{seedId\}\/hero .* or name a hero for this clip alone with PATCH/,
  );
  assertEquals([(await state()).status, (await state()).heroSeedId], ["draft", null], "nothing has changed");
  await artist.post(`/api/seeds/${clip.hero.id}/approve`);
  await db`update seeds set derived_from_seed_id = ${clip.portrait.id} where id = ${clip.hero.id}`;
  const begun = await post("generate");
  assertEquals([begun.status, begun.body.status], [202, "generating"]);
  assertEquals([begun.body.heroSeedId, begun.body.portraitSeedId], [clip.hero.id, clip.portrait.id]);
});

Deno.test("planClip says when no worker can run its workflow, and what each lacks", async () => {
  await using studio = await testStudio();
  const { artist, clip, change } = await open(studio);
  const { db } = studio;
  const version = await givenWorkflowVersion(studio);
  await change({ workflowVersionId: version.id });
  const blocked = async () => (await artist.get(`/api/clips/${clip.id}/plan`)).body.blocked;
  assertMatch(
    (await blocked()).sentence,
    /^No worker is online to run "[^"]+": add or start one under Workers$/,
  );
  const worker = await givenWorker(studio);
  assertEquals(await blocked(), null, "it was not asked yet");
  const missing = ["Load (node 1): the worker has no file x.safetensors; put it into models/vae"];
  await db`
    insert into worker_capabilities (worker_id, workflow_version_id, is_able, missing)
    values (${worker.id}, ${version.id}, false, ${missing})`;
  const lacking = await blocked();
  assertEquals(lacking.workers.map((one: { missing: string[] }) => one.missing), [missing]);
  assertMatch(
    lacking.sentence,
    /No worker that is online can run .*: Worker \w+: Load \(node 1\): .* models\/vae\. Add what/,
  );
  await db`update worker_capabilities set is_able = true, missing = '{}' where worker_id = ${worker.id}`;
  assertEquals(await blocked(), null);
  await db`update workers set status_id = (select id from worker_status where code = 'offline') where id = ${worker.id}`;
  assertMatch(
    (await blocked()).sentence,
    /No worker that can run .* is online: start Worker \w+ \(offline\)/,
  );
});
