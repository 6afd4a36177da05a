import { build } from "esbuild";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";

/** What to bundle: a file, or a module's text, whose imports are as in the project. */
const BundleOrder = z.union([
  z.object({ file: z.string(), outFolder: z.string() }),
  z.object({ text: z.string() }),
]);
export type BundleOrder = z.infer<typeof BundleOrder>;

/** This file: what is built with another one is out of date. */
export const BUNDLER: string = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDERS = /^#(server|client|workers|sql|tasks)\//;

/**
 * Bundles TypeScript for browsers, in a process of its own. A file is minified and split into `outFolder`: what is
 * imported when it is needed becomes a script of its own, with a hash in its name. A text comes back as one script.
 * Rejects with the bundler's words.
 */
export async function bundle(order: BundleOrder): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", BUNDLER, JSON.stringify(order)],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const told = new TextDecoder();
  if (success) return told.decode(stdout);
  throw new Error(told.decode(stderr).trim().split("\n").slice(-12).join("\n"));
}

async function run(order: BundleOrder): Promise<string> {
  const isFile = "file" in order;
  const { outputFiles } = await build({
    ...(isFile
      ? { entryPoints: [order.file], outdir: order.outFolder, splitting: true, minify: true, write: true }
      : { stdin: { contents: order.text, resolveDir: ROOT, loader: "ts" }, write: false }),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    chunkNames: "[name]-[hash]",
    logLevel: "error",
    plugins: [{
      name: "the project's folders",
      setup: ({ onResolve }) =>
        onResolve({ filter: FOLDERS }, ({ path }) => ({ path: join(ROOT, path.slice(1)) })),
    }],
  });
  return outputFiles?.[0]?.text ?? "";
}

if (import.meta.main) {
  try {
    await Deno.stdout.write(
      new TextEncoder().encode(await run(BundleOrder.parse(JSON.parse(Deno.args[0] ?? "")))),
    );
    // The bundler's own process would keep this one alive.
    Deno.exit(0);
  } catch {
    // It has said itself what is wrong.
    Deno.exit(1);
  }
}
