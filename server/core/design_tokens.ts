import { type Colour, cssColour } from "./colour.ts";

/** The types of the Design Tokens Format Module 2025.10 that Seedloop uses. */
export type TokenType =
  | "color"
  | "dimension"
  | "duration"
  | "fontFamily"
  | "fontWeight"
  | "number"
  | "cubicBezier"
  | "shadow";

/** A length: {value: 4, unit: "px"}. */
export interface Dimension {
  readonly value: number;
  readonly unit: "px" | "rem";
}

export interface Shadow {
  readonly color: Colour | string;
  readonly offsetX: Dimension;
  readonly offsetY: Dimension;
  readonly blur: Dimension;
  readonly spread: Dimension;
  readonly inset?: boolean | undefined;
}

export interface DesignToken {
  /** "color.ion". */
  readonly path: string;
  readonly type: TokenType;
  /** As it is written: a value of the type, or "{other.token}". */
  readonly value: unknown;
  readonly description?: string | undefined;
}

/** What is wrong in a token file: where, and a sentence that says what and how it is mended. */
export interface TokenFault {
  readonly path: string;
  readonly problem: string;
}

export interface TokenSet {
  /** By path, in the order in which they were first written. */
  readonly tokens: ReadonlyMap<string, DesignToken>;
  readonly faults: readonly TokenFault[];
}

const MOST_TOKENS = 2_000;
const DEEPEST = 12;
const TYPES: readonly string[] = [
  "color",
  "dimension",
  "duration",
  "fontFamily",
  "fontWeight",
  "number",
  "cubicBezier",
  "shadow",
];
/** A name that is safe in a CSS custom property. */
const NAME = /^[a-z0-9][a-z0-9-]*$/i;
/** A font's name ends up in a style sheet between quotes. */
const FONT = /^[\w .-]{1,80}$/;
const ALIAS = /^\{([^{}]+)\}$/;

/**
 * Reads token files laid over each other, the later over the earlier: a theme gives only what it changes. Groups hand
 * down their `$type`. Faults name the token; tokens with a fault are left out.
 */
export function readTokenFiles(files: readonly unknown[]): TokenSet {
  const tokens = new Map<string, DesignToken>();
  const faults: TokenFault[] = [];
  for (const file of files) {
    if (!isGroup(file)) faults.push({ path: "", problem: "is no token file: it must be a JSON object" });
    else readGroup(file, [], undefined, tokens, faults);
  }
  for (const token of [...tokens.values()]) {
    const problem = findProblem(token, tokens);
    if (problem === undefined) continue;
    faults.push({ path: token.path, problem });
    tokens.delete(token.path);
  }
  return { tokens, faults };
}

/** The custom property of a token: "color.text-quiet" → "--color-text-quiet". */
export function propertyOf(path: string): string {
  return `--${path.replaceAll(".", "-")}`;
}

/** What CSS writes for a token; an alias refers to the other's property, so that a change of that one shows here. */
export function cssOf({ type, value }: DesignToken): string {
  const target = aliasOf(value);
  if (target !== undefined) return `var(${propertyOf(target)})`;
  // Checked when it was read.
  switch (type) {
    case "color":
      return cssColour(value as Colour);
    case "dimension":
    case "duration":
      return amount(value as { value: number; unit: string });
    case "fontFamily":
      return (Array.isArray(value) ? value : [value]).map(quoteFont).join(", ");
    case "cubicBezier":
      return `cubic-bezier(${(value as number[]).join(", ")})`;
    case "shadow":
      return (Array.isArray(value) ? value : [value]).map(shadow).join(", ");
    case "fontWeight":
    case "number":
      return String(value);
  }
}

/** The colour that a path ends at, through its aliases; undefined where there is none. */
export function colourAt(tokens: ReadonlyMap<string, DesignToken>, path: string): Colour | undefined {
  const token = follow(tokens, path);
  return token?.type === "color" ? token.value as Colour : undefined; // Checked when it was read.
}

/** The path that a value refers to: "{color.ion}" → "color.ion". */
export function aliasOf(value: unknown): string | undefined {
  return typeof value === "string" ? ALIAS.exec(value)?.[1] : undefined;
}

