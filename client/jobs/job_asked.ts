import { keptSignal } from "#client/core/kept_signal.ts";

const asked = keptSignal<string | undefined>("jobs_asked", undefined);

/** The job that one is about to change; undefined while its form is closed. */
export function jobAsked(): string | undefined {
  return asked.get();
}

export function askForJob(jobId: string | undefined): void {
  asked.set(jobId);
}
