import { join } from "@std/path/join.js";
import { joinFiles } from "#workers/media/packets.ts";
import { answerRequests, findProgram, openDenoChild, pinnedCommand, TESTED_CORE } from "./children.ts";
import type { Bench } from "./bench.ts";
import { type Goal, measure } from "./method.ts";

const CLIPS = 100;
/** So many are encoded; the hundred are these by turns. */
const DISTINCT = 10;
const RATE = 24;

/** Joining final clips without decoding, against ffmpeg's own. */
export const concatBench: Bench = {
  name: "concat",
  goals: ["M1"],
  what: `${CLIPS} clips joined by copying packets, against ffmpeg -f concat -c copy`,
  async *run({ rounds, doublings, scale }, say) {
    const ffmpeg = await findProgram("ffmpeg");
    if (!ffmpeg) {
      say("skipped: there is no native ffmpeg on PATH to compare with");
      return;
    }
    const folder = await Deno.makeTempDir({ prefix: "seedloop_bench_" });
    try {
      const shape = scale < 1 ? { seconds: 1, size: "640x360" } : { seconds: 3, size: "1280x720" };
      const { seconds } = shape;
      const clips = await makeClips(ffmpeg, folder, shape);
      const list = join(folder, "list.txt");
      await Deno.writeTextFile(list, clips.map((path) => `file '${path}'\n`).join(""));
      const [own, theirs, plain] = ["own.mp4", "theirs.mp4", "plain.bin"].map((name) => join(folder, name));
      if (!own || !theirs || !plain) throw new Error("Cannot name the results");
      await using child = await openDenoChild(new URL(import.meta.url));
      const concat = ["-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", list, "-c", "copy", theirs];
      const sides = {
        ours: async () => ({ ms: await child.ask<number>({ paths: clips, out: own }) }),
        ffmpeg: () => timed(() => runProgram(ffmpeg, concat)),
        cat: () =>
          timed(() =>
            runProgram("sh", ["-c", 'out=$1; shift; exec cat "$@" > "$out"', "cat", plain, ...clips])
          ),
      };
      // Warm: the clips in the page cache, our code compiled.
      for (const run of Object.values(sides)) await run();
      await requireSameFrames(ffmpeg, own, theirs, clips.length * seconds * RATE);
      say(`${clips.length * seconds * RATE} frames, the same pixels at the same times in both results`);
      yield* await measure(sides, goals(shape), { rounds, doublings });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

interface Shape {
  readonly seconds: number;
  readonly size: string;
}

function goals({ seconds, size }: Shape): Goal[] {
  const shared = {
    what: `ms to join ${CLIPS} clips of ${seconds} s, ${size}, ${RATE} fps`,
    ours: { side: "ours", figure: "ms" },
    as: "ratio",
    must: "at most",
  } as const;
  return [
    { ...shared, id: "M1a", peer: { side: "ffmpeg", figure: "ms" }, bar: 0.6 },
    { ...shared, id: "M1b", peer: { side: "cat", figure: "ms" }, bar: 2.5 },
  ];
}

/** Clips of one encoder run, so that their parameters agree as those of the studio's cuts do. */
async function makeClips(ffmpeg: string, folder: string, { seconds, size }: Shape): Promise<string[]> {
  await runProgram(ffmpeg, [
    ...["-v", "error", "-f", "lavfi", "-i", `testsrc2=s=${size}:r=${RATE}:d=${DISTINCT * seconds}`],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0"],
    ...["-force_key_frames", `expr:gte(t,n_forced*${seconds})`],
    ...["-f", "segment", "-segment_time", String(seconds), "-reset_timestamps", "1"],
    join(folder, "clip_%d.mp4"),
  ]);
  return Array.from({ length: CLIPS }, (_, n) => join(folder, `clip_${n % DISTINCT}.mp4`));
}

/** Throws unless both files decode to the same frames at the same times: ffmpeg repeats parameter sets in the stream. */
async function requireSameFrames(ffmpeg: string, one: string, other: string, count: number): Promise<void> {
  const [ours, theirs] = await Promise.all([one, other].map((path) => listFrames(ffmpeg, path)));
  if (ours?.length !== count || JSON.stringify(ours) !== JSON.stringify(theirs)) {
    const at = ours?.findIndex((frame, index) => frame !== theirs?.[index]);
    throw new Error(
      `The joined files differ: ${ours?.length} and ${theirs?.length} frames, ${count} wanted; frame ${at}: ${
        ours?.[at ?? 0]
      } and ${theirs?.[at ?? 0]}`,
    );
  }
}

/** Each frame's number on the time line and the hash of its pixels. */
async function listFrames(ffmpeg: string, path: string): Promise<string[]> {
  const args = ["-v", "error", "-i", path, "-map", "0:v", "-f", "framehash", "-hash", "crc32", "-"];
  const { success, stdout } = await new Deno.Command(ffmpeg, { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`Cannot list the frames of ${path}: ffmpeg failed`);
  const lines = new TextDecoder().decode(stdout).split("\n");
  const [num = 1, den = 1] =
    lines.find((line) => line.startsWith("#tb 0:"))?.slice(6).split("/").map(Number) ?? [];
  return lines.filter((line) => /^\d/.test(line)).map((line) => {
    const [, , pts, , , hash] = line.split(",").map((part) => part.trim());
    return `${Math.round(Number(pts) * num / den * RATE)} ${hash}`;
  });
}

async function runProgram(program: string, args: readonly string[]): Promise<void> {
  const command = await pinnedCommand(TESTED_CORE, program, args, { stdin: "null", stderr: "inherit" });
  const { success } = await command.output();
  if (!success) throw new Error(`Cannot measure ${program}: it failed`);
}

async function timed(work: () => Promise<void>): Promise<{ ms: number }> {
  const begun = performance.now();
  await work();
  return { ms: performance.now() - begun };
}

/** The tested side, in a process that has been running for a while, as the studio's has. */
async function answer(request: unknown): Promise<number> {
  const { paths, out } = request as { paths: string[]; out: string };
  const { ms } = await timed(async () => {
    await joinFiles(paths, out, { rate: { num: RATE, den: 1 }, indexInFront: false });
  });
  return ms;
}

if (import.meta.main) await answerRequests(answer);
