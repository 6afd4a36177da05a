import * as z from "zod/mini";
import { FileRef } from "#server/core/file_ref.ts";
import { jobKind } from "#server/core/job_kind.ts";
import { Rate } from "#server/core/media_time.ts";
import { MediaFacts } from "#server/assets/job_kinds.ts";

/** Joins final cuts to a master: packets are copied when all parameters agree, else everything is conformed once. */
export const assembleMaster = jobKind({
  code: "scenes.assemble",
  lane: "cpu",
  thread: "media",
  timeoutMs: 3_600_000,
  input: z.object({
    items: z.array(z.object({ file: FileRef, frameCount: z.int() })).check(z.minLength(1)),
    rate: Rate,
    widthPx: z.int(),
    heightPx: z.int(),
    /** "01:00:00:00"; written as container timecode and tags. */
    startTimecode: z.string(),
    title: z.string(),
  }),
  output: z.object({
    master: FileRef,
    frameCount: z.int(),
    method: z.enum(["copied", "conformed"]),
    facts: MediaFacts,
    /** First frame of each item in the master. */
    boundaries: z.array(z.int()),
  }),
});
