import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import sharp from "sharp";
import { inputFile } from "./args.ts";
import { conformFilters, conformFrame } from "./conform.ts";
import { cutKeyFrames, levelFor } from "./encode.ts";
import { decodeFrames, readIntermediate, writeIntermediate } from "./lossless.ts";
import { MediaError } from "./media_error.ts";
import { joinFiles, joinSlices, ParametersDiffer } from "./packets.ts";
import { readVideoFacts } from "./probe.ts";
import { planSprite, proxySize, renderOutputs } from "./render.ts";
import type { MediaTools } from "./run.ts";
import { openMediaTools } from "./run.ts";
import { assertSameFrame, readFrameNumber, type TestClip, testFrame, testFrames } from "./testing/clips.ts";
import { BACKENDS, onBackends } from "./testing/on_backends.ts";

const RATE = { num: 24, den: 1 };
const clip: TestClip = { widthPx: 160, heightPx: 96, rate: RATE, frameCount: 30, seed: 5 };

/** Writes the clip as an intermediate and gives the input of a render. */
async function givenInput(tools: MediaTools, folder: string, of: TestClip = clip) {
  const path = `${folder}/source_${of.seed}_${of.rate.num}.avi`;
  await writeIntermediate(tools, testFrames(of), of, path);
  return { args: inputFile(path), filters: [], ...of };
}

async function frameNumbers(tools: MediaTools, path: string, size: { widthPx: number; heightPx: number }) {
  const numbers: number[] = [];
  for await (const frame of decodeFrames(tools, path, { pixelFormat: "gray" })) {
    numbers.push(readFrameNumber(frame, size, 1));
  }
  return numbers;
}

async function keyFramesOf(tools: MediaTools, path: string): Promise<number[]> {
  const { packets = [] } = await tools.probe(path, { packets: true });
  return packets.flatMap((packet, n) => packet.flags?.startsWith("K") ? [n] : []);
}

onBackends("renderOutputs makes all outputs in one pass, frame n from frame n", async (tools, folder) => {
  for (const rate of [{ num: 24000, den: 1001 }, { num: 25, den: 1 }]) {
    const input = await givenInput(tools, folder, { ...clip, rate });
    const layout = planSprite(input, 30);
    await renderOutputs(tools, input, {
      intermediate: `${folder}/copy.avi`,
      cut: { path: `${folder}/cut.mp4`, keyFrames: cutKeyFrames([0, 13], 30) },
      proxy: { path: `${folder}/proxy.mp4`, heightPx: 64 },
      poster: `${folder}/poster.jpg`,
      sprite: { path: `${folder}/sprite.jpg`, layout },
    });
    const numbers = [...Array(30).keys()];
    const small = proxySize(input, 64);
    assertEquals(small, { widthPx: 106, heightPx: 64 });
    assertEquals(await frameNumbers(tools, `${folder}/cut.mp4`, clip), numbers);
    assertEquals(await frameNumbers(tools, `${folder}/proxy.mp4`, small), numbers);
    assertEquals(readIntermediate(`${folder}/copy.avi`)?.frames.length, 30);
    for (const name of ["cut.mp4", "proxy.mp4"]) {
      const facts = await readVideoFacts(tools, `${folder}/${name}`);
      assertEquals([facts.rate, facts.isConstantRate, facts.frameCount, facts.pixelFormat], [
        rate,
        true,
        30,
        "yuv420p",
      ]);
      const { colorMatrix, colorPrimaries, colorTransfer, colorRange } = facts;
      assertEquals([colorMatrix, colorPrimaries, colorTransfer, colorRange], [
        "bt709",
        "bt709",
        "bt709",
        "tv",
      ]);
      const { packets = [], streams: [stream] } = await tools.probe(`${folder}/${name}`, { packets: true });
      const ticks = packets.map((packet) => packet.pts ?? -1);
      assertEquals(ticks, numbers.map((n) => n * (ticks[1] ?? 0)));
      assertEquals(stream?.has_b_frames, 0);
    }
    assertEquals(await keyFramesOf(tools, `${folder}/cut.mp4`), [0, 4, 9, 13, 17, 26]);
    assertEquals((await keyFramesOf(tools, `${folder}/proxy.mp4`)).slice(0, 3), [0, 12, 24]);
    const poster = await sharp(`${folder}/poster.jpg`).greyscale().raw().toBuffer();
    assertEquals(readFrameNumber(poster, clip, 1), 14);
    const { width, height } = await sharp(`${folder}/sprite.jpg`).metadata();
    assertEquals([width, height], [8 * 160, 4 * layout.tileHeightPx]);
  }
});

