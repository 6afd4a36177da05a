import sharp from "sharp";
import { createLog } from "#server/core/log.ts";
import { type MediaTools, openMediaTools } from "#workers/media/run.ts";
import { prepareFolders } from "./folders.ts";
import { REGISTRY } from "./nodes/registry.ts";
import { serveEngine } from "./protocol/server.ts";

/**
 * The engine's process. Prints one line `{"ready":true,"url":…}` on stdout, logs JSON lines on stderr, and ends
 * when its stdin closes, which happens when its parent dies. Arguments: `--base DIR` [`--ffmpeg PATH`].
 */
async function main(args: readonly string[]): Promise<void> {
  const base = option(args, "--base");
  if (base === undefined) throw new Error("Cannot start the engine without a folder: give --base DIR");
  // The decoder must never answer from memory for a file that was replaced.
  sharp.cache(false);
  const encoder = new TextEncoder();
  const log = createLog((line) => Deno.stderr.writeSync(encoder.encode(`${JSON.stringify(line)}\n`)));
  let tools: Promise<MediaTools> | undefined;
  const server = serveEngine({
    registry: REGISTRY,
    folders: await prepareFolders(base),
    log,
    media: () =>
      tools ??= openMediaTools({ ffmpeg: option(args, "--ffmpeg") }).catch((error: unknown) => {
        // The next node that needs them tries again.
        tools = undefined;
        throw error;
      }),
  });
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify({ ready: true, url: server.url })}\n`));
  for await (const _ of Deno.stdin.readable) {
    // Nothing is read from stdin: only its end matters.
  }
  await Promise.race([stopAll(server, tools), new Promise((resolve) => setTimeout(resolve, 1500))]);
  Deno.exit(0);
}

async function stopAll(
  server: { stop(): Promise<void> },
  tools: Promise<MediaTools> | undefined,
): Promise<void> {
  await Promise.allSettled([server.stop(), tools?.then((opened) => opened.close())]);
}

function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

if (import.meta.main) await main(Deno.args);
