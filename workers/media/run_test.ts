import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert/mod.js";
import { fromFileUrl } from "@std/path/from_file_url.js";
import { delay } from "#server/core/time.ts";
import { MediaError } from "./media_error.ts";
import { openMediaTools } from "./run.ts";
import { BACKENDS, onBackends } from "./testing/on_backends.ts";
import { assertSameFrame, readFrameNumber, testFrame, testFrames } from "./testing/clips.ts";
import { rawInput } from "./args.ts";

const clip = { widthPx: 100, heightPx: 64, rate: { num: 24, den: 1 }, frameCount: 40, seed: 3 };
const ENDLESS = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=24:d=3600", "-c:v", "libx264"];

/** Processes whose arguments hold `marker`. */
async function processesWith(marker: string): Promise<number[]> {
  const found: number[] = [];
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    const line = await Deno.readTextFile(`/proc/${entry.name}/cmdline`).catch(() => "");
    const state = await Deno.readTextFile(`/proc/${entry.name}/stat`).catch(() => "Z");
    if (line.includes(marker) && !/\) Z /.test(state)) found.push(Number(entry.name));
  }
  return found;
}

async function untilGone(marker: string, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if ((await processesWith(marker)).length === 0) return true;
    await delay(20);
  }
  return false;
}

onBackends("ffmpeg streams raw frames in and out in order and tells its progress", async (tools, folder) => {
  const seen: number[] = [];
  const input = rawInput({ ...clip, pixelFormat: "rgb24" });
  await tools.ffmpeg([...input, "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", `${folder}/a.mp4`], {
    stdin: testFrames(clip),
    onProgress: ({ frame }) => seen.push(frame),
  });
  assertEquals(seen.at(-1), 40);
  const { stdout } = await tools.ffmpeg([
    "-i",
    `${folder}/a.mp4`,
    "-f",
    "rawvideo",
    "-pix_fmt",
    "gray",
    "pipe:1",
  ], {
    stdout: "bytes",
  });
  const frameBytes = clip.widthPx * clip.heightPx;
  assertEquals(stdout.byteLength, 40 * frameBytes);
  for (let n = 0; n < 40; n++) assertEquals(readFrameNumber(stdout.subarray(n * frameBytes), clip, 1), n);
});

onBackends(
  "ffmpeg stops reading its input early without harm, and the tools go on working",
  async (tools) => {
    const args = [
      ...rawInput({ ...clip, pixelFormat: "rgb24" }),
      "-frames:v",
      "2",
      "-f",
      "rawvideo",
      "pipe:1",
    ];
    for (let round = 0; round < 2; round++) {
      const { stdout } = await tools.ffmpeg(args, {
        stdin: testFrames({ ...clip, frameCount: 300 }),
        stdout: "bytes",
      });
      assertSameFrame(stdout.subarray(0, 19200), testFrame(clip, 0), "first frame");
      assertEquals(stdout.byteLength, 2 * 19200);
    }
  },
);

onBackends("ffmpeg passes on what its input threw", async (tools) => {
  async function* broken() {
    yield await Promise.resolve(testFrame(clip, 0));
    throw new RangeError("No second frame");
  }
  const args = [...rawInput({ ...clip, pixelFormat: "rgb24" }), "-f", "null", "-"];
  await assertRejects(() => tools.ffmpeg(args, { stdin: broken() }), RangeError, "No second frame");
});

