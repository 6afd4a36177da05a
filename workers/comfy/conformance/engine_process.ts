import { TextLineStream } from "@std/streams/mod.js";
import { asRecord, asText } from "#workers/comfy/json.ts";

/** The CPU engine in a process of its own, on a free port and in a folder that goes with it. */
export interface EngineProcess extends AsyncDisposable {
  readonly url: string;
}

/** Starts the engine as the studio does, for tests; resolves when it answers. */
export async function startEngine(): Promise<EngineProcess> {
  const base = await Deno.makeTempDir({ prefix: "seedloop-engine-" });
  const script = new URL("../../engine/child.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-worker-options", script.pathname, "--base", base],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const url = await readUrl(lines);
  return {
    url,
    async [Symbol.asyncDispose]() {
      // The engine ends when its stdin does.
      await child.stdin.close();
      await lines.cancel();
      await child.status;
      await Deno.remove(base, { recursive: true });
    },
  };
}

async function readUrl(lines: ReadableStreamDefaultReader<string>): Promise<string> {
  for (let line = await lines.read(); !line.done; line = await lines.read()) {
    const url = line.value.startsWith("{") ? asText(asRecord(JSON.parse(line.value))?.url) : undefined;
    if (url !== undefined) return url;
  }
  throw new Error("Cannot test against the engine: it ended before it was ready; see its log");
}