onBackends("a cut's colours come back as they went in, and it is High profile", async (tools, folder) => {
  const size = { widthPx: 64, heightPx: 64, rate: RATE };
  const colours = [[252, 0, 0], [0, 200, 30], [20, 30, 240], [128, 128, 128], [255, 255, 255], [0, 0, 0]];
  async function* frames() {
    for (const colour of colours) {
      const frame = new Uint8Array(64 * 64 * 3);
      for (let at = 0; at < frame.byteLength; at++) frame[at] = colour[at % 3] ?? 0;
      yield await Promise.resolve(frame);
    }
  }
  await writeIntermediate(tools, frames(), size, `${folder}/a.avi`);
  const input = { args: inputFile(`${folder}/a.avi`), filters: [], ...size, frameCount: colours.length };
  await renderOutputs(tools, input, { cut: { path: `${folder}/cut.mp4`, keyFrames: [0] } });
  let n = 0;
  for await (const frame of decodeFrames(tools, `${folder}/cut.mp4`, { pixelFormat: "rgb24" })) {
    const wanted = colours[n++] ?? [];
    const at = 3 * (32 * 64 + 32);
    const worst = Math.max(...wanted.map((value, channel) => Math.abs(value - (frame[at + channel] ?? 0))));
    assert(worst <= 3, `${wanted} came back as ${frame.subarray(at, at + 3)}`);
  }
  assertEquals(n, colours.length);
  assertEquals((await tools.probe(`${folder}/cut.mp4`)).streams[0]?.profile, "High");
});

onBackends("conformFilters give exactly the frames asked for", async (tools, folder) => {
  const source = { ...clip, rate: { num: 16, den: 1 }, frameCount: 20 };
  const input = await givenInput(tools, folder, source);
  for (const frames of [30, 31]) {
    for (const rule of ["interpolate", "repeat_nearest"] as const) {
      const plan = { rule, sourceRate: source.rate, rate: RATE, sourceFrames: 20, frames };
      const out = `${folder}/conformed.avi`;
      await renderOutputs(
        tools,
        { ...input, filters: conformFilters(plan), rate: RATE, frameCount: frames },
        { intermediate: out },
      );
      const made = readIntermediate(out);
      assertEquals([rule, made?.frames.length, made?.rate], [rule, frames, RATE]);
      const numbers = await frameNumbers(tools, out, clip);
      // frames at times that both rates have are the source's own
      for (const n of [0, 3, 6, 15, 27]) assertEquals([rule, n, numbers[n]], [rule, n, (n * 2) / 3]);
      if (rule === "repeat_nearest") assertEquals(numbers.slice(0, 7), [0, 0, 1, 2, 2, 3, 4]);
    }
  }
});

Deno.test("conformFilters with none alter nothing and refuse what would have to be altered", async () => {
  const plan = { rule: "none", sourceRate: RATE, rate: RATE, sourceFrames: 48, frames: 48 } as const;
  assertEquals(conformFilters(plan), []);
  await assertRejects(
    async () => await Promise.resolve(conformFilters({ ...plan, frames: 47 })),
    MediaError,
    "48 frames",
  );
  await assertRejects(
    async () => await Promise.resolve(conformFilters({ ...plan, sourceRate: { num: 16, den: 1 } })),
    MediaError,
    "16/1",
  );
  assertEquals(conformFrame(10, { sourceRate: { num: 16, den: 1 }, rate: RATE, frames: 30 }), 15);
});

