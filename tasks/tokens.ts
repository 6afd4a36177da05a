/** Compiles client/design/tokens.json to tokens.css. With --check it only tells whether that is fresh. */
const SOURCE = new URL(import.meta.resolve("#client/design/tokens.json"));
const TARGET = new URL(import.meta.resolve("#client/design/tokens.css"));

interface Token {
  readonly $value: string | string[] | { readonly dark: string; readonly light: string };
}

/** The stylesheet of the tokens: one custom property each, `--<group>-<name>`; colours follow the theme. */
export async function compileTokens(): Promise<string> {
  const groups = JSON.parse(await Deno.readTextFile(SOURCE)) as Record<string, Record<string, Token>>;
  const lines: string[] = [];
  for (const [group, tokens] of Object.entries(groups)) {
    if (group.startsWith("$")) continue;
    for (const [name, token] of Object.entries(tokens)) {
      if (!name.startsWith("$")) lines.push(`  --${group}-${name}: ${cssValue(token.$value)};`);
    }
  }
  return [
    "/* Written by `deno task tokens` from tokens.json. */",
    ":root {",
    "  color-scheme: dark light;",
    ...lines,
    "}",
    ':root[data-theme="dark"] { color-scheme: dark; }',
    ':root[data-theme="light"] { color-scheme: light; }',
    "",
  ].join("\n");
}

function cssValue(value: Token["$value"]): string {
  if (Array.isArray(value)) return value.map((name) => name.includes(" ") ? `"${name}"` : name).join(", ");
  return typeof value === "string" ? value : `light-dark(${value.light}, ${value.dark})`;
}

if (import.meta.main) {
  const css = await compileTokens();
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(TARGET, css);
  else if (await Deno.readTextFile(TARGET) !== css) {
    console.error("client/design/tokens.css is not fresh: run deno task tokens");
    Deno.exit(1);
  }
}
