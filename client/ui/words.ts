import { defineWords } from "#client/core/words.ts";

/** The few words that elements of the design system say by themselves. */
export const w = defineWords({
  en: {
    close: "Close",
    copied: "Copied",
    copy: "Copy",
    dropHere: "Drop here",
    loading: "Loading …",
    more: "More",
    nothingFound: "Nothing fits",
    resize: "Resize",
    selectAll: "Select all",
    selected: { one: "{n} selected", other: "{n} selected" },
    sortedDown: "sorted, greatest first",
    sortedUp: "sorted, least first",
  },
  de: {
    close: "Schließen",
    copied: "Kopiert",
    copy: "Kopieren",
    dropHere: "Hier ablegen",
    loading: "Wird geladen …",
    more: "Mehr",
    nothingFound: "Nichts passt",
    resize: "Größe ändern",
    selectAll: "Alle auswählen",
    selected: { one: "{n} ausgewählt", other: "{n} ausgewählt" },
    sortedDown: "sortiert, das Größte zuerst",
    sortedUp: "sortiert, das Kleinste zuerst",
  },
});
