import * as z from "zod/mini";

/** Of a name, in UTF-16 units. */
export const LONGEST_NAME = 120;

/**
 * Control characters, and what turns the text around a name while nobody sees it there: overrides and isolates of
 * direction. Marks of direction (U+200E, U+200F) act only within.
 */
const UNFIT = String.raw`\p{Cc}\u202A-\u202E\u2066-\u2069`;

/** What no name may hold taken out of a text. */
export function withoutUnfit(text: string): string {
  return text.replaceAll(new RegExp(`[${UNFIT}]`, "gu"), "");
}

/** A name that people see: trimmed, 1–120 characters, no control characters, nothing that turns the text around it. */
export const Name = z.string().check(
  z.trim(),
  z.minLength(1, "must not be empty"),
  z.maxLength(LONGEST_NAME, `must have at most ${LONGEST_NAME} characters`),
  z.regex(
    new RegExp(`^[^${UNFIT}]*$`, "u"),
    "must not contain control characters or signs that turn the direction of the text around it",
  ),
);
