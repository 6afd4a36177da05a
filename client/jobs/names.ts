import type { Lane } from "#server/core/job_kind.ts";
import { w } from "./words.ts";

const KINDS = {
  "comfy.generate": "kindGenerate",
  "media.inspect": "kindInspect",
  "media.proxy": "kindProxy",
  "seeds.measure": "kindMeasureSeed",
  "clips.ingest_take": "kindIngest",
  "clips.measure_take": "kindMeasureTake",
  "clips.stitch": "kindStitch",
  "clips.measure_cut": "kindMeasureCut",
  "scenes.assemble": "kindAssemble",
} as const;

/** What people call the kind of work; a kind of a newer studio as the studio calls it. */
export function kindName({ kind, label }: { readonly kind: string; readonly label: string }): string {
  return Object.hasOwn(KINDS, kind) ? w(KINDS[kind as keyof typeof KINDS]) : label;
}

export function laneName(lane: Lane): string {
  return w(LANE_WORDS[lane]);
}

const LANE_WORDS = { gpu: "laneGpu", cpu: "laneCpu", io: "laneIo", script: "laneScript" } as const;
