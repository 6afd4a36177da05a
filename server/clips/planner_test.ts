import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { EDIT_RATES, type Rate } from "#server/core/media_time.ts";
import { nativeFrames } from "#server/core/conform.ts";
import { isLegal, longest, shortest } from "#server/core/legal_length.ts";
import { forecast } from "./forecast.ts";
import {
  type GenerateStep,
  type Loop,
  loopBound,
  type LoopConstraints,
  nextStep,
  planLoop,
  planReroll,
  type PlanStep,
} from "./planner.ts";

const fps = (num: number, den = 1): Rate => ({ num, den });

const wan: LoopConstraints = {
  frames: { step: 4, offset: 1, min: 5, max: 81 },
  rates: [fps(16)],
  conditionedFrames: 1,
  discardTail: 4,
  restsAtEnd: false,
};
const preview: LoopConstraints = {
  frames: { step: 1, offset: 0, min: 2, max: 81 },
  rates: "any",
  conditionedFrames: 1,
  discardTail: 0,
  restsAtEnd: true,
};

const FAMILIES = [
  { step: 4, offset: 1, maxes: [81, 33, 121] },
  { step: 8, offset: 1, maxes: [97, 257, 25] },
  { step: 17, offset: 5, maxes: [107, 345, 39] },
  { step: 4, offset: -3, maxes: [33, 129] },
  { step: 1, offset: 0, maxes: [1, 3, 16, 73, 240] },
] as const;

const constraintsOf: fc.Arbitrary<LoopConstraints> = fc.constantFrom(...FAMILIES).chain((
  { step, offset, maxes },
) =>
  fc.record({
    frames: fc.record({
      step: fc.constant(step as number),
      offset: fc.constant(offset as number),
      min: fc.integer({ min: 1, max: 9 }),
      max: fc.tuple(fc.constantFrom<number>(...maxes), fc.integer({ min: 0, max: 3 })).map(([max, more]) =>
        max + more
      ),
    }),
    rates: fc.oneof(
      fc.constant("any" as const),
      fc.array(fc.constantFrom(fps(8), fps(16), fps(24), fps(25), fps(30), fps(24000, 1001)), {
        minLength: 1,
        maxLength: 3,
      }),
    ),
    conditionedFrames: fc.constantFrom(0, 1, 1, 5),
    discardTail: fc.constantFrom(0, 2, 4),
    restsAtEnd: fc.boolean(),
  })
);

/** Templates that make a handful of frames need thousands of segments for a long clip: true, but slow. */
function mostFrames(longestTake: number): number {
  return longestTake < 24 ? 200 : longestTake < 70 ? 3000 : 20_000;
}

const requestOf = constraintsOf.chain((constraints) =>
  fc.record({
    askedFrames: fc.integer({ min: 1, max: mostFrames(constraints.frames.max) }),
    rate: fc.constantFrom(...EDIT_RATES, fps(16), fps(12), fps(15000, 1001)),
    constraints: fc.constant(constraints),
    retimeLast: fc.constantFrom(0, 0, 0.02, 0.04),
  })
);

/** The loop, or undefined for the templates that rightly are refused: too short to hold a frame of their own. */
function loopOf(request: Parameters<typeof planLoop>[0]): Loop | undefined {
  const { frames, conditionedFrames, discardTail } = request.constraints;
  try {
    return planLoop(request);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    assert(
      longest(frames) - conditionedFrames - discardTail < 1 || shortest(frames) > longest(frames),
      `Refused a template that could do it: ${thrown.message}`,
    );
    return undefined;
  }
}

function generating(step: PlanStep): GenerateStep {
  if (step.kind !== "generate") throw new Error(`Wanted a segment to generate, got ${step.kind}`);
  return step;
}

function finished(step: PlanStep): Extract<PlanStep, { kind: "done" }> {
  if (step.kind !== "done") throw new Error(`Wanted the plan done, got ${step.kind}`);
  return step;
}

function checkStep(loop: Loop, step: GenerateStep, kept: readonly number[]): void {
  const { frames, discardTail, conditionedFrames } = loop.constraints;
  assert(isLegal(frames, step.generateFrames), `illegal length ${step.generateFrames}`);
  assertEquals(step.index, kept.length);
  assertEquals(step.dropHead, step.index === 0 ? 0 : conditionedFrames);
  const { target, window, exact } = step.end;
  assertEquals(target, step.keepFrames - 1);
  assertEquals(exact, window === 0 && exact);
  assert(
    target - window >= 0 && target + window < step.generateFrames - step.dropHead - discardTail,
    "window outside",
  );
  assert(window <= Math.max(8, Math.floor(0.12 * step.keepFrames)), "window wider than δ");
  if (exact) assertEquals(kept.reduce((sum, keep) => sum + keep, 0) + step.keepFrames, loop.totalFrames);
}

