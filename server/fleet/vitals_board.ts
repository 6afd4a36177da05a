import { HOST } from "#server/live/contract.ts";
import type { HostVitals, WorkerVitals } from "./contract.ts";

/** What was measured in one moment or, on the average, in one minute; null is "no data". */
export type Sample = { readonly at: string } & { readonly [measure: string]: number | string | null };

/** How far back each second is kept. */
export const SECONDS_KEPT = 600;

/**
 * Holds the last ten minutes of samples, second by second, and hands on each minute that is over as its averages.
 * Minutes are those of the samples, so it needs no clock of its own.
 */
export class VitalsBoard {
  readonly #seconds = new Map<string, Sample[]>();
  readonly #minutes = new Map<string, { readonly minute: string; readonly samples: Sample[] }>();
  readonly #onMinute: (subject: string, average: Sample) => void;

  constructor(onMinute: (subject: string, average: Sample) => void) {
    this.#onMinute = onMinute;
  }

  take(subject: string, sample: Sample): void {
    const seconds = this.#seconds.get(subject) ?? [];
    this.#seconds.set(subject, seconds);
    seconds.push(sample);
    const oldest = Date.parse(sample.at) - SECONDS_KEPT * 1000;
    // A clock that was set back must not keep samples for ever.
    while (seconds.length > SECONDS_KEPT || (seconds[0] && Date.parse(seconds[0].at) < oldest)) {
      seconds.shift();
    }
    this.#count(subject, sample);
  }

  workerSeconds(workerId: string): WorkerVitals[] {
    // What was taken under a worker's id is what its thread measured of it.
    return (this.#seconds.get(workerId) ?? []) as unknown as WorkerVitals[];
  }

  hostSeconds(): HostVitals[] {
    return (this.#seconds.get(HOST) ?? []) as unknown as HostVitals[];
  }

  #count(subject: string, sample: Sample): void {
    const minute = `${sample.at.slice(0, 16)}:00Z`;
    const open = this.#minutes.get(subject);
    if (open?.minute === minute) return void open.samples.push(sample);
    if (open) this.#onMinute(subject, average(open.minute, open.samples));
    this.#minutes.set(subject, { minute, samples: [sample] });
  }
}

/** The mean of each measure over the samples that have it; null where none has. */
export function average(at: string, samples: readonly Sample[]): Sample {
  const mean: Record<string, number | string | null> = {};
  for (const name of new Set(samples.flatMap((sample) => Object.keys(sample)))) {
    const known = samples.flatMap((sample) => {
      const value = sample[name];
      return typeof value === "number" && Number.isFinite(value) ? [value] : [];
    });
    mean[name] = known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  }
  return { ...mean, at };
}
