import { signal } from "@lit-labs/signals";

/** How far all files are that are on their way to the studio. */
export interface UploadProgress {
  readonly count: number;
  /** 0–1 of their bytes. */
  readonly ratio: number;
  /** The studio is out of reach: they go on by themselves. */
  readonly isLost: boolean;
}

const progress = signal<UploadProgress | undefined>(undefined);

/** Undefined when none is under way. Apart from the uploads themselves, which load with the first one. */
export function uploadProgress(): UploadProgress | undefined {
  return progress.get();
}

export function noteUploadProgress(now: UploadProgress | undefined): void {
  progress.set(now);
}
