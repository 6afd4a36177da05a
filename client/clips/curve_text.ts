import { formatDecimal } from "#client/core/format.ts";
import { type CurveRow, levelAt } from "./curve_facts.ts";
import { w } from "./words.ts";

interface Sample {
  readonly frame: number;
  readonly value: number;
}

/** A curve for who can't see it: what it is, its lowest and highest value, and where its gates fail or remark. */
export function describeCurve(row: CurveRow): string {
  const samples = row.parts.flatMap(({ from, span, values }) =>
    values.flatMap((value, n): Sample[] =>
      value === null ? [] : [{ frame: Math.floor(from + n * span / values.length), value }]
    )
  );
  const [first] = samples;
  if (!first) return `${row.name}: ${row.meaning}. ${w("notMeasured")}.`;
  const low = samples.reduce((least, each) => each.value < least.value ? each : least, first);
  const high = samples.reduce((most, each) => each.value > most.value ? each : most, first);
  const told = (level: "warn" | "fail") =>
    rangesOf(
      samples.filter(({ frame, value }) => levelAt(row, value, frame) === level).map(({ frame }) => frame),
    );
  const [fails, warns] = [told("fail"), told("warn")];
  return [
    `${row.name} · ${row.source}: ${row.meaning}`,
    w("lowestHighest", {
      low: formatDecimal(low.value, 2),
      lowAt: low.frame,
      high: formatDecimal(high.value, 2),
      highAt: high.frame,
    }),
    fails ? w("failsAt", { frames: fails }) : "",
    warns ? w("warnsAt", { frames: warns }) : "",
    ...row.marks.map(({ at, text }) => `${w("seam", { frame: at })}: ${text}`),
    fails || warns || row.marks.length > 0 ? "" : w(row.limits.length > 0 ? "inLimits" : "noLimits"),
  ].filter((part) => part !== "").map((part) => `${part}.`).join(" ");
}

/** "3–8, 20": frames in order, those side by side as one. */
function rangesOf(frames: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const frame of frames) {
    const last = ranges.at(-1);
    if (last && frame <= last[1] + 2) last[1] = frame;
    else ranges.push([frame, frame]);
  }
  return ranges.map(([from, to]) => from === to ? String(from) : `${from}–${to}`).join(", ");
}
