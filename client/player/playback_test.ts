import { assertEquals } from "@std/assert/mod.js";
import sharp from "sharp";
import { openBrowser, type Page } from "#server/testing/browser.ts";
import { bundle } from "#tasks/bundle.ts";
import { inputFile } from "#workers/media/args.ts";
import { writeIntermediate } from "#workers/media/lossless.ts";
import { renderOutputs } from "#workers/media/render.ts";
import { openMediaTools } from "#workers/media/run.ts";
import { type TestClip, testFrames } from "#workers/media/testing/clips.ts";

const SIZE = { widthPx: 320, heightPx: 192 };
const CLIPS: readonly TestClip[] = [
  { ...SIZE, rate: { num: 24000, den: 1001 }, frameCount: 50, seed: 3 },
  { ...SIZE, rate: { num: 25, den: 1 }, frameCount: 40, seed: 4 },
];

/** A page with a Playback on real review copies whose frames say their own numbers. */
async function openStage() {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_player_" });
  await using tools = { ...await openMediaTools({ backend: "wasm" }), [Symbol.asyncDispose]: async () => {} };
  for (const [n, clip] of CLIPS.entries()) {
    const path = `${folder}/source_${n}.avi`;
    await writeIntermediate(tools, testFrames(clip), clip, path);
    const input = { args: inputFile(path), filters: [], ...clip };
    await renderOutputs(tools, input, { proxy: { path: `${folder}/proxy_${n}.mp4`, heightPx: 192 } });
  }
  await tools.close();
  const script = await bundle({ text: `export * from "#client/player/playback.ts";` });
  await Deno.writeTextFile(`${folder}/playback.js`, script);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => answer(folder, request),
  );
  const opened = await openBrowser();
  const { page, said } = await opened.newPage();
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  return {
    page,
    said,
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Ranges, as the studio serves them. */
async function answer(folder: string, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/") {
    return new Response(PAGE, { headers: { "content-type": "text/html" } });
  }
  const bytes = await Deno.readFile(`${folder}${pathname}`).catch(() => undefined);
  if (!bytes) return new Response(null, { status: 404 });
  const type = pathname.endsWith(".js") ? "text/javascript" : "video/mp4";
  const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.get("range") ?? "") ?? [];
  if (from === undefined) {
    return new Response(bytes, { headers: { "content-type": type, "accept-ranges": "bytes" } });
  }
  const end = to ? Number(to) : bytes.length - 1;
  return new Response(bytes.slice(Number(from), end + 1), {
    status: 206,
    headers: {
      "content-type": type,
      "accept-ranges": "bytes",
      "content-range": `bytes ${from}-${end}/${bytes.length}`,
    },
  });
}

const PAGE =
  `<!doctype html><title>Player</title><link rel="icon" href="data:,"><div id="here"></div><div id="there"></div>
<script type="module">
  import { Playback } from "/playback.js";
  const playback = globalThis.playback = new Playback();
  document.querySelector("#here").append(playback.video);
  const canvas = new OffscreenCanvas(320, 192);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  /** The number that the picture itself says. */
  globalThis.seen = () => {
    context.drawImage(playback.video, 0, 0, 320, 192);
    let number = 0;
    for (let bar = 0; bar < 10; bar++) {
      const [value] = context.getImageData((bar + 0.5) * 32, 24, 1, 1).data;
      if (value > 127) number |= 1 << bar;
    }
    return number;
  };
  globalThis.put = (n, rate, frames) => new Promise((resolve) => {
    playback.video.addEventListener("seeked", resolve, { once: true });
    playback.load(undefined);
    playback.load({ src: "/proxy_" + n + ".mp4", rate, frames }, 0);
  });
  globalThis.isReady = true;
</script>`;

/** Runs in the page, where these three are. */
async function put(page: Page, n: number): Promise<void> {
  await page.waitForFunction("globalThis.isReady");
  const { rate, frames } = reelOf(n);
  await page.evaluate(`put(${n}, ${JSON.stringify(rate)}, ${frames})`);
}

