import { LONGEST_NAME, withoutUnfit } from "#server/core/name.ts";

/** What a character is called at first that is made of a picture: the file's name as a `Name`, or "" where nothing of it is one. */
export function nameOfFile(fileName: string): string {
  return withoutUnfit(fileName.replace(/\.[^.]*$/, "")).trim().slice(0, LONGEST_NAME)
    // Half of a sign that needs two is none.
    .replace(/[\ud800-\udbff]$/, "").trim();
}
