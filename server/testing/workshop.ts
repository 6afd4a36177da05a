import type * as z from "zod/mini";
import type { inspectMedia, makeProxy } from "#server/assets/job_kinds.ts";
import type { ClipState } from "#server/clips/contract.ts";
import type { ingestTake, measureCut, measureTake, stitchCut } from "#server/clips/job_kinds.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { transact } from "#server/db/db.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import type { SettledJob, Settlement } from "#server/jobs/settle.ts";
import type { assembleMaster } from "#server/scenes/job_kinds.ts";
import type { measureSeed } from "#server/seeds/job_kinds.ts";
import { insertDerivative } from "#server/assets/service.ts";
import { allSettlements } from "#server/settlements.ts";
import { type GivenClip, givenClip } from "./clip_fixtures.ts";
import { givenMember, givenWorkflowVersion, type InProject, tinyPng, type World } from "./fixtures.ts";
import type { TestClient } from "./test_studio.ts";

type In<K extends { input: z.core.$ZodType }> = z.output<K["input"]>;
type Out<K extends { output: z.core.$ZodType }> = z.output<K["output"]>;

/** What a test wants otherwise than a workshop where all goes well. */
export interface Wishes {
  /** The frame on which a take ends; the target unless said. */
  readonly endFrame?: (end: { target: number; window: number; exact: boolean }) => number;
  readonly inspect?: (usual: Out<typeof inspectMedia>) => Out<typeof inspectMedia>;
  readonly measureTake?: (usual: Out<typeof measureTake>) => Out<typeof measureTake>;
  readonly measureSeed?: (usual: Out<typeof measureSeed>) => Out<typeof measureSeed>;
  readonly measureCut?: (usual: Out<typeof measureCut>) => Out<typeof measureCut>;
  readonly stitch?: (usual: Out<typeof stitchCut>) => Out<typeof stitchCut>;
  /** An MP4 that can be played, for takes, cuts and masters; they are no video unless given. */
  readonly film?: Uint8Array<ArrayBuffer>;
  readonly assemble?: (usual: Out<typeof assembleMaster>) => Out<typeof assembleMaster>;
}

/**
 * Stands in for queue and threads: takes the jobs that were submitted, in order, and ends them through their
 * settlements with results of the right shape, whose files are in the store.
 */
export class Workshop {
  readonly #world: World;
  readonly #settlements: ReadonlyMap<string, Settlement>;
  readonly #ended = new Set<string>();
  #picture = 1;
  wishes: Wishes = {};

  constructor(world: World) {
    this.#world = world;
    this.#settlements = new Map(allSettlements(world.store).map((one) => [one.kind.code, one]));
  }

