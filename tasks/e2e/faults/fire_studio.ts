// The studio as `deno task start` runs it, that also cuts off the thread named by each line on its standard input.
import { createLog } from "#server/core/log.ts";
import { readConfig } from "#server/config.ts";
import { startStudio } from "#server/main.ts";

const config = readConfig(Deno.args);
const studio = await startStudio(config, createLog((line) => console.error(JSON.stringify(line)), "info"));
console.log(JSON.stringify({ url: studio.url, firstAdminUrl: studio.firstAdminUrl ?? null }));
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const name of lines) studio.threads.restart(name, "a fault program cut it off");
}
await studio.stop();
Deno.exit(0);
