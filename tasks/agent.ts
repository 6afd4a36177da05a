import { parseArgs } from "node:util";
import { createLog } from "#server/core/log.ts";
import { errorMessage } from "#server/core/errors.ts";
import { VERSION } from "#server/core/version.ts";
import { AGENT_PORT, serveAgent } from "#workers/comfy/agent.ts";

const HELP =
  `Tells the studio how the machine of a ComfyUI worker is that is not the studio's own: GPU temperature,
power, load, fan and clock (nvidia-smi, rocm-smi), CPU, disk and network. Numbers only: nothing can be
ordered. The studio finds it by itself, at port ${AGENT_PORT} of the address under which the worker is registered.

  --host ADDRESS   to listen at (0.0.0.0)
  --folder DIR     whose disk is looked at, ComfyUI's say (this one)`;

async function main(): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({
      args: Deno.args,
      options: {
        host: { type: "string", default: "0.0.0.0" },
        folder: { type: "string", default: "." },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    console.error(`${errorMessage(error)}\n\n${HELP}`);
    return 2;
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { host: hostname, folder } = values;
  if (!await Deno.stat(folder).then((found) => found.isDirectory, () => false)) {
    console.error(`--folder: there is no folder "${folder}". Name one on the disk that is to be looked at`);
    return 2;
  }
  const log = createLog((line) => console.error(JSON.stringify(line)), "info");
  let agent;
  try {
    agent = await serveAgent({ hostname, port: AGENT_PORT, folder, version: VERSION, log });
  } catch (error) {
    const why = error instanceof Deno.errors.AddrInUse
      ? `port ${AGENT_PORT} is taken. Is an agent running here already?`
      : `${errorMessage(error)}. --host must be an address of this machine`;
    console.error(`The agent can't listen at ${hostname}: ${why}`);
    return 1;
  }
  console.log(`The agent tells how this machine is at ${hostname}, port ${agent.port}. Ctrl-C stops it.`);
  const signals = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  await new Promise<void>((resolve) => signals.forEach((name) => Deno.addSignalListener(name, resolve)));
  await agent.close();
  return 0;
}

Deno.exit(await main());