Deno.test("cutKeyFrames mark part starts and the frames beside their ends", () => {
  assertEquals(cutKeyFrames([0, 48], 96), [0, 4, 44, 48, 52, 92]);
  assertEquals(cutKeyFrames([0], 3), [0]);
  assertEquals(levelFor({ widthPx: 1920, heightPx: 1080, rate: RATE }), "4.0");
  assertEquals(levelFor({ widthPx: 3840, heightPx: 2160, rate: RATE }), "5.1");
});

Deno.test("joinFiles copies cuts of both backends to one file, every decoded frame the same", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_media_" });
  const paths: string[] = [];
  const decoded: Uint8Array[] = [];
  const rate = { num: 24000, den: 1001 };
  try {
    for (const [seed, backend] of [...BACKENDS, "wasm" as const].entries()) {
      const tools = await openMediaTools({ backend });
      try {
        const path = `${folder}/${seed}.mp4`;
        const input = await givenInput(tools, folder, { ...clip, seed, rate });
        await renderOutputs(tools, input, { cut: { path, keyFrames: cutKeyFrames([0], 30) } });
        for await (const frame of decodeFrames(tools, path, { pixelFormat: "rgb24" })) decoded.push(frame);
        paths.push(path);
      } finally {
        await tools.close();
      }
    }
    const tools = await openMediaTools({ backend: "wasm" });
    try {
      const out = `${folder}/joined.mp4`;
      const { frameCount, boundaries } = await joinFiles(paths, out, { rate });
      assertEquals([frameCount, boundaries], [30 * paths.length, paths.map((_, n) => n * 30)]);
      const { packets = [], streams: [stream] } = await tools.probe(out, { packets: true });
      const [base, step] = (stream?.time_base ?? "").split("/").map(Number).reverse();
      assertEquals(
        packets.map((packet) => ((packet.pts ?? 0) * 24000 * (step ?? 0)) / ((base ?? 1) * 1001)),
        decoded.map((_, n) => n),
      );
      let n = 0;
      for await (const frame of decodeFrames(tools, out, { pixelFormat: "rgb24" })) {
        assertSameFrame(frame, decoded[n++], "decoded frame");
      }
      assertEquals(n, decoded.length);
      const slices = [{ path: paths[0] ?? "", firstFrame: 4 }, {
        path: paths[1] ?? "",
        firstFrame: 0,
        frameCount: 4,
      }];
      assertEquals((await joinSlices(slices, out, { rate })).frameCount, 30);
      n = 4;
      for await (const frame of decodeFrames(tools, out, { pixelFormat: "rgb24" })) {
        assertSameFrame(frame, decoded[n++], "decoded frame");
      }
      const late = [{ path: paths[0] ?? "", firstFrame: 5 }];
      await assertRejects(() => joinSlices(late, out, { rate }), ParametersDiffer, "no key frame");
      await assertRejects(
        () => joinFiles(paths, out, { rate: { num: 25, den: 1 } }),
        ParametersDiffer,
        "does not run",
      );
      const other = `${folder}/other.mp4`;
      await tools.ffmpeg([...inputFile(paths[0] ?? ""), "-c:v", "libx264", "-preset", "ultrafast", other]);
      await assertRejects(
        () => joinFiles([...paths, other], out, { rate }),
        ParametersDiffer,
        "other parameters",
      );
    } finally {
      await tools.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("planSprite spreads at most forty tiles over all frames", () => {
  const long = planSprite({ widthPx: 768, heightPx: 512 }, 400);
  assertEquals([long.frames.length, long.columns, long.rows, long.frames[1], long.frames.at(-1)], [
    40,
    8,
    5,
    10,
    390,
  ]);
  assertEquals(planSprite({ widthPx: 100, heightPx: 100 }, 3).frames, [0, 1, 2]);
});

Deno.test("testFrame spells its number", () => {
  for (const n of [0, 1, 513, 1023]) assertEquals(readFrameNumber(testFrame(clip, n), clip, 3), n);
});
