import * as z from "zod/mini";

/** SHA-256 of a file's content, lower-case hex: its identity and its address in the store. */
export const ContentHash = z.string().check(z.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hex"));

/** A file in the content-addressed store, as jobs and threads speak of it. */
export const FileRef = z.object({
  hash: ContentHash,
  sizeBytes: z.int().check(z.nonnegative()),
  /** By content, not by name: "image/png", "video/mp4", "video/x-matroska", "application/json" … */
  mediaType: z.string(),
});
export type FileRef = z.infer<typeof FileRef>;
