import { signal } from "@lit-labs/signals";
import { isSingular, writeNumber } from "./numbers.ts";

/** Languages that one may choose; "pseudo" is English made longer and odd, to find text that is in no catalogue. */
export type Language = "en" | "de" | "pseudo";

/** What is counted takes `{n}` and two forms; English and German need no more. */
export interface Plural {
  readonly one: string;
  readonly other: string;
}
type Text = string | Plural;

/** The names in braces of a text: "{n} of {total}" → "n" | "total". */
type Names<T> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Facts<T> = T extends Plural ? "n" | Names<T["one"]> | Names<T["other"]> : Names<T>;
type Arguments<T> = [Facts<T>] extends [never] ? [] : [facts: Readonly<Record<Facts<T>, string | number>>];

/** A slice's words: `w("key")`, with what stands in braces as facts; `n` decides between one and other. */
export type Words<En> = <K extends keyof En & string>(key: K, ...facts: Arguments<En[K]>) => string;

const KEY = "seedloop.language";
const chosen = signal<Language>(readLanguage());

/** The language that shows: the one chosen on this browser, else the browser's own where it is known, else English. */
export function language(): Language {
  return chosen.get();
}

/** The locale for Intl: "pseudo" formats as English. */
export function locale(): string {
  return language() === "pseudo" ? "en" : language();
}

/** Keeps the choice on this browser and says it on `<html lang>`. Elements that watch signals follow at once. */
export function chooseLanguage(next: Language): void {
  globalThis.localStorage?.setItem(KEY, next);
  chosen.set(next);
  applyLanguage();
}

/** Sets the language on the page. */
export function applyLanguage(): void {
  if (globalThis.document) document.documentElement.lang = locale();
}

/**
 * A slice's texts in all languages: the same keys everywhere, by type. Placeholders are `{name}`; a number is
 * written as the language writes it. Read inside render(), so that a change of language shows.
 */
export function defineWords<const En extends Readonly<Record<string, Text>>>(
  catalogues: {
    readonly en: En;
    readonly de: { readonly [K in keyof En]: En[K] extends string ? string : Plural };
  },
): Words<En> {
  return (key, ...[facts]) => {
    const at = language();
    const texts: Readonly<Record<string, Text>> = at === "de" ? catalogues.de : catalogues.en;
    const text = texts[key] ?? key;
    const form = typeof text === "string"
      ? text
      : pluralForm(text, (facts as { n?: unknown } | undefined)?.n);
    return fill(at === "pseudo" ? pseudo(form) : form, facts ?? {});
  };
}

function pluralForm(text: Plural, n: unknown): string {
  return isSingular(locale(), Number(n)) ? text.one : text.other;
}

function fill(text: string, facts: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const fact = facts[name];
    if (fact === undefined) return whole;
    return typeof fact === "number" ? writeNumber(locale(), fact) : isolate(fact);
  });
}

/** Letters that run from right to left, and signs that turn the direction. */
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A name as it may stand within another text: one that is written the other way can't turn what is around it. */
export function isolate(text: string): string {
  return TURNS.test(text) ? `\u2068${text}\u2069` : text;
}

const ODD: Readonly<Record<string, string>> = {
  a: "å",
  e: "é",
  i: "î",
  o: "ø",
  u: "û",
  n: "ñ",
  s: "š",
  c: "ç",
};

/** "Plan {n} frames" → "[Plåñ {n} fråméš ~~~]": a third longer, with odd letters, placeholders kept. */
export function pseudo(text: string): string {
  const odd = text.replaceAll(/\{\w+\}|[aeiounsc]/g, (found) => ODD[found] ?? found);
  return `[${odd} ${"~".repeat(Math.ceil(text.length / 3))}]`;
}

function readLanguage(): Language {
  const kept = globalThis.localStorage?.getItem(KEY);
  if (kept === "en" || kept === "de" || kept === "pseudo") return kept;
  return globalThis.navigator?.language?.startsWith("de") ? "de" : "en";
}