/** Drives the loop with ends chosen by `choose` (0–1 across each window) until it says done. */
function drive(loop: Loop, choose: () => number): { kept: number[]; end: PlanStep } {
  const kept: number[] = [];
  const bound = loopBound(loop);
  for (;;) {
    const step = nextStep(loop, kept);
    if (step.kind !== "generate") return { kept, end: step };
    checkStep(loop, step, kept);
    assert(kept.length < bound, `more than ${bound} segments`);
    const { target, window } = step.end;
    kept.push(target - window + Math.round(choose() * 2 * window) + 1);
  }
}

Deno.test("nextStep lands on the asked count for any ends inside the windows", () => {
  fc.assert(
    fc.property(requestOf, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (request, ends) => {
      const loop = loopOf(request);
      if (!loop) return;
      const run = drive(loop, () => ends.next().value ?? 0.5);
      const kept = run.kept;
      const end = finished(run.end);
      assertEquals(end.segments, kept.length);
      assertEquals(loop.totalFrames, nativeFrames(request.askedFrames, loop.conform));
      const sum = kept.reduce((total, keep) => total + keep, 0);
      const retimed = end.retime ? end.retime.toFrames - end.retime.fromFrames : 0;
      assertEquals(sum + retimed, loop.totalFrames);
      if (end.retime) assert(Math.abs(retimed) <= request.retimeLast * end.retime.toFrames);
    }),
    { numRuns: 4000 },
  );
});

