import { cssOf, propertyOf, readTokenFiles } from "./design_tokens.ts";

/** A theme's own token files and what a studio changes of it. */
export interface ThemeLayer {
  readonly name: string;
  readonly isHighContrast: boolean;
  readonly files: readonly unknown[];
  readonly own: unknown;
}

/**
 * The stylesheet that lays a studio's tokens over the themes that Seedloop comes with: only what is changed, each in
 * its theme. Tokens with a fault are left out. Who asks the system for more contrast keeps Seedloop's high contrast.
 */
export function studioCss(layers: readonly ThemeLayer[]): string {
  return layers.map((layer) => {
    const lines = declarations(layer);
    if (lines.length === 0) return "";
    const rule = `:root[data-theme="${layer.name}"] {\n${lines.join("\n")}\n}\n`;
    return layer.isHighContrast ? rule : `@media not (prefers-contrast: more) {\n${rule}}\n`;
  }).join("");
}

/** The paths that a token file gives a value, in its order. */
export function writtenPaths(file: unknown, place: readonly string[] = []): string[] {
  if (typeof file !== "object" || file === null || Array.isArray(file)) return [];
  if ("$value" in file) return [place.join(".")];
  return Object.entries(file).flatMap(([name, child]) =>
    name.startsWith("$") ? [] : writtenPaths(child, [...place, name])
  );
}

function declarations({ files, own }: ThemeLayer): string[] {
  const { tokens } = readTokenFiles([...files, own]);
  return writtenPaths(own).flatMap((path) => {
    const token = tokens.get(path);
    return token ? [`  ${propertyOf(path)}: ${cssOf(token)};`] : [];
  });
}
