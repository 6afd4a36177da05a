import { GiveUp, Retry } from "#workers/kit/handle.ts";
import { MediaError } from "#workers/media/media_error.ts";

/** Runs a job's work and says of a media failure whether another attempt can help. */
export async function blameMedia<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof MediaError)) throw thrown;
    if (thrown.isInputsFault) throw new GiveUp(thrown.message, "bad_input", { cause: thrown });
    switch (thrown.failure) {
      case "missing":
        throw new GiveUp(thrown.message, "output_missing", { cause: thrown });
      case "no_space":
        throw new Retry(thrown.message, "storage_full", { cause: thrown });
      case "out_of_memory":
        throw new Retry(thrown.message, "out_of_memory", { cause: thrown });
      case "timeout":
        throw new Retry(thrown.message, "timeout", { cause: thrown });
      default:
        throw new Retry(thrown.message, "internal", { cause: thrown });
    }
  }
}
