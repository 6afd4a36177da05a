import { formatBytes, formatCount } from "#client/core/format.ts";
import { cw } from "./care_words.ts";

/** One moment of a worker or of a machine: measures by name; null is no data. */
export type Moment = { readonly at: string } & { readonly [measure: string]: number | string | null };

export interface Reading {
  readonly name: string;
  readonly label: string;
  /** What it is now, with its unit; undefined: no data. */
  readonly text: string | undefined;
  /** What the curve shows of a moment. */
  readonly value: (moment: Moment) => number | null;
  readonly low: number;
  /** Undefined: as high as it was. */
  readonly high: number | undefined;
}

type Unit = (value: number) => string;
const percent: Unit = (value) => `${Math.round(value)} %`;
const celsius: Unit = (value) => `${Math.round(value)} °C`;
const watts: Unit = (value) => `${Math.round(value)} W`;
const megahertz: Unit = (value) => `${formatCount(Math.round(value))} MHz`;
const rate: Unit = (value) => cw("perSecond", { amount: formatBytes(value) });
const count: Unit = (value) => formatCount(Math.round(value));

/**
 * Every measure that a worker, or a machine, can have; those that nobody measures say so. What an agent alone tells of
 * a worker's machine is there where one has told it.
 */
export function readings(
  of: "worker" | "host",
  now: Moment | undefined,
  hadAgent: boolean,
): readonly Reading[] {
  const one = (name: string, label: string, unit: Unit, high?: number, low = 0): Reading => {
    const value = numberOf(now, name);
    const text = value === null ? undefined : unit(value);
    return { name, label, text, value: (moment) => numberOf(moment, name), low, high };
  };
  const share = (used: string, total: string, label: string): Reading => {
    const [now1, most] = [numberOf(now, used), numberOf(now, total)];
    const text = now1 === null
      ? undefined
      : most === null
      ? formatBytes(now1)
      : cw("ofTotal", { used: formatBytes(now1), total: formatBytes(most) });
    return {
      name: used,
      label,
      text,
      value: (moment) => numberOf(moment, used),
      low: 0,
      high: most ?? undefined,
    };
  };
  const cpu = one("cpuPercent", cw("cpuPercent"), percent, 100);
  const machine = [
    share("diskUsedBytes", "diskTotalBytes", cw("disk")),
    one("receivedBytesPerSecond", cw("received"), rate),
    one("sentBytesPerSecond", cw("sent"), rate),
  ];
  return of === "worker"
    ? [
      one("gpuPercent", cw("gpuPercent"), percent, 100),
      share("vramUsedBytes", "vramTotalBytes", cw("vram")),
      one("celsius", cw("celsius"), celsius, 100, 20),
      one("watts", cw("watts"), watts),
      one("fanPercent", cw("fanPercent"), percent, 100),
      one("clockMhz", cw("clockMhz"), megahertz),
      share("ramUsedBytes", "ramTotalBytes", cw("ram")),
      one("queued", cw("queued"), count),
      ...(hadAgent ? [cpu, ...machine] : []),
    ]
    : [cpu, share("memoryUsedBytes", "memoryTotalBytes", cw("ram")), ...machine];
}

/** Whether somebody on a worker's machine told at that moment how that is. */
export function hasAgent(moment: Moment | undefined): boolean {
  return numberOf(moment, "diskUsedBytes") !== null || numberOf(moment, "cpuPercent") !== null;
}

function numberOf(moment: Moment | undefined, name: string): number | null {
  const value = moment?.[name];
  return typeof value === "number" ? value : null;
}

/** The newest value in each of `bins` equal parts of the time from `from` on; null where there is none. */
export function binned(
  moments: readonly Moment[],
  from: number,
  ms: number,
  bins: number,
  value: (moment: Moment) => number | null,
): (number | null)[] {
  const values: (number | null)[] = Array.from({ length: bins }, () => null);
  for (const moment of moments) {
    const bin = Math.floor((Date.parse(moment.at) - from) / ms * bins);
    if (bin >= 0 && bin < bins) values[bin] = value(moment) ?? values[bin] ?? null;
  }
  return values;
}
