import * as z from "zod/mini";

/** A name that people see: trimmed, 1–120 characters, no control characters. */
export const Name = z.string().check(
  z.trim(),
  z.minLength(1, "must not be empty"),
  z.maxLength(120, "must have at most 120 characters"),
  z.regex(/^[^\p{Cc}]*$/u, "must not contain control characters"),
);
