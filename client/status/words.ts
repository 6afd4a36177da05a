import { defineWords, type Words } from "#client/core/words.ts";

const EN = { status: "Status" } as const;

/** The words of the status panel's frame; what it says inside is in English still. */
export const w: Words<typeof EN> = defineWords({ en: EN, de: { status: "Zustand" } });
