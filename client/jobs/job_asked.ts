import { signal } from "@lit-labs/signals";

const asked = signal<string | undefined>(undefined);

/** The job that one is about to change; undefined while its form is closed. */
export function jobAsked(): string | undefined {
  return asked.get();
}

export function askForJob(jobId: string | undefined): void {
  asked.set(jobId);
}
