import { AppError, errorMessage } from "#server/core/errors.ts";
import { createLog } from "#server/core/log.ts";
import { formatRate } from "#server/core/media_time.ts";
import { readConfig } from "#server/config.ts";
import { startStudio } from "#server/main.ts";
import { ApiClient, ApiError } from "./demo/api_client.ts";
import { type DemoOptions, HELP, readOptions, shownSeconds } from "./demo/options.ts";
import { ProgressBars } from "./demo/progress_bars.ts";
import { travel } from "./demo/journey.ts";
import { openToken } from "./demo/studio.ts";

/** The whole path without a browser, through the public API of a studio that it starts by itself, or of one given. */
async function main(): Promise<number> {
  let options: DemoOptions | "help";
  try {
    options = readOptions(Deno.args);
  } catch (error) {
    console.error(errorMessage(error));
    return 2;
  }
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  const startedAt = performance.now();
  const bars = new ProgressBars(!options.json);
  const place = await openStudio(options);
  try {
    const api = new ApiClient(place.url, place.token);
    const readyS = Math.round(performance.now() - startedAt) / 1000;
    const result = await travel(api, options, bars, readyS);
    if (options.json) console.log(JSON.stringify(result, null, 2));
    else {
      console.log(
        `\n${result.frames} frames at ${formatRate(result.rate)} (${
          shownSeconds(result.frames, result.rate)
        }) in ${result.timings.total} s`,
      );
      for (const [name, path] of Object.entries(result.files)) console.log(`  ${name.padEnd(10)} ${path}`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof AppError) && !(error instanceof ApiError)) throw error;
    console.error(`\n${error.message}`);
    return 1;
  } finally {
    await place.close();
  }
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
  const studio = await startStudio(config, log);
  const isTemporary = options.data === undefined && !options.keep;
  const token = await openToken({ ...studio, data });
  return {
    url: studio.url,
    token,
    close: async () => {
      await studio.stop();
      if (isTemporary) await Deno.remove(data, { recursive: true });
      else console.error(`The studio's data is in ${data}`);
    },
  };
}

Deno.exit(await main());
