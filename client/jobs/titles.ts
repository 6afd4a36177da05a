import { defineWords } from "#client/core/words.ts";

/** Names of panels and places: the shell shows them before anything else of the slice is fetched. */
export const title = defineWords({
  en: {
    queue: "Queue",
    job: "Job",
    tray: "Job tray",
  },
  de: {
    queue: "Warteschlange",
    job: "Auftrag",
    tray: "Auftragsleiste",
  },
});
