import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { AppError } from "#server/core/errors.ts";
import { bind, fitSize } from "./bind.ts";
import type { WorkflowTemplate } from "./manifest.ts";
import { bundledTemplate } from "./templates.ts";

function template(code: string): WorkflowTemplate {
  const found = bundledTemplate(code);
  if (!found) throw new Error(`No template ${code}`);
  return found;
}

const wan = template("wan22_i2v_14b");
const GOOD = {
  prompt: "she turns her head",
  seed: 7,
  frames: 53,
  width: 832,
  height: 480,
  rate: { num: 16, den: 1 },
};

/** The field errors of a refused binding, as "name: message". */
function refusals(
  of: WorkflowTemplate,
  values: Record<string, unknown>,
  files: Parameters<typeof bind>[1]["files"] = ["image"],
) {
  try {
    bind(of, { values, files });
  } catch (thrown) {
    if (thrown instanceof AppError) {
      return thrown.fields.map(({ field, message }) => `${field.replace("/parameters/", "")}: ${message}`);
    }
    throw thrown;
  }
  return [];
}

Deno.test("bind sets every place of a parameter and leaves the template as it was", () => {
  const before = JSON.stringify(wan);
  const bound = bind(wan, { values: { ...GOOD, steps: 30, guidance: 4.5 }, files: ["image"] });
  const inputs = (node: string) => bound.graph[node]?.inputs ?? {};
  assertEquals([inputs("60")["noise_seed"], inputs("61")["noise_seed"]], [7, 7]);
  assertEquals([inputs("60")["steps"], inputs("61")["steps"]], [30, 30]);
  assertEquals([inputs("60")["end_at_step"], inputs("61")["start_at_step"]], [15, 15]);
  assertEquals([inputs("50")["length"], inputs("50")["width"], inputs("50")["height"]], [53, 832, 480]);
  assertEquals(inputs("40")["image"], "%SEEDLOOP_UPLOAD:image%");
  assertEquals(inputs("90")["filename_prefix"], "%SEEDLOOP_PREFIX%");
  assertEquals(bound.uploads, [{ parameter: "image", places: [{ node: "40", input: "image" }] }]);
  assertEquals(bound.outputNodes, ["90"]);
  assertEquals([bound.values["guidance"], bound.values["shift"], bound.values["frames"]], [4.5, 8, 53]);
  assertEquals(JSON.stringify(wan), before);
  assertEquals(JSON.parse(JSON.stringify(bound.graph)), bound.graph);
});

Deno.test("bind gives an exact rate as the decimal that the model wants", () => {
  const ltx = template("ltxv_i2v_2b");
  const values = { seed: 1, frames: 97, width: 768, height: 512, rate: { num: 24000, den: 1001 } };
  const bound = bind(ltx, { values, files: ["image"] });
  assertEquals(bound.graph["51"]?.inputs["frame_rate"], 24000 / 1001);
});

Deno.test("bind lists every wrong parameter at once, each with its mend", () => {
  const wrong = {
    seed: 2 ** 53,
    frames: 50,
    width: 830,
    height: 480,
    steps: 2.5,
    sampler: "magic",
    rate: { num: 24, den: 1 },
  };
  assertEquals(refusals(wan, { ...wrong, camera: "left" }, []), [
    "camera: is no parameter of this workflow; it has image, prompt, negative, seed, frames, width, height, steps, guidance, shift, sampler",
    "steps: must be a whole number from 8 to 50",
    "sampler: must be one of euler, uni_pc, dpmpp_2m, res_multistep",
    "seed: must be a whole number from 0 to 9007199254740991; larger ones lose digits in JSON",
    "frames: must be a length of the form 4n+1 from 17 to 81: use 49 or 53",
    "width: must be a multiple of 16: use 816 or 832",
    "rate: is no rate of this model, which makes 16/1: generate at one and conform",
    "image: is missing, and this workflow can't run without it",
  ]);
});

Deno.test("bind refuses sizes above the workflow's pixels, lengths beyond its range and unusable values", () => {
  assertEquals(refusals(wan, { ...GOOD, width: 1280, height: 1280 }), [
    "width: times height is more than the 921600 pixels this workflow makes: use 960×960",
  ]);
  assertEquals(refusals(wan, { ...GOOD, frames: 97 }), ["frames: must be from 17 to 81 of the form 4n+1"]);
  assertEquals(refusals(wan, { ...GOOD, guidance: NaN }), ["guidance: must be a number from 1 to 8"]);
  assertEquals(refusals(wan, { ...GOOD, prompt: 3 }), ["prompt: must be text"]);
  assertEquals(refusals(wan, { ...GOOD, image: "a.png" }), [
    "image: is a file: name it among the files, not the values",
  ]);
  const { seed: _seed, ...noSeed } = GOOD;
  assertEquals(refusals(wan, noSeed), ["seed: is missing, and this workflow can't run without it"]);
});

Deno.test("bind leaves out what hangs on an optional file that is not given", () => {
  const flf = structuredClone(template("wan22_flf_14b"));
  flf.manifest.bindings["last_image"] = { to: [{ node: "41", input: "image" }], withoutIt: ["41"] };
  const without = bind(flf, { values: GOOD, files: ["image"] });
  assertEquals(without.graph["41"], undefined);
  assertEquals(Object.hasOwn(without.graph["50"]?.inputs ?? {}, "end_image"), false);
  assertEquals(without.uploads.map(({ parameter }) => parameter), ["image"]);
  const whole = bind(flf, { values: GOOD, files: ["image", "last_image"] });
  assertEquals(whole.graph["50"]?.inputs["end_image"], ["41", 0]);
  assertEquals(whole.uploads.map(({ parameter }) => parameter), ["image", "last_image"]);
});

Deno.test("bind passes over pipeline parameters for which a workflow has no place", () => {
  const bound = bind(wan, { values: GOOD, files: ["image", "reference"] });
  assertEquals(bound.uploads.map(({ parameter }) => parameter), ["image"]);
  assertThrows(() => bind(wan, { values: {}, files: [] }), AppError, "can't run with these parameters");
});

Deno.test("fitSize stays legal, within the pixels and near the asked shape", () => {
  assertEquals(fitSize(wan.manifest.constraints, 768, 512), { width: 768, height: 512 });
  assertEquals(fitSize(wan.manifest.constraints, 1920, 1080), { width: 1280, height: 720 });
  fc.assert(
    fc.property(
      fc.constantFrom("wan22_i2v_14b", "wan22_ti2v_5b", "ltxv_i2v_2b"),
      fc.integer({ min: 64, max: 8192 }),
      fc.integer({ min: 64, max: 8192 }),
      (code, width, height) => {
        const { constraints } = template(code).manifest;
        const size = fitSize(constraints, width, height);
        assertEquals(
          refusals(template(code), { ...GOOD, frames: 49, rate: undefined, ...size }).filter((line) =>
            /^(width|height)/.test(line)
          ),
          [],
        );
        const shape = width / height;
        if (shape > 0.5 && shape < 2 && width > 512 && height > 512) {
          assert(Math.abs(Math.log(size.width / size.height / shape)) < 0.08, `${size.width}×${size.height}`);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
