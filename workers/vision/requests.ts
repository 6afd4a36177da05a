import type * as z from "zod/mini";
import type { FrameCurves, LikenessTrack, measureCut, measureTake, Seam } from "#server/clips/job_kinds.ts";
import type { Rate } from "#server/core/media_time.ts";
import type { measureSeed } from "#server/seeds/job_kinds.ts";
import type { EndQuestion } from "./end_frame.ts";

/** A file on this machine, with its content hash as the key under which what was read of it is kept. */
export interface HashedFile {
  readonly path: string;
  readonly hash: string;
}

/** Asks what a still shows. */
export interface StillRequest {
  readonly kind: "still";
  readonly image: HashedFile;
  readonly portrait: HashedFile | undefined;
}

/** Asks for every measure of a video, in one decode. */
export interface VideoRequest {
  readonly kind: "video";
  readonly path: string;
  readonly rate: Rate;
  readonly frameCount: number;
  readonly portrait: HashedFile | undefined;
  readonly boundaries: readonly number[];
  readonly end: EndQuestion | undefined;
  readonly requireFace: boolean;
  /** Likeness measured on the same pixels before: taken over where it is by the model that is in use. */
  readonly known?: z.output<typeof measureCut["input"]>["known"];
  /** Where to write the end frame as PNG; not written when absent or no end is asked for. */
  readonly endImagePath: string | undefined;
}

export type StillAnswer = z.output<typeof measureSeed["output"]>;

export interface VideoAnswer {
  readonly curves: FrameCurves;
  readonly likeness: LikenessTrack | null;
  readonly end: z.output<typeof measureTake["output"]>["end"];
  readonly seams: readonly Seam[];
}

export type VisionRequest = StillRequest | VideoRequest;

/** The answer to a request of that kind. */
export type AnswerTo<R extends VisionRequest> = R extends StillRequest ? StillAnswer : VideoAnswer;

/** Owner → child, a line of JSON each: the media tools to use (once, first), then requests one at a time. */
export type ChildInput =
  | {
    readonly type: "start";
    readonly ffmpeg: string | undefined;
    readonly backend: "native" | "wasm" | "auto";
  }
  | { readonly type: "request"; readonly request: VisionRequest };

/** Child → owner, a line of JSON each. Lines that are none of these are a library's chatter. */
export type ChildOutput =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly ratio: number }
  | { readonly type: "answer"; readonly answer: StillAnswer | VideoAnswer; readonly rssBytes: number }
  | {
    readonly type: "failed";
    readonly message: string;
    readonly isInputsFault: boolean;
    readonly failure: string;
  };
