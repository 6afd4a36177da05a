import { existsSync } from "node:fs";
import { fromFileUrl } from "@std/path/mod.js";

/** Path of a recording of the real ComfyUI. They may lie beside the repository; the project needs none. */
export function fromShared(name: string): string {
  return fromFileUrl(new URL(`../../../../shared/comfyui/${name}`, import.meta.url));
}

/** True, and says so, when the recording is not there: the test then has nothing to compare with. */
export function skipWithoutShared(name: string): boolean {
  if (existsSync(fromShared(name))) return false;
  Deno.stdout.writeSync(
    new TextEncoder().encode(`skipped: there is no recording ${name} of the real ComfyUI\n`),
  );
  return true;
}
