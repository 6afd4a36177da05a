import { statfs } from "node:fs/promises";
import type { HostVitals } from "#server/fleet/contract.ts";

/** Counters that only grow: two readings make a rate. */
export interface Counters {
  readonly at: number;
  readonly cpu: { readonly busy: number; readonly total: number } | undefined;
  readonly network: { readonly received: number; readonly sent: number } | undefined;
}

/** The first line of /proc/stat. */
export function readCpu(text: string): Counters["cpu"] {
  const fields = /^cpu\s+(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/).map(Number);
  if (!fields || fields.length < 5 || fields.some((field) => !Number.isFinite(field))) return undefined;
  // Guest time is counted in user time already.
  const total = fields.slice(0, 8).reduce((sum, field) => sum + field, 0);
  const [, , , idle = 0, waiting = 0] = fields;
  return { busy: total - idle - waiting, total };
}

/** /proc/net/dev, all interfaces but the loopback. */
export function readNetwork(text: string): Counters["network"] {
  let [received, sent, count] = [0, 0, 0];
  for (const line of text.split("\n")) {
    const [, name = "", rest = ""] = /^\s*([^:]+):\s*(.+)$/.exec(line) ?? [];
    const fields = rest.trim().split(/\s+/).map(Number);
    if (name === "" || name === "lo" || fields.length < 9) continue;
    received += fields[0] ?? 0;
    sent += fields[8] ?? 0;
    count++;
  }
  return count === 0 || !Number.isFinite(received + sent) ? undefined : { received, sent };
}

/** Reads how the studio's own machine is, each time with the rates since the time before. Null is "no data". */
export class HostReader {
  readonly #folder: string;
  #last: Counters | undefined;

  /** @param folder On the disk that is looked at. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(): Promise<HostVitals> {
    const [stat, net, disk] = await Promise.all([
      Deno.readTextFile("/proc/stat").catch(() => ""),
      Deno.readTextFile("/proc/net/dev").catch(() => ""),
      statfs(this.#folder).catch(() => undefined),
    ]);
    const counters = { at: performance.now(), cpu: readCpu(stat), network: readNetwork(net) };
    const rates = ratesOf(this.#last, counters);
    this.#last = counters;
    const { total, available } = Deno.systemMemoryInfo();
    const diskTotal = disk === undefined ? null : disk.blocks * disk.bsize;
    return {
      at: new Date().toISOString(),
      ...rates,
      memoryUsedBytes: total > 0 ? total - available : null,
      memoryTotalBytes: total > 0 ? total : null,
      diskUsedBytes: disk === undefined ? null : (disk.blocks - disk.bavail) * disk.bsize,
      diskTotalBytes: diskTotal,
    };
  }
}

/** What went on between two readings; null where one of them is missing or a counter began anew. */
export function ratesOf(
  before: Counters | undefined,
  now: Counters,
): Pick<HostVitals, "cpuPercent" | "receivedBytesPerSecond" | "sentBytesPerSecond"> {
  const seconds = before === undefined ? 0 : (now.at - before.at) / 1000;
  const rate = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined || to < from || seconds <= 0 ? null : (to - from) / seconds;
  const total = (now.cpu?.total ?? 0) - (before?.cpu?.total ?? 0);
  const busy = (now.cpu?.busy ?? 0) - (before?.cpu?.busy ?? 0);
  return {
    cpuPercent: before?.cpu && now.cpu && total > 0 && busy >= 0 ? Math.min(100, 100 * busy / total) : null,
    receivedBytesPerSecond: rate(before?.network?.received, now.network?.received),
    sentBytesPerSecond: rate(before?.network?.sent, now.network?.sent),
  };
}
