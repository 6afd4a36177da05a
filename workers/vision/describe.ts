import { errorMessage } from "#server/core/errors.ts";

/** How far this machine can tell faces apart; `mend` says what to do when it can't. */
export interface VisionDescription {
  readonly status: "ready" | "missing";
  readonly model: string;
  /** SHA-256 over the weights; empty when they are not there. */
  readonly hash: string;
  readonly mend: string | undefined;
}

/** Checks that the face model's files are there and reads their hash (about 0.1 s); loads nothing. */
export async function describeVision(): Promise<VisionDescription> {
  try {
    // Where the packages are not installed this import is what fails.
    const { FACE_MODEL_NAME, hashWeights } = await import("./face_weights.ts");
    return { status: "ready", model: FACE_MODEL_NAME, hash: await hashWeights(), mend: undefined };
  } catch (thrown) {
    return {
      status: "missing",
      model: "none",
      hash: "",
      mend: `Likeness can't be measured (${
        errorMessage(thrown)
      }): run "deno install" in the project's folder`,
    };
  }
}
