import { defineWords } from "#client/core/words.ts";

/** Names of panels and places: the shell shows them before anything else of the slice is fetched. */
export const title = defineWords({
  en: {
    clip: "Clip",
    timeline: "Timeline",
    settings: "Clip settings",
  },
  de: {
    clip: "Clip",
    timeline: "Zeitachse",
    settings: "Clip-Einstellungen",
  },
});
