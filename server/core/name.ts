import * as z from "zod/mini";

/** Of a name, in UTF-16 units. */
export const LONGEST_NAME = 120;

/** A name that people see: trimmed, 1–120 characters, no control characters. */
export const Name = z.string().check(
  z.trim(),
  z.minLength(1, "must not be empty"),
  z.maxLength(LONGEST_NAME, `must have at most ${LONGEST_NAME} characters`),
  z.regex(/^[^\p{Cc}]*$/u, "must not contain control characters"),
);
