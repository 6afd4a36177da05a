import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import sharp from "sharp";
import { readAvi } from "./avi.ts";
import { spliceAvi } from "./avi_splice.ts";
import {
  decodeFrames,
  extractFrame,
  isIntermediate,
  readIntermediate,
  writeIntermediate,
} from "./lossless.ts";
import { MediaError } from "./media_error.ts";
import { assertSameFrame, readFrameNumber, testFrame, testFrames } from "./testing/clips.ts";
import { onBackends } from "./testing/on_backends.ts";

const SIZE = { widthPx: 98, heightPx: 66 };
const RATES = [{ num: 24, den: 1 }, { num: 24000, den: 1001 }, { num: 25, den: 1 }, { num: 30, den: 1 }, {
  num: 16,
  den: 1,
}];
const clip = { ...SIZE, rate: { num: 24, den: 1 }, frameCount: 30, seed: 1 };

onBackends(
  "writeIntermediate keeps every RGB value, every frame and the exact rate",
  async (tools, folder) => {
    for (const rate of RATES) {
      const path = `${folder}/clip.avi`;
      assertEquals(await writeIntermediate(tools, testFrames(clip), { ...SIZE, rate }, path), 30);
      const made = readIntermediate(path);
      assertEquals([made?.rate, made?.frames.length, made?.widthPx, made?.heightPx], [rate, 30, 98, 66]);
      let n = 0;
      for await (const frame of decodeFrames(tools, path, { pixelFormat: "rgb24" })) {
        assertEquals(
          frame,
          testFrame(clip, n++),
        );
      }
      assertEquals(n, 30);
      for await (
        const frame of decodeFrames(tools, path, { firstFrame: 17, count: 2, pixelFormat: "rgb24" })
      ) {
        assertSameFrame(frame, testFrame(clip, n++ - 13), "decoded frame");
      }
      assertEquals(n, 32);
    }
  },
);

onBackends("extractFrame writes the very frame as PNG", async (tools, folder) => {
  const path = `${folder}/clip.avi`;
  await writeIntermediate(tools, testFrames(clip), clip, path);
  for (const n of [0, 1, 29]) {
    await extractFrame(tools, path, n, `${folder}/f.png`);
    const { data } = await sharp(`${folder}/f.png`).raw().toBuffer({ resolveWithObject: true });
    assertSameFrame(new Uint8Array(data), testFrame(clip, n), "extracted frame");
  }
  await assertRejects(
    () => extractFrame(tools, path, 30, `${folder}/f.png`),
    MediaError,
    "ends after 30 frames",
  );
});

onBackends("decodeFrames scales, greys and says when a video is too short", async (tools, folder) => {
  const path = `${folder}/clip.avi`;
  await writeIntermediate(tools, testFrames(clip), clip, path);
  const size = { widthPx: 80, heightPx: 40 };
  let n = 5;
  for await (
    const frame of decodeFrames(tools, path, { firstFrame: 5, count: 10, size, pixelFormat: "gray" })
  ) {
    assertEquals(frame.byteLength, 80 * 40);
    assertEquals(readFrameNumber(frame, size, 1), n++);
  }
  assertEquals(n, 15);
  const tooMany = decodeFrames(tools, path, { firstFrame: 25, count: 10, pixelFormat: "gray" });
  await assertRejects(() => tooMany.next(), MediaError, "ends after 30 frames");
});

onBackends("spliceAvi copies runs of frames unaltered, across RIFF segments too", async (tools, folder) => {
  const path = `${folder}/clip.avi`;
  const rate = { num: 30000, den: 1001 };
  await writeIntermediate(tools, testFrames(clip), clip, path);
  const file = readIntermediate(path);
  if (!file) throw new Error("No intermediate was written");
  const slices = [{ file, firstFrame: 20, frameCount: 10 }, { file, firstFrame: 0, frameCount: 25 }];
  const wanted = [...Array(10).keys()].map((n) => n + 20).concat([...Array(25).keys()]);
  for (const segmentBytes of [undefined, 40_000]) {
    const out = `${folder}/spliced.avi`;
    assertEquals(await spliceAvi(slices, out, { rate, segmentBytes }), 35);
    assertEquals(readIntermediate(out)?.rate, rate);
    for (const first of [0, 9, 23]) {
      let n = first;
      for await (const frame of decodeFrames(tools, out, { firstFrame: first, pixelFormat: "rgb24" })) {
        assertSameFrame(frame, testFrame(clip, wanted[n++] ?? -1), "decoded frame");
      }
      assertEquals(n, 35);
    }
    assertEquals((await tools.probe(out)).streams[0]?.r_frame_rate, "30000/1001");
  }
});

onBackends("readIntermediate knows its own kind and refuses a truncated one", async (tools, folder) => {
  const path = `${folder}/clip.avi`;
  await writeIntermediate(tools, testFrames(clip), clip, path);
  assert(isIntermediate(path));
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(`${folder}/cut_off.avi`, bytes.subarray(0, Math.floor(bytes.byteLength / 2)));
  await assertRejects(
    async () => await Promise.resolve(readAvi(`${folder}/cut_off.avi`)),
    MediaError,
    "truncated",
  );
  await Deno.writeTextFile(`${folder}/text.avi`, "not a video");
  assertEquals(isIntermediate(`${folder}/text.avi`), false);
  await tools.ffmpeg(["-f", "lavfi", "-i", "color=s=32x32:d=0.2", "-c:v", "mjpeg", `${folder}/other.avi`]);
  assertEquals(isIntermediate(`${folder}/other.avi`), false);
});
