/**
 * Compiles the token files of client/design to tokens.css, tokens.ts and review_surround.ts. With --check it only
 * tells whether these are fresh.
 */
import { cssOf, type DesignToken, propertyOf, readTokenFiles } from "#server/core/design_tokens.ts";
import { readThemeFiles } from "#server/settings/theme_files.ts";

const FOLDER = new URL(import.meta.resolve("#client/design/"));

/** One theme, whole: the tokens of all files that make it, later over earlier. */
export interface CompiledTheme {
  /** "dark", "contrast-light": what `data-theme` says. */
  readonly name: string;
  readonly scheme: "dark" | "light";
  readonly isHighContrast: boolean;
  readonly tokens: ReadonlyMap<string, DesignToken>;
  /** Paths whose value differs from the first theme's. */
  readonly changed: readonly string[];
}

/** All themes, the default one first. Throws an Error that names each wrong token. */
export async function readThemes(): Promise<readonly CompiledTheme[]> {
  return (await readThemeFiles()).map(({ name, scheme, isHighContrast, files }, _at, [first]) => {
    const { tokens, faults } = readTokenFiles(files);
    if (faults.length > 0) {
      throw new Error(
        `Cannot compile the theme ${name}: ` +
          faults.map(({ path, problem }) => `${path} ${problem}`).join("; "),
      );
    }
    const plain = readTokenFiles(first?.files ?? []).tokens;
    const changed = [...tokens.values()].filter((token) => cssOf(token) !== textAt(plain, token.path));
    return { name, scheme, isHighContrast, tokens, changed: changed.map(({ path }) => path) };
  });
}

/** The stylesheet of all themes: a custom property per token, chosen by `data-theme` and by what the system asks for. */
export function compileCss(themes: readonly CompiledTheme[]): string {
  const [first, ...others] = themes;
  if (!first) throw new Error("Cannot compile tokens: there is no theme");
  const blocks = [
    block(":root", first, [...first.tokens.keys()]),
    ...others.map((theme) => block(`:root[data-theme="${theme.name}"]`, theme, theme.changed)),
    // Who asked the system for more contrast gets it, unless a person has chosen here.
    media("(prefers-contrast: more)", [
      ...highOf(themes, "dark", ':root:is(:not([data-theme]), [data-theme="dark"])'),
      ...highOf(themes, "light", ':root[data-theme="light"]'),
    ]),
    media("(prefers-reduced-motion: reduce)", [`:root {\n  ${propertyOf("motion.fast")}: 0ms;\n}`]),
  ];
  return `${header("/*", " */")}\n${blocks.join("\n")}\n`;
}

/** Names and numbers for code that must know them: lengths in pixels, times in milliseconds. */
export function compileModule(themes: readonly CompiledTheme[]): string {
  const tokens = [...themes[0]?.tokens.values() ?? []];
  const numbers = tokens.filter(({ type, value }) =>
    (type === "dimension" || type === "duration") && typeof value === "object"
  );
  const numberOf = ({ value }: DesignToken) => (value as { readonly value: number }).value; // As filtered above.
  return [
    header("//", ""),
    "",
    "/** Themes by the name that `data-theme` takes, the default one first. */",
    `export const THEMES = [${themes.map(({ name }) => `"${name}"`).join(", ")}] as const;`,
    "export type ThemeName = (typeof THEMES)[number];",
    "",
    "/** Lengths in pixels and times in milliseconds as they are written; CSS takes var(--…), which follows the theme. */",
    "export const TOKENS = {",
    ...numbers.map((token) => `  "${token.path}": ${numberOf(token)},`),
    "} as const;",
    "",
  ].join("\n");
}

/** The review theme as a style for one element: `surround="neutral"` puts it on neutral grey in any theme. */
export function compileSurround(themes: readonly CompiledTheme[]): string {
  const review = themes.find(({ name }) => name === "review");
  if (!review) throw new Error("Cannot compile the surround: there is no theme called review");
  const lines = declarations(review, review.changed).map((line) => `    ${line}`);
  return [
    header("//", ""),
    'import { css } from "lit";',
    "",
    "/**",
    ' * Puts an element that has `surround="neutral"` on the neutral grey of the review theme, whatever theme shows around',
    " * it: pictures are judged on it.",
    " */",
    "export const reviewSurround = css`",
    '  :host([surround="neutral"]) {',
    "    color-scheme: dark;",
    "    color: var(--color-text);",
    "    background: var(--color-ground);",
    ...lines,
    "  }",
    "`;",
    "",
  ].join("\n");
}

function header(open: string, close: string): string {
  return `${open} Written by \`deno task tokens\` from the token files beside it.${close}`;
}

function block(selector: string, theme: CompiledTheme, paths: readonly string[]): string {
  const lines = [`color-scheme: ${theme.scheme};`, ...declarations(theme, paths)];
  return `${selector} {\n${lines.map((line) => `  ${line}`).join("\n")}\n}`;
}

function declarations({ tokens }: CompiledTheme, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const token = tokens.get(path);
    return token ? [`${propertyOf(path)}: ${cssOf(token)};`] : [];
  });
}

function highOf(themes: readonly CompiledTheme[], scheme: "dark" | "light", selector: string): string[] {
  const theme = themes.find((one) => one.isHighContrast && one.scheme === scheme);
  return theme ? [block(selector, theme, theme.changed)] : [];
}

function media(query: string, blocks: readonly string[]): string {
  return `@media ${query} {\n${blocks.join("\n").replaceAll(/^/gm, "  ")}\n}`;
}

function textAt(tokens: ReadonlyMap<string, DesignToken>, path: string): string | undefined {
  const token = tokens.get(path);
  return token && cssOf(token);
}

/** File name → what it must hold. */
export async function compileAll(): Promise<ReadonlyMap<string, string>> {
  const themes = await readThemes();
  return new Map([
    ["tokens.css", compileCss(themes)],
    ["tokens.ts", compileModule(themes)],
    ["review_surround.ts", compileSurround(themes)],
  ]);
}

if (import.meta.main) {
  for (const [name, text] of await compileAll()) {
    const target = new URL(name, FOLDER);
    if (!Deno.args.includes("--check")) await Deno.writeTextFile(target, text);
    else if (await Deno.readTextFile(target).catch(() => "") !== text) {
      console.error(`client/design/${name} is not fresh: run deno task tokens`);
      Deno.exit(1);
    }
  }
}
