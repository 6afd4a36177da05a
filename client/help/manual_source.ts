import { FuzzyIndex } from "#client/app/fuzzy.ts";
import { type Entry, type PaletteSource, recencyBoost } from "#client/app/palette_sources.ts";
import { openManual } from "./open_page.ts";
import { PAGES } from "./page_list.ts";
import { keywords, title } from "./titles.ts";

/** The manual's pages in the palette, by title and by what they are about; choosing one opens it. */
export const manualSource: PaletteSource = {
  id: "manual",
  label: () => title("manual"),
  prefix: "?",
  find: (query, limit) => {
    const boost = recencyBoost();
    const all = PAGES.map(({ id, icon }) => ({
      id: `help.${id}`,
      name: title(id),
      keywords: `${title("manual")} ${keywords(id)}`,
      page: id,
      icon,
    }));
    const found = query === ""
      ? all.map((item) => ({ item, score: boost(item.id), ranges: [] }))
        .toSorted((one, other) => other.score - one.score).slice(0, limit)
      : new FuzzyIndex(all).find(query, limit, ({ id }) => boost(id));
    return found.map(({ item: { id, name, page, icon }, score, ranges }): Entry => ({
      id,
      name,
      hint: title("manual"),
      icon,
      score,
      ranges,
      run: () => openManual(page),
    }));
  },
};
