import type { DesignToken } from "#server/core/design_tokens.ts";
import all from "#client/design/tokens.json" with { type: "json" };
import contrastDark from "#client/design/tokens.contrast_dark.json" with { type: "json" };
import contrastLight from "#client/design/tokens.contrast_light.json" with { type: "json" };
import light from "#client/design/tokens.light.json" with { type: "json" };
import review from "#client/design/tokens.review.json" with { type: "json" };
import type { ThemeName } from "#client/design/tokens.ts";

/** The token files of each theme, as tokens.resolver.json names them. */
export const THEME_FILES: Readonly<Record<ThemeName, readonly unknown[]>> = {
  dark: [all],
  light: [all, light],
  "contrast-dark": [all, contrastDark],
  "contrast-light": [all, contrastLight],
  review: [all, review],
};

/** Whether the theme promises high contrast. */
export function isHighContrast(name: string): boolean {
  return name.startsWith("contrast-");
}

/** A token file with `path` set to `value`; without a value, `path` is taken out and empty groups with it. */
export function writeToken(
  file: Readonly<Record<string, unknown>>,
  path: string,
  token: Pick<DesignToken, "type" | "value"> | undefined,
): Readonly<Record<string, unknown>> {
  const [name = "", ...rest] = path.split(".");
  const { [name]: before, ...others } = file;
  const group = typeof before === "object" && before !== null
    ? before as Readonly<Record<string, unknown>>
    : {};
  const inner = rest.length > 0
    ? writeToken(group, rest.join("."), token)
    : token && { $type: token.type, $value: token.value };
  const isEmpty = inner === undefined || Object.keys(inner).length === 0;
  return isEmpty ? others : { ...file, [name]: inner };
}