Deno.test("Playback", async (test) => {
  await using stage = await openStage();
  const { page } = stage;

  for (const [n, { rate, frameCount }] of CLIPS.entries()) {
    await test.step(`shows frame n when asked for frame n, at ${rate.num}/${rate.den}`, async () => {
      await put(page, n);
      const wrong = await page.evaluate(`(async () => {
        const wrong = [];
        const frames = [...Array(${frameCount}).keys()];
        const there = async (asked) => {
          if (seen() !== asked || playback.frame !== asked) wrong.push([asked, playback.frame, seen()]);
        };
        for (const frame of frames) { await playback.seek(frame); await there(frame); }
        for (const frame of frames.toReversed().slice(1)) { await playback.step(-1); await there(frame); }
        for (const frame of frames) { const to = (frame * 29) % ${frameCount}; await playback.seek(to); await there(to); }
        return wrong;
      })()`);
      assertEquals(wrong, []);
    });
  }

  await test.step("stands on the frame that it names after play, and of many steps makes all", async () => {
    await put(page, 0);
    const found = await page.evaluate(`(async () => {
      playback.video.muted = true;
      const results = [];
      for (let n = 0; n < 4; n++) {
        await playback.play(1);
        const from = playback.frame;
        while (playback.frame < from + 4 && playback.frame >= from) await new Promise(requestAnimationFrame);
        await playback.stop();
        results.push(playback.frame === seen());
      }
      await playback.seek(10);
      await Promise.all([1, 1, 1, 1, 1].map((count) => playback.step(count)));
      return [...results, playback.frame, seen()];
    })()`);
    assertEquals(found, [true, true, true, true, 15, 15]);
  });

  await test.step("plays within in and out, back and forth", async () => {
    await put(page, 1);
    const found = await page.evaluate(`(async () => {
      playback.markIn(5);
      playback.markOut(12);
      await playback.seek(5);
      const frames = new Set();
      const watch = async (until) => {
        while (!until()) { frames.add(playback.frame); await new Promise(requestAnimationFrame); }
      };
      await playback.play(1);
      await watch(() => frames.has(12) && playback.frame < 9);
      await playback.play(-4);
      let turns = 0;
      let last = playback.frame;
      await watch(() => { turns += playback.frame > last ? 1 : 0; last = playback.frame; return turns > 1; });
      await playback.stop();
      const stood = playback.frame === seen();
      playback.clearMarks();
      return [Math.min(...frames), Math.max(...frames), stood];
    })()`);
    assertEquals(found, [5, 12, true]);
  });

  await test.step("stops on the last frame where it does not loop", async () => {
    await put(page, 1);
    const found = await page.evaluate(`(async () => {
      playback.loop(false);
      await playback.seek(34);
      await playback.play(1);
      while (playback.isPlaying) await new Promise(requestAnimationFrame);
      await playback.seek(playback.frame);
      playback.loop(true);
      return [playback.frame, seen()];
    })()`);
    assertEquals(found, [39, 39]);
  });

  await test.step("plays on and keeps its frame where its element is moved", async () => {
    await put(page, 0);
    const found = await page.evaluate(`(async () => {
      await playback.seek(33);
      document.querySelector("#there").append(playback.video);
      await playback.seek(playback.frame);
      const still = [playback.frame, seen()];
      await playback.play(1);
      document.querySelector("#here").append(playback.video);
      while (playback.frame < 45) await new Promise(requestAnimationFrame);
      await playback.stop();
      return [...still, playback.frame >= 45, playback.frame === seen()];
    })()`);
    assertEquals(found, [33, 33, true, true]);
  });

  await test.step("has on the screen what it names, right after one seek upon another", async () => {
    const onScreen = async () => {
      const png = await page.locator("video").screenshot();
      const pixels = await sharp(png).removeAlpha().raw().toBuffer();
      const bars = [...Array(10).keys()].map((bar) => pixels[(24 * 320 + (bar + 0.5) * 32) * 3] ?? 0);
      return bars.reduce((number, value, bar) => number | (value > 127 ? 1 << bar : 0), 0);
    };
    const wrong: number[][] = [];
    for (let n = 0; n < 40; n++) {
      const asked = 1 + (n * 7) % 39;
      // On another reel the same place is sought first: its seek is the one before.
      await page.evaluate(`(async () => {
        const { rate, frames } = ${JSON.stringify(reelOf(n % 2))};
        playback.load({ src: "/proxy_${n % 2}.mp4?${n}", rate, frames });
        await new Promise((resolve) => playback.video.addEventListener("loadeddata", resolve, { once: true }));
        await playback.seek(${asked});
        // It brings the picture up by another seek of its own.
        const isSought = new Promise((resolve) => playback.video.addEventListener("seeked", resolve, { once: true }));
        await Promise.race([isSought, new Promise((resolve) => setTimeout(resolve, 200))]);
        for (let turns = 0; turns < 3; turns++) await new Promise(requestAnimationFrame);
      })()`);
      let shown = await onScreen();
      for (let looks = 1; looks < 4 && shown !== asked; looks++) shown = await onScreen();
      if (shown !== asked) wrong.push([n, asked, shown]);
    }
    assertEquals(wrong, []);
  });

  assertEquals(stage.said, []);
});

function reelOf(n: number) {
  const { rate, frameCount } = CLIPS[n] ?? CLIPS[0]!;
  return { rate, frames: frameCount };
}
