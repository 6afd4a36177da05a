import { assert, assertEquals } from "@std/assert/mod.js";
import { decodeFrames, readIntermediate, writeIntermediate } from "./lossless.ts";
import { retime } from "./retime.ts";
import type { MediaTools } from "./run.ts";
import { onBackends } from "./testing/on_backends.ts";

const shape = { widthPx: 96, heightPx: 64, rate: { num: 24, den: 1 } };

/** A soft bright bar that goes 2 px a frame to the right. */
async function* bars(count: number): AsyncGenerator<Uint8Array, void, void> {
  for (let n = 0; n < count; n++) {
    const frame = new Uint8Array(shape.widthPx * shape.heightPx * 3);
    for (let at = 0; at < frame.length; at += 3) {
      const x = (at / 3) % shape.widthPx;
      frame.fill(40 + 170 * Math.exp(-(((x - 10 - 2 * n) / 6) ** 2)), at, at + 3);
    }
    yield await Promise.resolve(frame);
  }
}

/** Where the bar stands in each frame, in pixels. */
async function positions(tools: MediaTools, path: string): Promise<number[]> {
  const found: number[] = [];
  for await (const frame of decodeFrames(tools, path, { pixelFormat: "gray" })) {
    let [sum, weight] = [0, 0];
    for (const [at, value] of frame.entries()) {
      const light = Math.max(0, value - 60);
      sum += light * (at % shape.widthPx);
      weight += light;
    }
    found.push(sum / weight);
  }
  return found;
}

onBackends(
  "retime makes the exact count, keeps both ends and moves evenly between",
  async (tools, folder) => {
    const source = `${folder}/source.avi`;
    await writeIntermediate(tools, bars(35), shape, source);
    const file = readIntermediate(source)!;
    const { signal } = new AbortController();
    const truth = await positions(tools, source);
    for (
      const [frames, firstFrame, frameCount] of [[29, 0, 33], [33, 2, 31], [31, 0, 31], [1, 0, 9], [
        4,
        3,
        1,
      ]] as const
    ) {
      const out = `${folder}/out_${frames}_${frameCount}`;
      const made = await retime(tools, { file, firstFrame, frameCount }, { frames, rate: shape.rate, out }, {
        signal,
      });
      assertEquals([made.frames.length, made.rate], [frames, shape.rate]);
      const at = await positions(tools, made.path);
      const last = truth[firstFrame + frameCount - 1]!;
      assert(Math.abs(at.at(-1)! - last) < 0.5, `ends at ${at.at(-1)}, not ${last}`);
      if (frames === 1 || frameCount === 1) continue;
      for (const [n, x] of at.entries()) {
        const wanted = truth[firstFrame]! + (n * (last - truth[firstFrame]!)) / (frames - 1);
        assert(Math.abs(x - wanted) < 1, `frame ${n} of ${frames}: the bar is at ${x}, not ${wanted}`);
      }
    }
  },
);
