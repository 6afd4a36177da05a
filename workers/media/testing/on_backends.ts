import { findNative } from "#workers/media/native.ts";
import { type MediaTools, openMediaTools } from "#workers/media/run.ts";

const native = await findNative(undefined);

/** The backends that this machine has; WebAssembly always. */
export const BACKENDS: readonly ("native" | "wasm")[] = "path" in native ? ["native", "wasm"] : ["wasm"];

/**
 * One test body, run on each backend with tools of its own and an empty folder. Where native ffmpeg is not
 * found its test shows as ignored.
 */
export function onBackends(name: string, body: (tools: MediaTools, folder: string) => Promise<void>): void {
  for (const backend of ["native", "wasm"] as const) {
    const isMissing = !BACKENDS.includes(backend);
    Deno.test({
      name: `${name} (${backend}${isMissing ? ": not found here" : ""})`,
      ignore: isMissing,
      fn: async () => {
        const folder = await Deno.makeTempDir({ prefix: "seedloop_media_" });
        const tools = await openMediaTools({ backend });
        try {
          await body(tools, folder);
        } finally {
          await tools.close();
          await Deno.remove(folder, { recursive: true });
        }
      },
    });
  }
}
