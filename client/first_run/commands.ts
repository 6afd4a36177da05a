import type { Command } from "#client/core/commands.ts";
import { go } from "#client/core/place.ts";
import { firstRun } from "./first_run_store.ts";
import { w } from "./words.ts";

const group = () => w("firstRun");
const sample = () => firstRun.facts.sample;

/** The first steps in a new studio. */
export const firstRunCommands: readonly Command[] = [
  {
    id: "first_run.sample",
    label: () => w(sample() && sample()?.step !== "none" ? "sampleGo" : "sample"),
    group,
    icon: "sparkles",
    permission: "project.create",
    when: () => {
      const { studio } = firstRun.facts;
      return sample()?.step !== "ready" && sample()?.step !== "clip" && (studio?.workers.online ?? 1) > 0;
    },
    whyNot: () =>
      w(sample()?.step === "ready" ? "sampleDone" : sample()?.step === "clip" ? "sampleRuns" : "noWorker"),
    run: async () => {
      go({ screen: "first-run" });
      await firstRun.make();
    },
  },
  {
    id: "first_run.open_clip",
    label: () => w("sampleOpen"),
    group,
    icon: "film",
    permission: "project.read",
    when: () => Boolean(sample()?.clip),
    whyNot: () => w("sampleText"),
    run: () => {
      const { projectId, clip } = sample() ?? {};
      if (projectId && clip) go({ projectId, entity: { kind: "clip", id: clip.clipId } });
    },
  },
  {
    id: "first_run.open_project",
    label: () => w("sampleProject"),
    group,
    icon: "folderOpen",
    permission: "project.read",
    when: () => Boolean(sample()?.projectId),
    whyNot: () => w("sampleText"),
    run: () => {
      const projectId = sample()?.projectId;
      if (projectId) go({ projectId });
    },
  },
  {
    id: "first_run.read",
    label: () => w("read"),
    group,
    icon: "refresh",
    permission: null,
    run: () => firstRun.read(),
  },
];