onBackends("ffmpeg says why a file can't be read", async (tools, folder) => {
  await tools.ffmpeg(["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "libx264", `${folder}/a.mp4`]);
  const whole = await Deno.readFile(`${folder}/a.mp4`);
  await Deno.writeFile(`${folder}/cut.mp4`, whole.subarray(0, whole.byteLength - 600));
  await Deno.writeTextFile(`${folder}/text`, "this is no video\n".repeat(50));
  const read = (name: string) => tools.ffmpeg(["-i", `${folder}/${name}`, "-f", "null", "-"]);
  const failureOf = async (work: Promise<unknown>) => (await assertRejects(() => work, MediaError)).failure;
  assertEquals(await failureOf(read("cut.mp4")), "truncated");
  assertEquals(await failureOf(read("text")), "not_media");
  assertEquals(await failureOf(read("none.mp4")), "missing");
  assertEquals(await failureOf(tools.probe(`${folder}/text`)), "not_media");
});

onBackends("a command that takes too long is killed and says so", async (tools) => {
  const failed = await assertRejects(
    () => tools.ffmpeg([...ENDLESS, "-f", "null", "-"], { timeoutMs: 700 }),
    MediaError,
  );
  assertEquals(failed.failure, "timeout");
});

for (const backend of BACKENDS) {
  Deno.test(`an abort stops a command within 2 s and leaves no process (${backend})`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "seedloop_media_" });
    const tools = await openMediaTools({ backend, folders: [folder] });
    try {
      const stop = new AbortController();
      const started = Promise.withResolvers<void>();
      const run = tools.ffmpeg([...ENDLESS, `${folder}/endless.mp4`], {
        signal: stop.signal,
        onProgress: ({ frame }) => frame > 0 && started.resolve(),
      });
      run.catch(() => {});
      await started.promise;
      assert((await processesWith(folder)).length > 0);
      const at = performance.now();
      stop.abort();
      await assertRejects(() => run, DOMException, "aborted");
      assert(performance.now() - at < 2000);
      assert(await untilGone(folder, 2000));
      assertEquals((await tools.ffmpeg(["-version"], { stdout: "bytes" })).stdout.byteLength > 0, true);
    } finally {
      await tools.close();
      assert(await untilGone(folder, 2000));
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test(`a command dies with the process that started it (${backend})`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "seedloop_media_" });
    const script = `
      import { openMediaTools } from ${JSON.stringify(import.meta.resolve("./run.ts"))};
      const tools = await openMediaTools({ backend: ${JSON.stringify(backend)}, folders: [${
      JSON.stringify(folder)
    }] });
      await tools.ffmpeg([...${JSON.stringify(ENDLESS)}, ${JSON.stringify(`${folder}/endless.mp4`)}], {
        onProgress: ({ frame }) => frame > 0 && console.log("running"),
      });`;
    await Deno.writeTextFile(`${folder}/parent.ts`, script);
    const config = fromFileUrl(new URL("../../deno.json", import.meta.resolve("#server/core/id.ts")));
    const parent = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--config", config, `${folder}/parent.ts`],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = parent.stdout.getReader();
    assertStringIncludes(new TextDecoder().decode((await reader.read()).value), "running");
    assert((await processesWith(`${folder}`)).length > 1);
    parent.kill("SIGKILL");
    await parent.status;
    await reader.cancel();
    assert(await untilGone(folder, 2000));
    await Deno.remove(folder, { recursive: true });
  });
}

onBackends("ffmpegStream ends its command when the reader leaves", async (tools) => {
  const frames = tools.ffmpegStream([
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=640x360:d=3600",
    "-f",
    "rawvideo",
    "pipe:1",
  ]);
  for await (const chunk of frames) {
    assert(chunk.byteLength > 0);
    break;
  }
  const { stdout } = await tools.ffmpeg(["-version"], { stdout: "bytes" });
  assertStringIncludes(new TextDecoder().decode(stdout), "ffmpeg version");
});

Deno.test("openMediaTools falls back with a reason and refuses when native is demanded", async () => {
  const tools = await openMediaTools({ ffmpeg: "/nowhere/ffmpeg" });
  try {
    assertEquals(tools.backend.kind, "wasm");
    assertStringIncludes(tools.backend.notes.join(), "/nowhere/ffmpeg is not installed");
  } finally {
    await tools.close();
  }
  await assertRejects(
    () => openMediaTools({ ffmpeg: "/nowhere/ffmpeg", backend: "native" }),
    MediaError,
    "not installed",
  );
});

Deno.test("wasm tools run over a hundred commands, four at a time, each to its end", async () => {
  const tools = await openMediaTools({ backend: "wasm" });
  try {
    const run = () =>
      tools.ffmpeg(["-f", "lavfi", "-i", "color=s=16x16:d=0.1", "-f", "rawvideo", "pipe:1"], {
        stdout: "bytes",
      });
    for (let round = 0; round < 30; round++) {
      const results = await Promise.all([run(), run(), run(), run()]);
      for (const { stdout } of results) assert(stdout.byteLength > 0);
    }
  } finally {
    await tools.close();
  }
});
