import { defineWords } from "#client/core/words.ts";

/** Names of panels and places: the shell shows them before anything else of the slice is fetched. */
export const title = defineWords({
  en: {
    firstRun: "First steps",
  },
  de: {
    firstRun: "Erste Schritte",
  },
});