/** The token that `path` ends at; undefined where the way is broken or goes round. */
function follow(tokens: ReadonlyMap<string, DesignToken>, path: string): DesignToken | undefined {
  const seen = new Set<string>();
  for (let at = path; !seen.has(at);) {
    seen.add(at);
    const token = tokens.get(at);
    const next = aliasOf(token?.value);
    if (next === undefined) return token;
    at = next;
  }
  return undefined;
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readGroup(
  group: Group,
  place: readonly string[],
  handedDown: string | undefined,
  tokens: Map<string, DesignToken>,
  faults: TokenFault[],
): void {
  const path = place.join(".");
  const fail = (problem: string) => void faults.push({ path, problem });
  const type = typeof group["$type"] === "string" ? group["$type"] : handedDown;
  if ("$value" in group) return readToken(group, path, type, tokens, fail);
  if (place.length > DEEPEST) return fail(`lies in more than ${DEEPEST} groups`);
  if ("$extends" in group || "$ref" in group) {
    fail("uses $extends or $ref, which are not known here: use an alias");
  }
  for (const [name, child] of Object.entries(group)) {
    if (name.startsWith("$")) continue;
    const inner = [...place, name];
    if (!NAME.test(name)) {
      faults.push({
        path: inner.join("."),
        problem: "has a name with other than letters, digits and hyphens",
      });
    } else if (!isGroup(child)) {
      faults.push({ path: inner.join("."), problem: "is neither a group nor a token: give it a $value" });
    } else if (tokens.size >= MOST_TOKENS) return fail(`holds more than ${MOST_TOKENS} tokens`);
    else readGroup(child, inner, type, tokens, faults);
  }
}

function readToken(
  { $value, $description }: Group,
  path: string,
  given: string | undefined,
  tokens: Map<string, DesignToken>,
  fail: (problem: string) => void,
): void {
  const before = tokens.get(path);
  const target = aliasOf($value);
  const type = given ?? before?.type ?? (target === undefined ? undefined : tokens.get(target)?.type);
  if (type === undefined) return fail("has no $type, neither itself nor from a group");
  if (!TYPES.includes(type)) return fail(`is of the type ${type}; known are ${TYPES.join(", ")}`);
  if (before && before.type !== type) return fail(`must stay of the type ${before.type}`);
  const description = typeof $description === "string" ? $description : before?.description;
  tokens.set(path, { path, type: type as TokenType, value: $value, description }); // One of TYPES.
}

function findProblem(token: DesignToken, tokens: ReadonlyMap<string, DesignToken>): string | undefined {
  const target = aliasOf(token.value);
  if (target === undefined) return problemOf(token.type, token.value, tokens);
  if (!tokens.has(target)) return `refers to ${target}, which does not exist`;
  const end = follow(tokens, token.path);
  if (!end) return `refers to itself through ${target}, or to a token that is wrong`;
  return end.type === token.type
    ? undefined
    : `is of the type ${token.type} and refers to one of ${end.type}`;
}

/** Why `value` is no value of `type`; undefined when it is one. */
function problemOf(
  type: TokenType,
  value: unknown,
  tokens: ReadonlyMap<string, DesignToken>,
): string | undefined {
  switch (type) {
    case "color":
      return colourProblem(value);
    case "dimension":
      return isAmount(value, ["px", "rem"]) ? undefined : 'must be a length like {"value": 4, "unit": "px"}';
    case "duration":
      return isAmount(value, ["ms", "s"]) ? undefined : 'must be a time like {"value": 120, "unit": "ms"}';
    case "number":
      return isNumber(value) ? undefined : "must be a number";
    case "fontWeight":
      return isNumber(value, 1, 1000) ? undefined : "must be a number from 1 to 1000";
    case "cubicBezier":
      return Array.isArray(value) && value.length === 4 && value.every((one) => isNumber(one, -10, 10)) &&
          isNumber(value[0], 0, 1) && isNumber(value[2], 0, 1)
        ? undefined
        : "must be four numbers, the first and third from 0 to 1";
    case "fontFamily": {
      const names = Array.isArray(value) ? value : [value];
      return names.length > 0 && names.length <= 10 &&
          names.every((name) => typeof name === "string" && FONT.test(name))
        ? undefined
        : "must be the names of fonts: letters, digits, spaces, dots and hyphens";
    }
    case "shadow":
      return shadowProblem(value, tokens);
  }
}

function colourProblem(value: unknown): string | undefined {
  if (!isGroup(value)) return 'must be a colour like {"colorSpace": "oklch", "components": [0.8, 0.1, 200]}';
  const { colorSpace, components, alpha = 1 } = value;
  if (colorSpace !== "oklch" && colorSpace !== "srgb") return "must have the colour space oklch or srgb";
  const [one, two, three] = Array.isArray(components) && components.length === 3 ? components : [];
  const isInRange = colorSpace === "oklch"
    ? isNumber(one, 0, 1) && isNumber(two, 0, 0.5) && isNumber(three, 0, 360)
    : isNumber(one, 0, 1) && isNumber(two, 0, 1) && isNumber(three, 0, 1);
  if (!isInRange) {
    return colorSpace === "oklch"
      ? "must have a lightness from 0 to 1, a chroma from 0 to 0.5 and a hue from 0 to 360"
      : "must have red, green and blue from 0 to 1";
  }
  return isNumber(alpha, 0, 1) ? undefined : "must have an alpha from 0 to 1";
}

function shadowProblem(value: unknown, tokens: ReadonlyMap<string, DesignToken>): string | undefined {
  for (const one of Array.isArray(value) ? value : [value]) {
    if (!isGroup(one)) return "must be a shadow with color, offsetX, offsetY, blur and spread";
    const target = aliasOf(one["color"]);
    const problem = target === undefined
      ? colourProblem(one["color"])
      : follow(tokens, target)?.type === "color"
      ? undefined
      : `refers to ${target}, which is no colour`;
    if (problem !== undefined) return `has a color that ${problem}`;
    for (const name of ["offsetX", "offsetY", "blur", "spread"]) {
      if (!isAmount(one[name], ["px", "rem"])) return `must have a length as ${name}`;
    }
  }
  return undefined;
}

function isNumber(value: unknown, least = -1e6, most = 1e6): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= least && value <= most;
}

function isAmount(value: unknown, units: readonly string[]): boolean {
  return isGroup(value) && isNumber(value["value"]) && units.includes(String(value["unit"]));
}

function amount({ value, unit }: { readonly value: number; readonly unit: string }): string {
  return `${value}${unit}`;
}

function quoteFont(name: string): string {
  return name.includes(" ") ? `"${name}"` : name;
}

function shadow({ color, offsetX, offsetY, blur, spread, inset }: Shadow): string {
  const target = aliasOf(color);
  const paint = target === undefined ? cssColour(color as Colour) : `var(${propertyOf(target)})`; // Else it is one.
  return `${inset ? "inset " : ""}${[offsetX, offsetY, blur, spread].map(amount).join(" ")} ${paint}`;
}
