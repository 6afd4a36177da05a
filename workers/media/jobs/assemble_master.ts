import type * as z from "zod/mini";
import { assembleMaster } from "#server/scenes/job_kinds.ts";
import { formatRate, sameRate } from "#server/core/media_time.ts";
import { handle, type Handler, type JobContext } from "#workers/kit/handle.ts";
import { inputFile, outputFile } from "#workers/media/args.ts";
import { conformFilters } from "#workers/media/conform.ts";
import { cutKeyFrames, timescaleFor } from "#workers/media/encode.ts";
import { MediaError } from "#workers/media/media_error.ts";
import { joinFiles, type JoinResult, ParametersDiffer } from "#workers/media/packets.ts";
import { readVideoFacts } from "#workers/media/probe.ts";
import { frameRatio, renderOutputs } from "#workers/media/render.ts";
import type { MediaTools } from "#workers/media/run.ts";
import { openSource } from "#workers/media/sources.ts";
import { blameMedia } from "./blame.ts";
import { openLocals } from "./open_locals.ts";

type AssembleInput = z.output<typeof assembleMaster.input>;

/** Joins cuts to a master: packets are copied when all parameters agree, else each cut is coded anew once. */
export function assembleMasterHandler(tools: MediaTools): Handler {
  return handle(assembleMaster, (input, job) => blameMedia(() => assemble(tools, input, job)));
}

async function assemble(tools: MediaTools, input: AssembleInput, job: JobContext) {
  const paths = await openLocals(job, input.items.map((item) => item.file));
  const joined = `${job.workDir}/joined.mp4`;
  const copied = await tryCopy(tools, input, paths, joined, job);
  const result = copied ?? await conformAndJoin(tools, input, paths, joined, job);
  job.progress(0.9, "writing timecode and tags");
  const master = `${job.workDir}/master.mp4`;
  await stampMaster(tools, input, joined, master, job.signal);
  const facts = await readVideoFacts(tools, master, { signal: job.signal });
  const asked = input.items.reduce((sum, item) => sum + item.frameCount, 0);
  if (facts.frameCount !== asked) {
    throw new MediaError(
      `The master has ${facts.frameCount} frames, its cuts ${asked}: make the cuts again`,
      "not_media",
    );
  }
  return {
    master: await job.store.put({ path: master, take: true }, "video/mp4"),
    frameCount: asked,
    method: copied ? "copied" as const : "conformed" as const,
    facts,
    boundaries: [...result.boundaries],
  };
}

/** The packet join, or undefined when any cut's size, rate or coding differs. */
async function tryCopy(
  tools: MediaTools,
  input: AssembleInput,
  paths: readonly string[],
  out: string,
  job: JobContext,
): Promise<JoinResult | undefined> {
  for (const [index, path] of paths.entries()) {
    const facts = await readVideoFacts(tools, path, { signal: job.signal });
    if (facts.widthPx !== input.widthPx || facts.heightPx !== input.heightPx) return undefined;
    if (!facts.isConstantRate || !sameRate(facts.rate, input.rate) || facts.codec !== "h264") {
      return undefined;
    }
    if (facts.frameCount !== input.items[index]?.frameCount) {
      throw new MediaError(
        `Cut ${index + 1} has ${facts.frameCount} frames, not ${
          input.items[index]?.frameCount
        }: stitch it again`,
        "not_media",
      );
    }
  }
  try {
    return await joinFiles(paths, out, { rate: input.rate, signal: job.signal, indexInFront: false });
  } catch (thrown) {
    if (thrown instanceof ParametersDiffer) return undefined;
    throw thrown;
  }
}

async function conformAndJoin(
  tools: MediaTools,
  input: AssembleInput,
  paths: readonly string[],
  out: string,
  job: JobContext,
): Promise<JoinResult> {
  const cuts: string[] = [];
  for (const [index, path] of paths.entries()) {
    const cut = `${job.workDir}/cut_${index}.mp4`;
    await conformCut(tools, input, path, index, cut, job);
    cuts.push(cut);
  }
  return await joinFiles(cuts, out, { rate: input.rate, signal: job.signal, indexInFront: false });
}

/** Codes one cut anew in the master's size and rate; its frames are padded with black, never squeezed. */
async function conformCut(
  tools: MediaTools,
  input: AssembleInput,
  path: string,
  index: number,
  out: string,
  job: JobContext,
): Promise<void> {
  const { widthPx, heightPx, rate } = input;
  const frames = input.items[index]?.frameCount ?? 0;
  const facts = await readVideoFacts(tools, path, { signal: job.signal });
  const source = await openSource(tools, [path], { rate: facts.rate, dropHead: 0, signal: job.signal });
  const rule = sameRate(facts.rate, rate) && source.frameCount === frames ? "none" : "repeat_nearest";
  const plan = { rule, sourceRate: facts.rate, rate, sourceFrames: source.frameCount, frames } as const;
  const fit = [
    `scale=${widthPx}:${heightPx}:force_original_aspect_ratio=decrease:flags=lanczos+accurate_rnd`,
    `pad=${widthPx}:${heightPx}:(ow-iw)/2:(oh-ih)/2`,
  ];
  const isFit = source.widthPx === widthPx && source.heightPx === heightPx;
  const filters = [...source.filters, ...conformFilters(plan), ...(isFit ? [] : fit)];
  const share = 0.85 / input.items.length;
  await renderOutputs(
    tools,
    { ...source, filters, widthPx, heightPx, rate, frameCount: frames },
    { cut: { path: out, keyFrames: cutKeyFrames([0], frames) } },
    {
      signal: job.signal,
      onProgress: frameRatio(
        frames,
        (ratio) => job.progress((index + ratio) * share, `conforming cut ${index + 1}`),
      ),
    },
  );
}

/** Rewrites the container only: timecode track, title, index in front. */
async function stampMaster(
  tools: MediaTools,
  input: AssembleInput,
  joined: string,
  out: string,
  signal: AbortSignal,
): Promise<void> {
  const tags = ["-metadata", `title=${input.title}`, "-metadata", `comment=${formatRate(input.rate)} fps`];
  const timing = [
    "-timecode",
    input.startTimecode,
    "-video_track_timescale",
    String(timescaleFor(input.rate)),
  ];
  const args = [...inputFile(joined), "-map", "0:v:0", "-c", "copy", ...tags, ...timing];
  await tools.ffmpeg([...args, "-movflags", "+faststart", "-f", "mp4", outputFile(out)], { signal });
}
