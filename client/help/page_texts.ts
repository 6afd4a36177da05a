import { signal } from "@lit-labs/signals";
import { language } from "#client/core/words.ts";
import type { Pages } from "./document.ts";

type Written = "en" | "de";

const read = signal<Readonly<Partial<Record<Written, Pages>>>>({});

/** The languages that the manual is written in, each a script of its own. */
export const LOADS: Readonly<Record<Written, () => Promise<Pages>>> = {
  en: async () => (await import("./pages_en.ts")).PAGES_EN,
  de: async () => (await import("./pages_de.ts")).PAGES_DE,
};

/** The pages in the reader's language; undefined until loadPages() has fetched them. */
export function pageTexts(): Pages | undefined {
  return read.get()[written()];
}

/** Fetches the pages in the reader's language, once. Rejects where they can't be had. */
export async function loadPages(): Promise<void> {
  const wanted = written();
  if (read.get()[wanted]) return;
  const pages = await LOADS[wanted]();
  read.set({ ...read.get(), [wanted]: pages });
}

function written(): Written {
  return language() === "de" ? "de" : "en";
}