Deno.test("nextStep keeps its bound when every end is the earliest or the latest offered", () => {
  fc.assert(
    fc.property(requestOf, fc.constantFrom(0, 1), (request, edge) => {
      const loop = loopOf({ ...request, retimeLast: 0 });
      if (loop) assertEquals(drive(loop, () => edge).end.kind, "done");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("nextStep offers the whole window to every segment but the last and leaves no stub", () => {
  fc.assert(
    fc.property(requestOf, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (request, ends) => {
      const loop = loopOf({ ...request, retimeLast: 0 });
      if (!loop || longest(loop.constraints.frames) < 25) return;
      const kept: number[] = [];
      for (let step = nextStep(loop, kept); step.kind === "generate"; step = nextStep(loop, kept)) {
        const { keepFrames, end: { target, window, exact } } = step;
        const delta = Math.min(Math.max(8, Math.floor(keepFrames * 0.12)), Math.floor(keepFrames / 4));
        if (!exact) assertEquals(window, delta);
        if (step.index > 0) {
          assert(keepFrames * 4 >= (kept[0] ?? 0), `stub of ${keepFrames} after ${kept[0]}`);
        }
        kept.push(target - window + Math.round((ends.next().value ?? 0) * 2 * window) + 1);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("nextStep copes with ends that nobody offered", () => {
  fc.assert(
    fc.property(
      requestOf,
      fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 12 }),
      (request, accepted) => {
        const loop = loopOf({ ...request, retimeLast: 0 });
        if (!loop) return;
        const step = nextStep(loop, accepted);
        const sum = accepted.reduce((total, keep) => total + keep, 0);
        if (step.kind === "generate") {
          checkStep(loop, step, accepted);
          assert(sum < loop.totalFrames);
        } else if (step.kind === "trim") {
          const before = accepted.slice(0, step.index).reduce((total, keep) => total + keep, 0);
          assertEquals(before + step.keepFrames, loop.totalFrames);
          assert(step.keepFrames <= (accepted[step.index] ?? 0) && step.keepFrames > 0);
        } else assertEquals(sum, loop.totalFrames);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("forecast of six seconds at 24 fps", () => {
  const plan = forecast(planLoop({ askedFrames: 144, rate: fps(24), constraints: preview }));
  assertEquals(plan.summary, "Plan 144 frames · 3 segments");
  assertEquals(plan.segments.map(({ keepFrames }) => keepFrames), [48, 48, 48]);
  assertEquals(plan.segments.map(({ firstFrame }) => firstFrame), [0, 48, 96]);
  assertEquals(plan.segments.map(({ state }) => state), ["next", "later", "later"]);
  // The rest of the preview's motion lies on the clip's last frame: one repeated frame and the 48 kept.
  assertEquals(plan.segments.at(-1)?.generateFrames, 49);
  const wanPlan = forecast(planLoop({ askedFrames: 144, rate: fps(24), constraints: wan }));
  assertEquals(wanPlan.conform.method, "interpolate");
  assertEquals(wanPlan.segments.map(({ keepFrames }) => keepFrames), [49, 48]);
  assertEquals(wanPlan.segments.map(({ generateFrames }) => generateFrames), [61, 53]);
  assertEquals(wanPlan.segments.reduce((sum, { frames }) => sum + frames, 0), 144);
});

Deno.test("forecast covers every project frame once, in order, after any accepted start", () => {
  fc.assert(
    fc.property(
      requestOf,
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
      (request, accepted) => {
        const loop = loopOf(request);
        if (!loop) return;
        const { segments, bound } = forecast(loop, accepted);
        let at = 0;
        for (const { firstFrame, frames } of segments) {
          assertEquals(firstFrame, at);
          assert(frames >= 0);
          at += frames;
        }
        assertEquals(at, request.askedFrames);
        assert(accepted.length > 0 || segments.length <= bound);
      },
    ),
    { numRuns: 1500 },
  );
});

Deno.test("planLoop makes clips of one frame and of less than the shortest length", () => {
  const one = generating(nextStep(planLoop({ askedFrames: 1, rate: fps(24), constraints: wan }), []));
  assertEquals([one.keepFrames, one.generateFrames, one.end], [1, 5, { target: 0, window: 0, exact: true }]);
  const short = generating(nextStep(
    planLoop({ askedFrames: 3, rate: fps(16), constraints: { ...wan, discardTail: 0 } }),
    [],
  ));
  assertEquals([short.keepFrames, short.generateFrames], [3, 9]);
});

Deno.test("planLoop refuses what can't be planned, with the reason", () => {
  const ask = (askedFrames: number, frames: Partial<LoopConstraints["frames"]>, more = {}) => () =>
    planLoop({
      askedFrames,
      rate: fps(24),
      constraints: { ...preview, frames: { ...preview.frames, ...frames } },
      ...more,
    });
  assertThrows(ask(0, {}), RangeError, "at least one whole frame");
  assertThrows(ask(1.5, {}), RangeError, "at least one whole frame");
  assertThrows(ask(10, { min: 50, max: 40 }), RangeError, "no usable length");
  assertThrows(ask(10, { min: 1, max: 1 }), RangeError, "can't continue a clip");
  assertThrows(ask(10, {}, { lockedAfter: 10 }), RangeError, "already fill the clip");
  assertThrows(ask(10, {}, { retimeLast: 0.2 }), RangeError, "from 0 to 0.04");
});

Deno.test("nextStep fills the gap before locked segments exactly and says that the end must meet them", () => {
  const loop = planLoop({ askedFrames: 144, rate: fps(24), constraints: preview, lockedAfter: 50 });
  const step = generating(nextStep(loop, [45]));
  assertEquals([step.index, step.keepFrames, step.end.exact, step.meetsNext], [1, 49, true, true]);
  assertEquals(nextStep(loop, [45, 49]).kind, "done");
});

Deno.test("planReroll keeps the length of a segment in the middle", () => {
  const loop = planLoop({ askedFrames: 144, rate: fps(24), constraints: wan });
  const middle = planReroll(loop, [51, 46], 0);
  assertEquals([middle.keepFrames, middle.end, middle.meetsNext], [
    51,
    { target: 50, window: 0, exact: true },
    true,
  ]);
  assertEquals([middle.generateFrames, middle.retime], [57, null]);
  const reaching = planLoop({
    askedFrames: 144,
    rate: fps(24),
    constraints: { ...wan, reachesLastImage: true },
  });
  const both = planReroll(reaching, [51, 46], 0);
  // No take of 51 is legal: 49 and 53 are, and 53 is nearer by ratio.
  assertEquals([both.generateFrames, both.end.target], [53, 52]);
  assertEquals(both.retime, { index: 0, fromFrames: 53, toFrames: 51 });
  const last = planReroll(reaching, [51, 46], 1);
  assertEquals([last.keepFrames, last.meetsNext, last.retime], [46, false, null]);
  assertThrows(() => planReroll(loop, [51, 46], 2), RangeError, "no segment 3");
  assertThrows(
    () => planReroll(loop, [90, 7], 0),
    RangeError,
    "the workflow that meets what follows makes at most",
  );
});

Deno.test("planReroll asks only for legal lengths", () => {
  fc.assert(
    fc.property(requestOf, fc.boolean(), fc.nat(), (request, reachesLastImage, pick) => {
      const loop = loopOf({
        ...request,
        constraints: { ...request.constraints, reachesLastImage },
        retimeLast: 0,
      });
      if (!loop) return;
      const kept = forecast(loop).segments.map(({ keepFrames }) => keepFrames);
      const index = pick % kept.length;
      const step = planReroll(loop, kept, index);
      assert(isLegal(loop.constraints.frames, step.generateFrames));
      assertEquals(step.keepFrames, kept[index]);
      assert(step.end.target >= 0 && step.end.target < step.generateFrames - step.dropHead);
      if (step.retime) assertEquals(step.retime.fromFrames, step.generateFrames - step.dropHead);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("nextStep retimes the last segment only where that is allowed, and records it", () => {
  const loop = planLoop({ askedFrames: 50, rate: fps(16), constraints: wan, retimeLast: 0.04 });
  const step = generating(nextStep(loop, []));
  assertEquals(step.end, { target: 49, window: 2, exact: false });
  assertEquals(nextStep(loop, [48]), {
    kind: "done",
    segments: 1,
    retime: { index: 0, fromFrames: 48, toFrames: 50 },
  });
  const strict = planLoop({ askedFrames: 50, rate: fps(16), constraints: wan });
  assertEquals(nextStep(strict, [48]).kind, "generate");
});

Deno.test("nextStep trims when the clip was shortened after it was made", () => {
  const loop = planLoop({ askedFrames: 70, rate: fps(24), constraints: preview });
  assertEquals(nextStep(loop, [48, 48, 48]), { kind: "trim", index: 1, keepFrames: 22 });
  assertEquals(nextStep(loop, [70, 10]), { kind: "trim", index: 0, keepFrames: 70 });
});

const lengthsOf = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 300 })), { maxLength: 4 })
  .map((pairs) => new Map(pairs));

Deno.test("nextStep lands on the asked count with segments of any length of their own, within loopBound()", () => {
  fc.assert(
    fc.property(
      requestOf,
      lengthsOf,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (request, lengths, ends) => {
        const loop = loopOf({ ...request, lengths, retimeLast: 0 });
        if (!loop) return;
        const { kept, end } = drive(loop, () => ends.next().value ?? 0.5);
        assertEquals(finished(end).segments, kept.length);
        assertEquals(kept.reduce((total, keep) => total + keep, 0), loop.totalFrames);
      },
    ),
    { numRuns: 1200 },
  );
});

Deno.test("nextStep aims at a segment's own length, and plans the rest of the clip around it", () => {
  const loopWith = (index: number, frames: number) =>
    planLoop({
      askedFrames: 144,
      rate: fps(24),
      constraints: preview,
      lengths: new Map([[index, frames]]),
    });
  const step = generating(nextStep(loopWith(1, 60), [48]));
  assertEquals([step.keepFrames, step.end], [60, { target: 59, window: 8, exact: false }]);
  assertEquals(forecast(loopWith(1, 60), [48]).segments.map(({ keepFrames }) => keepFrames), [48, 60, 36]);
  // Two frames would be left, too few for a take of their own: this one goes on to the end.
  const whole = generating(nextStep(loopWith(1, 58), [84]));
  assertEquals([whole.keepFrames, whole.end.exact], [60, true]);
  const most = generating(nextStep(loopWith(0, 500), []));
  assert(most.keepFrames + most.end.window < 81, "never more than the template can make at once");
});

Deno.test("a remake fills exactly the frames it has to, whatever is accepted, so that the total stays", () => {
  fc.assert(
    fc.property(
      requestOf,
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
      fc.nat(),
      fc.integer({ min: 0, max: 40 }),
      fc.boolean(),
      (request, accepted, pick, more, reachesLastImage) => {
        const total = accepted.reduce((sum, keep) => sum + keep, 0);
        const constraints = { ...request.constraints, rates: "any" as const, reachesLastImage };
        const loop = loopOf({ ...request, constraints, askedFrames: total + more, retimeLast: 0 });
        if (!loop) return;
        const index = pick % accepted.length;
        const wanted = (accepted[index] ?? 0) + more;
        const most = longest(constraints.frames) - (index === 0 ? 0 : constraints.conditionedFrames) -
          constraints.discardTail;
        if (wanted > most) {
          assertThrows(() => planReroll(loop, accepted, index, wanted), RangeError, "at once");
          return;
        }
        const step = planReroll(loop, accepted, index, wanted);
        const filled = step.retime?.toFrames ?? step.end.target + 1;
        assertEquals(step.end.exact, true);
        assertEquals(filled, wanted);
        const after = accepted.with(index, filled);
        assertEquals(nextStep(loop, after).kind, "done");
        assertEquals(step.meetsNext, index < accepted.length - 1);
      },
    ),
    { numRuns: 3000 },
  );
});
