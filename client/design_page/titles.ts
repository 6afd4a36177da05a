import { defineWords } from "#client/core/words.ts";

/** Names of panels and places: the shell shows them before anything else of the slice is fetched. */
export const title = defineWords({
  en: {
    gallery: "Elements and tokens",
    themeEditor: "Theme editor",
    design: "Design",
    settings: "colours sizes contrast tokens theme editor",
  },
  de: {
    gallery: "Elemente und Tokens",
    themeEditor: "Themen-Editor",
    design: "Gestaltung",
    settings: "Farben Größen Kontrast Tokens Themen-Editor",
  },
});
