/** Making a format takes longer than drawing a tile: each is made once. */
const formats = new Map<string, Intl.NumberFormat>();
const rules = new Map<string, Intl.PluralRules>();

/** How a number is written: `places` after the point, up to three without it; `isPlain` leaves out the groups. */
export interface NumberStyle {
  readonly places?: number;
  readonly isPlain?: boolean;
}

/** A number as the language writes it: "1,234.5" in English, "1.234,5" in German. */
export function writeNumber(language: string, value: number, { places, isPlain }: NumberStyle = {}): string {
  // Most counts are small. The first format has the browser read its tables, which takes longer than a whole panel.
  if (!places && Number.isInteger(value) && value >= 0 && value < 1000) return String(value);
  const key = `${language} ${places} ${isPlain}`;
  const format = formats.get(key) ?? new Intl.NumberFormat(language, {
    ...(places === undefined ? {} : { minimumFractionDigits: places, maximumFractionDigits: places }),
    useGrouping: !isPlain,
  });
  formats.set(key, format);
  return format.format(value);
}

/** Whether the language says this many in the singular. */
export function isSingular(language: string, n: number): boolean {
  const rule = rules.get(language) ?? new Intl.PluralRules(language);
  rules.set(language, rule);
  return rule.select(n) === "one";
}
