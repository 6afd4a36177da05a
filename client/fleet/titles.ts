import { defineWords } from "#client/core/words.ts";

/** Names of panels and places: the shell shows them before anything else of the slice is fetched. */
export const title = defineWords({
  en: {
    workers: "Workers",
    settings: "ComfyUI GPU address start command restart temperature VRAM watch dog workflows care",
  },
  de: {
    workers: "Worker",
    settings: "ComfyUI GPU Adresse Startbefehl Neustart Temperatur VRAM Wächter Workflows Pflege",
  },
});
