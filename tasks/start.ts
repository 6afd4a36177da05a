import { AppError, errorMessage } from "#server/core/errors.ts";
import { createLog, type Log } from "#server/core/log.ts";
import { type Config, readConfig } from "#server/config.ts";
import { startStudio, type Studio } from "#server/main.ts";
import { buildClient } from "./build_client.ts";

/** Starts the studio and runs until Ctrl-C or SIGTERM, then stops it in order. */
async function main(): Promise<number> {
  let config: Config;
  try {
    config = readConfig(Deno.args);
  } catch (error) {
    console.error(errorMessage(error));
    return 2;
  }
  const log = openLog(config);
  let studio: Studio;
  try {
    await buildClient();
    studio = await startStudio(config, log);
  } catch (error) {
    // A sentence for what a person can mend, the whole story for a bug.
    console.error(error instanceof AppError ? error.message : error);
    return 1;
  }
  greet(studio, config);
  await stopSignal();
  console.log("Stopping: running work is handed back …");
  await studio.stop();
  return 0;
}

function openLog(config: Config): Log {
  return createLog((line) => console.error(JSON.stringify(line)), config.logLevel);
}

function greet(studio: Studio, config: Config): void {
  console.log(`\nSeedloop is at ${studio.url}   (data in ${config.data})`);
  if (studio.url.startsWith("https:")) {
    console.log(`Install its certificate on other machines: ${studio.url}/trust`);
  }
  if (studio.firstAdminUrl) {
    console.log(`\nMake the first admin with this one-time link:\n  ${studio.firstAdminUrl}\n`);
  }
  console.log("Ctrl-C stops it.");
  if (config.open) openBrowser(studio.firstAdminUrl ?? studio.url);
}

function openBrowser(url: string): void {
  const [program, ...args] =
    { darwin: ["open"], windows: ["cmd", "/c", "start", ""] }[Deno.build.os as string] ?? ["xdg-open"];
  try {
    new Deno.Command(program ?? "xdg-open", { args: [...args, url], stdout: "null", stderr: "null" }).spawn();
  } catch {
    console.log("No browser could be opened: open the address yourself.");
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(name, () => resolve());
    }
  });
}

Deno.exit(await main());
