import { writeNumber } from "./numbers.ts";
import { defineWords, locale } from "./words.ts";

const w = defineWords({
  en: { justNow: "just now", ago: "{time} ago" },
  de: { justNow: "gerade eben", ago: "vor {time}" },
});
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** "1,234". */
export function formatCount(count: number): string {
  return writeNumber(locale(), count);
}

/** "0.91": with as many places as asked. */
export function formatDecimal(value: number, places: number): string {
  return writeNumber(locale(), value, { places });
}

/** "3 workers", "1 worker": a count with its noun; `plural` where an s does not do. */
export function formatNumbered(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** "412 GB": a size in decimal units, three digits at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const places = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${writeNumber(locale(), value, { places, isPlain: true })} ${UNITS[unit]}`;
}

/** "4 s", "12 min", "3 h 05 min", "2 d 4 h": how long, as coarsely as people say it. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "just now", "12 min ago": how long before `now` the instant was. */
export function formatAgo(instant: string, now: number): string {
  const ms = now - new Date(instant).getTime();
  return ms < 5_000 ? w("justNow") : w("ago", { time: formatDuration(ms) });
}

/** "42 %": a ratio of 0–1; 100 only when all is done. */
export function formatPercent(ratio: number): string {
  return `${ratio >= 1 ? 100 : Math.min(99, Math.floor(ratio * 100))} %`;
}
