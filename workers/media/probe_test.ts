import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { inputFile, rawInput } from "./args.ts";
import { writeIntermediate } from "./lossless.ts";
import { MediaError } from "./media_error.ts";
import { readFacts, readVideoFacts } from "./probe.ts";
import { testFrames } from "./testing/clips.ts";
import { onBackends } from "./testing/on_backends.ts";
import { timingOf, timingOfStays } from "./timing.ts";

const clip = { widthPx: 96, heightPx: 64, rate: { num: 24, den: 1 }, frameCount: 33, seed: 2 };
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

onBackends("readFacts tells size, exact rate and frame count in every container", async (tools, folder) => {
  const rates = [{ num: 24, den: 1 }, { num: 24000, den: 1001 }, { num: 25, den: 1 }, { num: 30, den: 1 }, {
    num: 16,
    den: 1,
  }];
  for (const [index, rate] of rates.entries()) {
    const input = rawInput({ ...clip, rate, pixelFormat: "rgb24" });
    const outputs = [
      { path: `${folder}/a.mp4`, args: [...H264, "-bf", "2"], mediaType: "video/mp4", codec: "h264" },
      ...(index < 2
        ? [
          {
            path: `${folder}/a.webm`,
            args: ["-c:v", "libvpx", "-deadline", "realtime"],
            mediaType: "video/webm",
            codec: "vp8",
          },
          { path: `${folder}/a.mov`, args: H264, mediaType: "video/quicktime", codec: "h264" },
          { path: `${folder}/a.mkv`, args: H264, mediaType: "video/x-matroska", codec: "h264" },
          ...(index === 0
            ? [{ path: `${folder}/a.apng`, args: ["-f", "apng"], mediaType: "image/apng", codec: "apng" }]
            : []),
          { path: `${folder}/a.avi`, args: ["-c:v", "mjpeg"], mediaType: "video/x-msvideo", codec: "mjpeg" },
        ]
        : []),
    ];
    for (const { path, args, mediaType, codec } of outputs) {
      await tools.ffmpeg([...input, ...args, path], { stdin: testFrames(clip) });
      const facts = await readVideoFacts(tools, path);
      assertEquals(
        [
          path,
          facts.mediaType,
          facts.codec,
          facts.widthPx,
          facts.heightPx,
          facts.rate,
          facts.isConstantRate,
          facts.frameCount,
        ],
        [path, mediaType, codec, 96, 64, rate, true, 33],
      );
      assertEquals(facts.durationUs, Math.round((33 * rate.den * 1e6) / rate.num));
    }
  }
});

onBackends("readFacts sees a varying rate, a turned picture and sound", async (tools, folder) => {
  const source = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=24:d=2"];
  const sound = ["-f", "lavfi", "-i", "sine=d=2"];
  await tools.ffmpeg([
    ...source,
    "-vf",
    "select='not(eq(mod(n,7),3))'",
    "-fps_mode",
    "vfr",
    ...H264,
    `${folder}/vfr.mp4`,
  ]);
  const varying = await readVideoFacts(tools, `${folder}/vfr.mp4`);
  assertEquals([varying.isConstantRate, varying.frameCount], [false, 41]);
  await tools.ffmpeg([...source, ...sound, ...H264, "-c:a", "aac", `${folder}/upright.mp4`]);
  const turn = ["-map", "0", "-c", "copy", "-metadata:s:v:0", "rotate=90", `${folder}/turned.mp4`];
  await tools.ffmpeg([...inputFile(`${folder}/upright.mp4`), ...turn]);
  const turned = await readVideoFacts(tools, `${folder}/turned.mp4`);
  assertEquals([turned.widthPx, turned.heightPx, turned.hasAudio], [64, 96, true]);
  assertEquals(turned.rotationDeg === 90 || turned.rotationDeg === 270, true);
  await tools.ffmpeg([...sound, `${folder}/a.wav`]);
  const { kind, hasAudio } = await readFacts(tools, `${folder}/a.wav`);
  assertEquals([kind, hasAudio], ["audio", true]);
});

onBackends(
  "readFacts refuses what is empty, truncated or no media, with the reason",
  async (tools, folder) => {
    await Deno.writeFile(`${folder}/empty`, new Uint8Array());
    await Deno.writeTextFile(`${folder}/text`, "not a video, whatever its name says");
    await assertRejects(() => readFacts(tools, `${folder}/empty`), MediaError, "is empty");
    await assertRejects(() => readFacts(tools, `${folder}/text`), MediaError, "is a text file");
    const input = rawInput({ ...clip, pixelFormat: "rgb24" });
    for (const flags of ["+faststart", "0"]) {
      await tools.ffmpeg([...input, ...H264, "-movflags", flags, `${folder}/a.mp4`], {
        stdin: testFrames(clip),
      });
      const whole = await Deno.readFile(`${folder}/a.mp4`);
      await Deno.writeFile(`${folder}/cut`, whole.subarray(0, Math.floor(whole.byteLength * 0.7)));
      await assertRejects(() => readFacts(tools, `${folder}/cut`), MediaError, "truncated");
    }
    await writeIntermediate(tools, testFrames(clip), clip, `${folder}/clip.avi`);
    await Deno.writeFile(`${folder}/noise`, crypto.getRandomValues(new Uint8Array(4000)));
    await assertRejects(() => readFacts(tools, `${folder}/noise`), MediaError);
    const sound = ["-f", "lavfi", "-i", "sine=d=1", `${folder}/a.wav`];
    await tools.ffmpeg(sound);
    await assertRejects(() => readVideoFacts(tools, `${folder}/a.wav`), MediaError, "a video was expected");
  },
);

Deno.test("timingOf tells close rates apart through a container's rounding", () => {
  const times = (count: number, fps: number) =>
    Array.from({ length: count }, (_, n) => Math.round((n / fps) * 1000));
  assertEquals(timingOf(times(48, 24), 1000), { rate: { num: 24, den: 1 }, isConstant: true });
  assertEquals(timingOf(times(48, 24000 / 1001), 1000), {
    rate: { num: 24000, den: 1001 },
    isConstant: true,
  });
  assertEquals(timingOf(times(90, 30000 / 1001), 1000), {
    rate: { num: 30000, den: 1001 },
    isConstant: true,
  });
  assertEquals(timingOf([0, 1001, 2002, 3003], 24000), { rate: { num: 24000, den: 1001 }, isConstant: true });
  assertEquals(timingOf([0, 40, 80, 200, 240], 1000).isConstant, false);
  assertEquals(timingOf([0, 1, 2, 3], 7), { rate: { num: 7, den: 1 }, isConstant: true });
});

Deno.test("timingOfStays reads the rate behind rounded stays", () => {
  assertEquals(timingOfStays([42, 42, 42], 1000), { rate: { num: 24, den: 1 }, isConstant: true });
  assertEquals(timingOfStays([4167, 4167], 100_000), { rate: { num: 24, den: 1 }, isConstant: true });
  assertEquals(timingOfStays([62, 63, 62], 1000), { rate: { num: 16, den: 1 }, isConstant: true });
  assertEquals(timingOfStays([40, 400, 40], 1000).isConstant, false);
});
