import { defineWords } from "#client/core/words.ts";

export const w = defineWords({
  en: {
    open: "Open the manual",
    page: "Page",
    pages: "Pages of the manual",
    next: "Next: {page}",
    opensBeside: "opens in a new tab",
    unread: "The manual could not be fetched",
    unreadMend: "The studio may have been updated or stopped.",
    tryAgain: "Try again",
    noPage: "The manual has no such page",
    noPageText: "The link may be cut short, or from another version. Choose a page from the list.",
  },
  de: {
    open: "Handbuch öffnen",
    page: "Seite",
    pages: "Seiten des Handbuchs",
    next: "Weiter: {page}",
    opensBeside: "öffnet einen neuen Tab",
    unread: "Das Handbuch ließ sich nicht holen",
    unreadMend: "Vielleicht wurde das Studio erneuert oder angehalten.",
    tryAgain: "Noch einmal versuchen",
    noPage: "Diese Seite hat das Handbuch nicht",
    noPageText:
      "Der Link ist vielleicht abgeschnitten oder aus einer anderen Version. Wähle eine Seite aus der Liste.",
  },
});
