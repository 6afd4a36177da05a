import * as z from "zod/mini";
import { GpuVitals } from "#server/fleet/contract.ts";
import { asRecord, asText } from "./json.ts";

/** What the driver's own tool says of one GPU now; null where it says nothing. */
export const GpuReading = z.object({
  index: z.int().check(z.nonnegative()),
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  ...GpuVitals.shape,
});
export type GpuReading = Readonly<z.infer<typeof GpuReading>>;

/** What is asked of `nvidia-smi`, in the order of a line. */
export const NVIDIA_FIELDS = [
  "index",
  "name",
  "utilization.gpu",
  "memory.used",
  "memory.total",
  "temperature.gpu",
  "power.draw",
  "fan.speed",
  "clocks.sm",
] as const;

const MIB = 1024 * 1024;

/** One line of `nvidia-smi --format=csv,noheader,nounits`; undefined for anything else, an error message say. */
export function readNvidiaLine(line: string): GpuReading | undefined {
  const fields = line.split(",").map((field) => field.trim());
  if (fields.length !== NVIDIA_FIELDS.length) return undefined;
  const [index = "", name = "", use, used, total, celsius, watts, fan, clock] = fields;
  if (!/^\d{1,3}$/.test(index) || name === "") return undefined;
  return {
    index: Number(index),
    name,
    gpuPercent: readNumber(use),
    vramUsedBytes: scale(readNumber(used), MIB),
    vramTotalBytes: scale(readNumber(total), MIB),
    celsius: readNumber(celsius),
    watts: readNumber(watts),
    fanPercent: readNumber(fan),
    clockMhz: readNumber(clock),
  };
}

/** The cards in what `rocm-smi --json` printed; none when it can't be read. */
export function readRocm(text: string): GpuReading[] {
  let cards: Record<string, unknown> | undefined;
  try {
    cards = asRecord(JSON.parse(text));
  } catch {
    return [];
  }
  return Object.entries(cards ?? {}).flatMap(([key, value]) => {
    const card = asRecord(value);
    const index = /^card(\d{1,3})$/.exec(key)?.[1];
    if (index === undefined || card === undefined) return [];
    // The names of the fields differ from version to version.
    const find = (pattern: RegExp) =>
      asText(
        Object.entries(card).find(([name, item]) => pattern.test(name) && asText(item) !== undefined)?.[1],
      );
    return [{
      index: Number(index),
      name: find(/^card series$/i) ?? find(/^card model$/i) ?? key,
      gpuPercent: readNumber(find(/^gpu use/i)),
      vramUsedBytes: readNumber(find(/^vram total used memory/i)),
      vramTotalBytes: readNumber(find(/^vram total memory/i)),
      celsius: readNumber(find(/^temperature \(sensor (edge|junction)\)/i)),
      watts: readNumber(find(/(graphics package|socket) power/i)),
      fanPercent: readNumber(find(/^fan speed \(%\)/i)),
      clockMhz: readNumber(find(/^sclk clock speed/i)?.replace(/^\((.*)Mhz\)$/i, "$1")),
    }];
  }).sort((one, other) => one.index - other.index);
}

/** A plain number and nothing else: "[N/A]", "[Not Supported]", "ERR!" and the empty word are no data, not 0. */
export function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,18}(\.\d{1,6})?$/.test(text) ? Number(text) : null;
}

function scale(value: number | null, by: number): number | null {
  return value === null ? null : value * by;
}

/**
 * The GPU of this machine that a ComfyUI calls "cuda:0 NVIDIA GeForce RTX 4090 : native": by its name, and of several
 * of one name by its number. Undefined where that is not sure to be it.
 */
export function matchGpu(device: string, readings: readonly GpuReading[]): GpuReading | undefined {
  const named = readings.filter(({ name }) => device.includes(name));
  if (named.length === 1) return named[0];
  const index = /\b(?:cuda|hip|xpu):(\d+)/.exec(device)?.[1];
  return named.find((reading) => String(reading.index) === index);
}
