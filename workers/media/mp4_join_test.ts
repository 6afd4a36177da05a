import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { inputFile } from "./args.ts";
import { decodeFrames, writeIntermediate } from "./lossless.ts";
import { readMp4Index } from "./mp4_index.ts";
import { joinPlainMp4 } from "./mp4_join.ts";
import { renderOutputs } from "./render.ts";
import type { MediaTools } from "./run.ts";
import { assertSameFrame, type TestClip, testFrames } from "./testing/clips.ts";
import { onBackends } from "./testing/on_backends.ts";

const RATE = { num: 24000, den: 1001 };
const CLIP: TestClip = { widthPx: 160, heightPx: 96, rate: RATE, frameCount: 12, seed: 5 };

async function givenIntermediate(tools: MediaTools, folder: string, of: TestClip): Promise<string> {
  const path = `${folder}/source_${of.seed}.avi`;
  await writeIntermediate(tools, testFrames(of), of, path);
  return path;
}

/** A cut as the studio makes it. */
async function givenCut(tools: MediaTools, folder: string, more: Partial<TestClip> = {}): Promise<string> {
  const of = { ...CLIP, ...more };
  const path = `${folder}/cut_${of.seed}.mp4`;
  const source = await givenIntermediate(tools, folder, of);
  await renderOutputs(tools, { args: inputFile(source), filters: [], ...of }, {
    cut: { path, keyFrames: [0, 4] },
  });
  return path;
}

async function framesOf(tools: MediaTools, path: string): Promise<Uint8Array[]> {
  return await Array.fromAsync(decodeFrames(tools, path, { pixelFormat: "rgb24" }));
}

onBackends(
  "joinPlainMp4 puts the frames of our own cuts after each other, the index in front",
  async (tools, folder) => {
    const cuts = [
      await givenCut(tools, folder, { seed: 1 }),
      await givenCut(tools, folder, { seed: 2, frameCount: 5 }),
      await givenCut(tools, folder, { seed: 3, frameCount: 5 }),
    ];
    const out = `${folder}/joined.mp4`;
    const paths = [...cuts, cuts[0] ?? ""];
    assertEquals(await joinPlainMp4(paths, out, { rate: RATE }), {
      frameCount: 34,
      boundaries: [0, 12, 17, 22],
    });
    const wanted = (await Promise.all(paths.map((path) => framesOf(tools, path)))).flat();
    const frames = await framesOf(tools, out);
    assertEquals(frames.length, wanted.length);
    for (const [n, frame] of frames.entries()) assertSameFrame(frame, wanted[n], `frame ${n}`);
    const { packets = [], streams: [stream] } = await tools.probe(out, { packets: true });
    assertEquals([stream?.r_frame_rate, stream?.time_base], ["24000/1001", "1/24000"]);
    assertEquals(packets.map(({ pts }) => pts), frames.map((_, n) => n * 1001));
    const keys = packets.flatMap(({ flags }, n) => flags?.startsWith("K") ? [n] : []);
    assertEquals(keys, [0, 4, 12, 16, 17, 21, 22, 26]);
    const text = new TextDecoder("latin1").decode(await Deno.readFile(out));
    assert(text.indexOf("moov") < text.indexOf("mdat"));
  },
);

onBackends("joinPlainMp4 leaves alone, and writes nothing of, what is not plain", async (tools, folder) => {
  const cut = await givenCut(tools, folder);
  const source = await givenIntermediate(tools, folder, { ...CLIP, seed: 9, frameCount: 24 });
  const encode = async (name: string, ...args: string[]) => {
    const path = `${folder}/${name}`;
    await tools.ffmpeg([...inputFile(source), "-c:v", "libx264", "-pix_fmt", "yuv420p", ...args, path]);
    return path;
  };
  const plain = ["-bf", "0", "-preset", "ultrafast"];
  const whole = await Deno.readFile(cut);
  const write = async (name: string, bytes: Uint8Array) => {
    await Deno.writeFile(`${folder}/${name}`, bytes);
    return `${folder}/${name}`;
  };
  const others = {
    reordered: [await encode("reordered.mp4", "-bf", "2", "-g", "12")],
    fragmented: [await encode("fragmented.mp4", ...plain, "-movflags", "frag_keyframe+empty_moov")],
    matroska: [await encode("matroska.mkv", ...plain)],
    smaller: [cut, await encode("smaller.mp4", ...plain, "-vf", "scale=80:48")],
    turned: [cut, await givenCut(tools, folder, { seed: 6, widthPx: 96, heightPx: 160 })],
    "of another rate": [cut, await encode("other_rate.mp4", ...plain, "-r", "25")],
    "cut short": [await write("short.mp4", whole.subarray(0, whole.length - 100))],
    "not there": [`${folder}/nothing.mp4`],
    empty: [await write("empty.mp4", new Uint8Array())],
    "no video": [await write("text.mp4", new TextEncoder().encode("ftypmoov".repeat(100)))],
    nothing: [],
  };
  const out = `${folder}/none.mp4`;
  for (const [name, paths] of Object.entries(others)) {
    assertEquals([name, await joinPlainMp4(paths, out, { rate: RATE })], [name, undefined]);
  }
  assertEquals(await joinPlainMp4([cut], out, { rate: { num: 24, den: 1 } }) === undefined, false);
  await Deno.remove(out);
  assertEquals(await joinPlainMp4([cut], out, { rate: { num: 25, den: 1 } }), undefined);
  await assertRejects(
    () => joinPlainMp4([cut], out, { rate: RATE, signal: AbortSignal.abort() }),
    DOMException,
  );
  await assertRejects(() => Deno.stat(out), Deno.errors.NotFound);
});

onBackends("readMp4Index finds no run outside the file, whatever its index says", async (tools, folder) => {
  const cut = await Deno.readFile(await givenCut(tools, folder));
  const path = `${folder}/damaged.mp4`;
  let read = 0;
  let state = 7;
  const next = (below: number) => (state = (state * 48271) % 0x7fffffff) % below;
  const moovAt = new TextDecoder("latin1").decode(cut).indexOf("moov");
  for (let n = 0; n < 400; n++) {
    const damaged = cut.slice();
    for (let hits = 0; hits < 3; hits++) {
      damaged[moovAt + next(Math.min(900, cut.length - moovAt))] = next(256);
    }
    await Deno.writeFile(path, damaged);
    using file = await Deno.open(path, { read: true });
    const index = readMp4Index(file);
    if (!index) continue;
    read++;
    assert(index.runs.every(({ at, length }) => at >= 0 && at + length <= damaged.length));
    assertEquals(index.ticks.length, index.sizes.length);
  }
  assert(read > 10, `only ${read} of them had a whole index`);
});
