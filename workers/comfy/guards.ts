import type { WorkerRules } from "#server/fleet/contract.ts";

/** What the guards look at; null is no data, on which no guard acts. */
export interface GuardedVitals {
  readonly celsius: number | null;
  /** What others leave to the worker, what it holds itself included. */
  readonly availableVramBytes: number | null;
}

/** Much again must be free before jobs are taken anew, so that they do not start and stop all the time. */
const AGAIN = 1.1;
const GIB = 1024 ** 3;

/** Why the worker is to be given nothing new, as a sentence; undefined when it may. `isResting`: it was so before. */
export function whyRest(rules: WorkerRules, vitals: GuardedVitals, isResting: boolean): string | undefined {
  const { pauseAtCelsius, resumeAtCelsius, minFreeVramBytes } = rules;
  const { celsius, availableVramBytes } = vitals;
  if (celsius !== null && pauseAtCelsius !== null && resumeAtCelsius !== null) {
    if (celsius >= pauseAtCelsius || (isResting && celsius > resumeAtCelsius)) {
      return `Its GPU has ${Math.round(celsius)} °C: it takes jobs again at ${resumeAtCelsius} °C`;
    }
  }
  if (availableVramBytes !== null && minFreeVramBytes !== null) {
    const least = isResting ? minFreeVramBytes * AGAIN : minFreeVramBytes;
    if (availableVramBytes < least) {
      return `Other programs leave it ${spell(availableVramBytes)} of GPU memory: it takes jobs again from ${
        spell(minFreeVramBytes * AGAIN)
      } on`;
    }
  }
  return undefined;
}

function spell(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
