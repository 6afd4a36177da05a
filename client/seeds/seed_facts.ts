import { formatDecimal, formatDuration } from "#client/core/format.ts";
import { locale } from "#client/core/words.ts";
import type { State } from "#client/ui/state_mark.ts";
import type { Seed } from "#server/seeds/contract.ts";
import type { SeedJob } from "./seed_work.ts";
import { w } from "./words.ts";

/** From here two faces count as one person's, and below that as hardly one person's. */
const SAME = 0.8;
const PERHAPS = 0.5;

export type Verdict = "same" | "perhaps" | "another";

export function verdictOf(likeness: number): Verdict {
  return likeness >= SAME ? "same" : likeness >= PERHAPS ? "perhaps" : "another";
}

/** "0.93": a likeness, cut and not rounded, so that 1.00 means it. */
export function showLikeness(likeness: number): string {
  return formatDecimal(Math.floor(likeness * 100) / 100, 2);
}

export function showPercent(ratio: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent" }).format(ratio);
}

/** How it stands with a seed, as a shape and a word. */
export function stateOf(seed: Seed, job: SeedJob | undefined): readonly [State, string] {
  switch (seed.status) {
    case "making":
      return makingState(job);
    case "failed":
      return ["failed", w("failed")];
    case "cancelled":
      return ["off", w("cancelled")];
    case "rejected":
      return ["off", w("rejected")];
    case "hero":
      return seed.approvedAt
        ? ["good", `${w("hero")} · ${w("approved")}`]
        : ["attention", `${w("hero")} · ${w("notApproved")}`];
    case "kept":
      return ["good", w("kept")];
    case "candidate":
      return ["good", w("ready")];
  }
}

function makingState(job: SeedJob | undefined): readonly [State, string] {
  if (!job || job.status === "queued" || job.status === "blocked") return ["queued", w("waits")];
  if (job.status === "held") return ["waiting", w("held")];
  if (job.kind === "seeds.measure") return ["running", w("measuring")];
  return ["running", w(job.kind === "comfy.generate" ? "generating" : "lookingInto")];
}

/** "3 minutes ago", in the reader's language. */
export function ago(instant: string, now: number = Date.now()): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return format.format(unit === "second" ? 0 : Math.round(seconds / size), unit);
}

/** Where a seed comes from, as a line of facts. */
export function provenanceOf(seed: Seed, source: Seed | undefined): string {
  const { madeWith, randomSeed, origin } = seed;
  if (origin === "given") return w("given", { ago: ago(seed.createdAt) });
  const from = source?.kind === "portrait"
    ? w("derivedFromA")
    : source
    ? w("derivedFromB")
    : w("derivedFromOther");
  return [
    from,
    madeWith ? w("madeBy", { workflow: madeWith.workflowTitle }) : "",
    madeWith?.workerName ? w("madeOn", { worker: madeWith.workerName }) : "",
    madeWith?.tookMs == null ? "" : w("took", { time: formatDuration(madeWith.tookMs) }),
    randomSeed === null ? "" : w("randomSeed", { n: String(randomSeed) }),
  ].filter(Boolean).join(" · ");
}

/** The picture of a seed in the size that fits: small for tiles, the working image for looking closely. */
export function pictureOf({ assetId, status }: Seed, size: "small" | "large"): string | undefined {
  if (assetId === null || status === "making" || status === "failed") return undefined;
  return `/api/assets/${assetId}/derivatives/${size === "small" ? "thumbnail" : "working_image"}`;
}