  /** Jobs that wait, oldest first. */
  async waiting(): Promise<SettledJob[]> {
    const jobs = await this.#world.db<SettledJob[]>`
      select j.id, k.code as kind, j.project_id, j.user_id, j.seed_id, j.take_id, j.cut_id, j.master_id, j.file_hash,
             j.worker_id, j.workflow_version_id, j.attempt, j.input
        from jobs j join job_kind k on k.id = j.kind_id order by j.id`;
    return jobs.filter((job) => !this.#ended.has(job.id));
  }

  /** The one job that waits; throws when there are none or more. */
  async only(): Promise<SettledJob> {
    const jobs = await this.waiting();
    const [job] = jobs;
    if (!job || jobs.length > 1) {
      throw new Error(`Waiting: ${jobs.map((one) => one.kind).join(", ") || "none"}`);
    }
    return job;
  }

  /** Ends all jobs, and those that follow from them, until none waits or `until` says to stop. */
  async work(until?: (next: SettledJob) => boolean): Promise<number> {
    for (let count = 0;; count++) {
      const [job] = await this.waiting();
      if (!job || until?.(job)) return count;
      if (count > 500) throw new Error("The jobs do not come to an end");
      await this.finish(job);
    }
  }

  /** Ends one job well. Handing in the same job again does what a late second result would. */
  async finish(job: SettledJob, output?: unknown): Promise<void> {
    const result = output ?? await this.#makeOutput(job);
    this.#ended.add(job.id);
    const { db } = this.#world;
    await transact(db, async (tx) => await this.#settlement(job).done(tx, job, result));
  }

  async fail(job: SettledJob, message = "The worker has burnt down"): Promise<void> {
    this.#ended.add(job.id);
    const { db } = this.#world;
    const failure = { failureClass: "worker", message };
    await transact(db, async (tx) => await this.#settlement(job).failed(tx, job, failure));
  }

  async cancel(job: SettledJob): Promise<void> {
    this.#ended.add(job.id);
    await transact(this.#world.db, async (tx) => await this.#settlement(job).cancelled(tx, job));
  }

  /** Queues an ended job again, as a person may. */
  async retry(job: SettledJob): Promise<void> {
    await transact(this.#world.db, async (tx) => await this.#settlement(job).retried?.(tx, job));
    this.#ended.delete(job.id);
  }

  /** A picture that no other is like, in the store. */
  async picture(): Promise<FileRef> {
    return await this.#world.store.put(tinyPng(this.#picture++), "image/png");
  }

  #settlement(job: SettledJob): Settlement {
    const settlement = this.#settlements.get(job.kind);
    if (!settlement) throw new Error(`Nobody settles ${job.kind}`);
    return settlement;
  }

  async #makeOutput(job: SettledJob): Promise<unknown> {
    switch (job.kind) {
      case "comfy.generate":
        return await this.#generate(job.input as In<typeof generate>);
      case "media.inspect":
        return await this.#inspect(job.input as In<typeof inspectMedia>);
      case "media.proxy":
        return await this.#makeProxy();
      case "seeds.measure":
        return this.#measureSeed(job.input as In<typeof measureSeed>);
      case "clips.ingest_take":
        return await this.#ingest(job.input as In<typeof ingestTake>);
      case "clips.measure_take":
        return await this.#measureTake(job.input as In<typeof measureTake>);
      case "clips.stitch":
        return await this.#stitch(job.input as In<typeof stitchCut>);
      case "clips.measure_cut":
        return this.#measureCut(job.input as In<typeof measureCut>);
      case "scenes.assemble":
        return await this.#assemble(job.input as In<typeof assembleMaster>);
    }
    throw new Error(`The workshop knows no ${job.kind}`);
  }

  async #generate(input: In<typeof generate>): Promise<Out<typeof generate>> {
    return {
      promptId: crypto.randomUUID(),
      adopted: false,
      outputs: [{
        node: input.outputNodes[0] ?? "1",
        fileName: "seedloop_00001.png",
        file: await this.picture(),
      }],
      graph: input.graph,
      software: { name: "seedloop-cpu", version: "1.0.0", details: {} },
      timings: {
        submittedAt: "2026-01-01T00:00:00.000Z",
        startedAt: null,
        finishedAt: "2026-01-01T00:00:01.000Z",
        nodesMs: {},
        cachedNodes: [],
      },
    };
  }

  async #inspect({ file }: In<typeof inspectMedia>): Promise<Out<typeof inspectMedia>> {
    if (file.mediaType.startsWith("image/")) {
      const facts = {
        kind: "image" as const,
        mediaType: file.mediaType,
        container: "png",
        codec: "png",
        widthPx: 8,
        heightPx: 8,
        bitDepth: 8,
      };
      return { facts, working: await this.picture(), thumbnail: await this.picture() };
    }
    const facts = { kind: "video" as const, mediaType: file.mediaType, container: "mp4", codec: "h264" };
    const usual = { facts: { ...facts, pixelFormat: "yuv420p", colorPrimaries: "bt709", colorRange: "tv" } };
    return this.wishes.inspect?.(usual) ?? usual;
  }

  async #makeProxy(): Promise<Out<typeof makeProxy>> {
    const [proxy, poster] = [await this.#video(), await this.picture()];
    return { proxy, poster, ...await this.#sprite() };
  }

  async #sprite(): Promise<Pick<Out<typeof makeProxy>, "sprite" | "spriteLayout">> {
    const spriteLayout = { columns: 1, rows: 1, tileWidthPx: 8, tileHeightPx: 8, frames: [0] };
    return { sprite: await this.picture(), spriteLayout };
  }

  #measureSeed({ portrait }: In<typeof measureSeed>): Out<typeof measureSeed> {
    const face = {
      box: { x: 1, y: 1, width: 4, height: 4 },
      score: 0.9,
      eyeDistancePx: 2,
      yawDeg: 0,
      pitchDeg: 0,
      rollDeg: 0,
      points: [],
      eyesOpen: 1,
    };
    const usual: Out<typeof measureSeed> = {
      model: { name: "test-face", hash: "0".repeat(64), metric: "cosine" },
      faces: [face],
      likeness: portrait ? 0.9 : null,
      ...(portrait ? {} : { likenessReason: "there is no portrait" }),
      sharpness: 100,
      meanLab: [50, 0, 0],
      dhash: "0123456789abcdef",
    };
    return this.wishes.measureSeed?.(usual) ?? usual;
  }

  async #ingest({ expectedFrames, dropHead }: In<typeof ingestTake>): Promise<Out<typeof ingestTake>> {
    const proxy = this.wishes.film ? await this.#video() : await this.picture();
    const [intermediate, poster] = [await this.picture(), await this.picture()];
    const size = { frameCount: expectedFrames - dropHead, widthPx: 64, heightPx: 64 };
    return { intermediate, proxy, poster, ...await this.#sprite(), ...size };
  }

  async #measureTake(
    { frameCount, end, portrait }: In<typeof measureTake>,
  ): Promise<Out<typeof measureTake>> {
    const frame = end ? this.wishes.endFrame?.(end) ?? end.target : 0;
    const usual: Out<typeof measureTake> = {
      curves: curvesOf(frameCount),
      likeness: portrait ? likenessOf(frameCount) : null,
      end: { frame, score: 0.9, stability: 0.9, rejected: [] },
      endImage: await this.picture(),
    };
    return this.wishes.measureTake?.(usual) ?? usual;
  }

  async #stitch({ parts, frames }: In<typeof stitchCut>): Promise<Out<typeof stitchCut>> {
    let at = 0;
    const boundaries = parts.map(({ frameCount }) => (at += frameCount) - frameCount);
    const [cut, intermediate] = [await this.#video(), await this.#video()];
    const [proxy, poster] = [await this.#video(), await this.picture()];
    const sprite = await this.#sprite();
    const usual = { cut, intermediate, proxy, poster, ...sprite, boundaries, frameCount: frames };
    return this.wishes.stitch?.(usual) ?? usual;
  }

  #measureCut({ frameCount, boundaries, portrait }: In<typeof measureCut>): Out<typeof measureCut> {
    const seams = boundaries.slice(1).map((frame) => ({
      frame,
      jump: 1,
      reversal: null,
      colorStep: 0,
      lumaStep: 0,
      sharpnessRatio: 1,
      verdict: "pass" as const,
      reasons: [],
    }));
    const usual = { curves: curvesOf(frameCount), likeness: portrait ? likenessOf(frameCount) : null, seams };
    return this.wishes.measureCut?.(usual) ?? usual;
  }

  async #assemble({ items }: In<typeof assembleMaster>): Promise<Out<typeof assembleMaster>> {
    let at = 0;
    const boundaries = items.map(({ frameCount }) => (at += frameCount) - frameCount);
    const facts = { kind: "video" as const, mediaType: "video/mp4", container: "mp4", codec: "h264" };
    const usual = {
      master: await this.#video(),
      frameCount: at,
      method: "copied" as const,
      facts,
      boundaries,
    };
    return this.wishes.assemble?.(usual) ?? usual;
  }

  async #video(): Promise<FileRef> {
    const { film } = this.wishes;
    const bytes = film ? unlike(film, this.#picture++) : tinyPng(this.#picture++);
    return await this.#world.store.put(bytes, "video/mp4");
  }
}

/** The same film, to the frame, in a file that no other is like: a box that players pass over has the number. */
function unlike(film: Uint8Array<ArrayBuffer>, number: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(film.length + 12);
  bytes.set(film);
  const box = new DataView(bytes.buffer, film.length);
  box.setUint32(0, 12);
  bytes.set(new TextEncoder().encode("free"), film.length + 4);
  box.setUint32(8, number);
  return bytes;
}

function curvesOf(frames: number): Out<typeof measureTake>["curves"] {
  const flat = (value: number) => Array.from({ length: frames }, () => value);
  const meanLab = Array.from({ length: frames }, (): [number, number, number] => [50, 2, 3]);
  return {
    motion: [0, ...flat(1.5).slice(1)],
    motion2: flat(2.5),
    sharpness: flat(100),
    meanLuma: flat(120),
    meanLab,
    noiseFloor: 0.3,
  };
}

function likenessOf(frames: number): NonNullable<Out<typeof measureTake>["likeness"]> {
  const points = Array.from({ length: Math.ceil(frames / 8) }, (_, at) => ({ frame: at * 8, score: 0.9 }));
  const model = { name: "test-face", hash: "0".repeat(64), metric: "cosine" };
  return { model, points, median: 0.9, min: 0.88, coverage: 1 };
}

/** Gives a seed that was made by hand the working image which looking into it would have made. */
export async function givenWorkingImage(world: World, seed: { readonly file: FileRef }): Promise<void> {
  await insertDerivative(world.db, seed.file.hash, "working_image", seed.file);
}

/** A clip whose cut waits for review, made by the loop through the API; in a scene and by a member of its own unless given. */
export async function givenClipInReview(
  world: World,
  workshop: Workshop,
  artist: TestClient,
  given: { readonly scene?: InProject; readonly name?: string; readonly frames?: number } = {},
): Promise<{ clip: GivenClip; state: ClipState; cutId: string }> {
  await givenWorkflowVersion(world);
  const clip = await givenClip(world, given);
  if (!given.scene && artist.user) await givenMember(world, { id: clip.projectId }, artist.user, "creator");
  if (given.name !== undefined) await artist.patch(`/api/clips/${clip.id}`, { name: given.name });
  await givenWorkingImage(world, clip.hero);
  await givenWorkingImage(world, clip.portrait);
  await artist.post(`/api/clips/${clip.id}/generate`);
  await workshop.work();
  const state: ClipState = (await artist.get(`/api/clips/${clip.id}`)).body;
  const cutId = state.cuts.at(-1)?.id;
  if (state.status !== "in_review" || !cutId) {
    throw new Error(`The clip is ${state.status}: ${state.attention}`);
  }
  return { clip, state, cutId };
}
