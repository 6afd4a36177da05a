import { AppError, errorMessage } from "#server/core/errors.ts";
import { createLog } from "#server/core/log.ts";
import { formatRate } from "#server/core/media_time.ts";
import { readConfig } from "#server/config.ts";
import { startStudio, type Studio } from "#server/main.ts";
import { ApiClient, ApiError } from "./demo/api_client.ts";
import { type DemoOptions, HELP, readOptions, shownSeconds } from "./demo/options.ts";
import { ProgressBars } from "./demo/progress_bars.ts";
import { type DemoResult, travel } from "./demo/journey.ts";
import { openToken } from "./demo/studio.ts";

/** The whole path without a browser, through the public API of a studio that it starts by itself, or of one given. */
async function main(): Promise<number> {
  let options: DemoOptions | "help";
  try {
    options = readOptions(Deno.args);
    if (options !== "help" && options.portrait) await checkPortrait(options.portrait);
  } catch (error) {
    console.error(errorMessage(error));
    return 2;
  }
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  try {
    return await run(options);
  } catch (error) {
    // A sentence for what a person can mend, the whole story for a bug.
    if (!(error instanceof AppError) && !(error instanceof ApiError)) throw error;
    console.error(`\n${error.message}`);
    return 1;
  }
}

async function checkPortrait(path: string): Promise<void> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isFile) throw new RangeError(`--portrait ${path} is no file: give the path of a picture`);
}

async function run(options: DemoOptions): Promise<number> {
  const startedAt = performance.now();
  const stopped = stopSignal();
  const place = await openStudio(options);
  try {
    const api = new ApiClient(place.url, place.token);
    const readyS = Math.round(performance.now() - startedAt) / 1000;
    const journey = travel(api, options, new ProgressBars(!options.json), readyS);
    // Once it is given up, what becomes of it is of no interest.
    journey.catch(() => {});
    const result = await Promise.race([journey, stopped]);
    if (typeof result === "number") {
      console.error("\nStopping: running work is handed back …");
      return result;
    }
    print(result, options);
    return 0;
  } finally {
    await place.close();
  }
}

function print(result: DemoResult, options: DemoOptions): void {
  if (options.json) return console.log(JSON.stringify(result, null, 2));
  const length = shownSeconds(result.frames, result.rate);
  console.log(
    `\n${result.frames} frames at ${formatRate(result.rate)} (${length}) in ${result.timings.total} s`,
  );
  for (const [name, path] of Object.entries(result.files)) console.log(`  ${name.padEnd(10)} ${path}`);
}

/** The exit code for Ctrl-C or SIGTERM, when one comes; the second one ends the process at once. */
function stopSignal(): Promise<number> {
  const codes = Deno.build.os === "windows"
    ? [["SIGINT", 130]] as const
    : [["SIGINT", 130], ["SIGTERM", 143]] as const;
  return new Promise((resolve) => {
    let isAsked = false;
    for (const [name, code] of codes) {
      Deno.addSignalListener(name, () => {
        if (isAsked) Deno.exit(code);
        isAsked = true;
        resolve(code);
      });
    }
  });
}

async function openStudio(
  options: DemoOptions,
): Promise<{ url: string; token: string; close(): Promise<void> }> {
  if (options.url && options.token) return { url: options.url, token: options.token, close: async () => {} };
  const data = options.data ?? await Deno.makeTempDir({ prefix: "seedloop_demo_" });
  const config = readConfig(["--data", data, "--port", "0", "--media-backend", options.mediaBackend]);
  const log = createLog(
    (line) => console.error(JSON.stringify(line)),
    Deno.env.get("SEEDLOOP_LOG_LEVEL") === "info" ? "info" : "error",
  );
  const isTemporary = options.data === undefined && !options.keep;
  const leave = async () => {
    if (isTemporary) await Deno.remove(data, { recursive: true });
    else console.error(`The studio's data is in ${data}`);
  };
  let studio: Studio | undefined;
  try {
    studio = await startStudio(config, log);
    const { url, firstAdminUrl, stop } = studio;
    const token = await openToken({ url, firstAdminUrl, data });
    return { url, token, close: () => stop().then(leave) };
  } catch (error) {
    await studio?.stop();
    await leave();
    throw error;
  }
}

Deno.exit(await main());
