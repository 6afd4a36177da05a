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
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const url = await readUrl(output);
  return {
    url,
    async [Symbol.asyncDispose]() {
      // The engine ends when its stdin does.
      await child.stdin.close();
      await output.cancel();
      await child.status;
      await Deno.remove(base, { recursive: true });
    },
  };
}

/** The address in the first line that the engine prints. */
async function readUrl(output: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await output.read();
    if (done) throw new Error("Cannot test against the engine: it ended before it was ready; see its log");
    text += value;
  }
  const url = asText(asRecord(JSON.parse(text.slice(0, text.indexOf("\n"))))?.url);
  if (url === undefined) throw new Error("Cannot test against the engine: its first line names no url");
  return url;
}
