import * as z from "zod/mini";

/*
 * zod/mini ships without messages, and zod's own speak of types ("expected string, received undefined"). These go on
 * where the name of the field ends: what is wrong, and what would be right. A schema's own message goes before them.
 * Importing this sets them for the whole program.
 */
z.config({ localeError: fieldSentence });

/** What is wrong with the value of a field and how to mend it: "must be at most 10, not 12". */
export function fieldSentence(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return `is missing: give ${wanted(issue)}`;
  switch (issue.code) {
    case "too_small":
      return issue.origin === "string" && issue.minimum === 1 ? "must not be empty" : bound(
        issue.origin,
        issue.input,
        issue.inclusive === false ? "more than" : "at least",
        issue.minimum,
      );
    case "too_big":
      return bound(
        issue.origin,
        issue.input,
        issue.inclusive === false ? "less than" : "at most",
        issue.maximum,
      );
    case "unrecognized_keys":
      return `has fields that it does not know: ${issue.keys.join(", ")}. Leave them out`;
    case "invalid_key":
      return "has a key that may not be there";
    default:
      return `must be ${wanted(issue)}, not ${described(issue.input)}`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
};
const FORMATS: Readonly<Record<string, string>> = {
  uuid: "an id (UUID)",
  guid: "an id (UUID)",
  email: "an e-mail address",
  url: "an address such as https://studio.example",
  datetime: "an instant such as 2026-01-31T09:30:00Z",
  date: "a day such as 2026-01-31",
};
/** More alternatives than these tell nobody anything. */
const MAX_CHOICES = 20;
const MAX_SHOWN = 40;

function wanted(issue: z.core.$ZodRawIssue | z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${list(issue.values.map((value) => JSON.stringify(value)), ", ")}`;
    case "invalid_format":
      return FORMATS[issue.format] ?? (issue.pattern ? `text that matches ${issue.pattern}` : issue.format);
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_union": {
      const ways = issue.errors.map(([first]) =>
        first && first.path.length === 0 ? wanted(first) : "an object"
      );
      return ways.length > 0 ? list([...new Set(ways)], " or ") : "one of the shapes that the API names";
    }
    default:
      return "a value that fits";
  }
}

function list(choices: readonly string[], between: string): string {
  const shown = choices.slice(0, MAX_CHOICES).join(between);
  return choices.length > MAX_CHOICES ? `${shown}${between}…` : shown;
}

function bound(origin: string, input: unknown, how: string, limit: number | bigint | Date): string {
  if (origin === "string") return `must have ${how} ${limit} characters, not ${String(input).length}`;
  if (Array.isArray(input)) return `must hold ${how} ${limit}, not ${input.length}`;
  return `must be ${how} ${limit}, not ${described(input)}`;
}

function described(input: unknown): string {
  if (typeof input === "string") return input.length > MAX_SHOWN ? "this text" : JSON.stringify(input);
  if (Array.isArray(input)) return "a list";
  return typeof input === "object" && input !== null ? "an object" : String(input);
}
