/** Compiles client/design/tokens.json to tokens.css. With --check it only tells whether that is fresh. */
const SOURCE = new URL(import.meta.resolve("#client/design/tokens.json"));
const TARGET = new URL(import.meta.resolve("#client/design/tokens.css"));

interface Themed {
  readonly dark: string;
  readonly light: string;
}

interface Token {
  /** A colour has one value per theme, and may have others where the person asks for more contrast. */
  readonly $value: string | readonly string[] | (Themed & { readonly more?: Themed });
}

export type TokenGroups = Readonly<Record<string, Readonly<Record<string, Token>>>>;

/** The design tokens as they are written: group → name → token. */
export async function readTokens(): Promise<TokenGroups> {
  const { $description: _, ...groups } = JSON.parse(await Deno.readTextFile(SOURCE));
  return groups;
}

/** The stylesheet of `groups`: one custom property each, `--<group>-<name>`; colours follow theme and contrast. */
export function compileTokens(groups: TokenGroups): string {
  const lines: string[] = [];
  const more: string[] = [];
  for (const [group, tokens] of Object.entries(groups)) {
    for (const [name, token] of Object.entries(tokens)) {
      if (name.startsWith("$")) continue;
      const value = token.$value;
      lines.push(`--${group}-${name}: ${cssValue(value)};`);
      if (typeof value === "object" && "more" in value && value.more) {
        more.push(`--${group}-${name}: ${cssValue(value.more)};`);
      }
    }
  }
  return [
    "/* Written by `deno task tokens` from tokens.json. */",
    ":root {",
    "  color-scheme: dark;",
    ...lines.map((line) => `  ${line}`),
    "}",
    ':root[data-theme="light"] {',
    "  color-scheme: light;",
    "}",
    "@media (prefers-contrast: more) {",
    "  :root {",
    ...more.map((line) => `    ${line}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

function cssValue(value: Token["$value"]): string {
  if (typeof value === "string") return value;
  if ("dark" in value) return `light-dark(${value.light}, ${value.dark})`;
  return value.map((name) => name.includes(" ") ? `"${name}"` : name).join(", ");
}

if (import.meta.main) {
  const css = compileTokens(await readTokens());
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(TARGET, css);
  else if (await Deno.readTextFile(TARGET) !== css) {
    console.error("client/design/tokens.css is not fresh: run deno task tokens");
    Deno.exit(1);
  }
}
