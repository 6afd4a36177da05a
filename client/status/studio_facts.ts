import type { StudioFacts } from "./status_facts.ts";

/** How the machine is on which the studio runs. Throws ApiError. */
export async function readStudio(): Promise<StudioFacts | undefined> {
  return await Promise.resolve(undefined);
}
