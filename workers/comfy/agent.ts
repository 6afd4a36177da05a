import * as z from "zod/mini";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { HostVitals } from "#server/fleet/contract.ts";
import { watchGpus } from "./gpu_monitor.ts";
import { GpuReading } from "./gpu_readings.ts";
import { HostReader } from "./host_vitals.ts";

/** Where an agent listens, and a studio asks the machines of its workers for one. */
export const AGENT_PORT = 7430;
const PATH = "/vitals";
const MEASURE_MS = 1_000;

/** What an agent says of its machine. Null is "no data". */
export const AgentReport = z.object({
  agent: z.literal("seedloop"),
  version: z.string().check(z.maxLength(100)),
  gpus: z.array(GpuReading).check(z.maxLength(64)),
  host: HostVitals,
});
export type AgentReport = z.infer<typeof AgentReport>;

export interface AgentOptions {
  readonly hostname: string;
  readonly port: number;
  /** On the disk that is looked at. */
  readonly folder: string;
  readonly version: string;
  readonly log: Log;
}

export interface Agent {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Measures this machine each second and tells whoever asks: a GET and numbers, nothing can be ordered. Throws what
 * listening throws, an address in use say.
 */
export async function serveAgent({ hostname, port, folder, version, log }: AgentOptions): Promise<Agent> {
  const reader = new HostReader(folder);
  let host = await reader.read();
  const server = Deno.serve({ hostname, port, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== PATH) return new Response(`Ask for ${PATH}\n`, { status: 404 });
    if (request.method !== "GET") return new Response(null, { status: 405, headers: { allow: "GET" } });
    const report: AgentReport = { agent: "seedloop", version, gpus: [...gpus.readings], host };
    return Response.json(report, { headers: { "cache-control": "no-store" } });
  });
  const gpus = watchGpus(log);
  const measuring = setInterval(() => {
    reader.read().then((vitals) => host = vitals).catch((error) =>
      log.warn("machine was not measured", { reason: errorMessage(error) })
    );
  }, MEASURE_MS);
  return {
    port: server.addr.port,
    close: async () => {
      clearInterval(measuring);
      await Promise.all([server.shutdown(), gpus.close()]);
    },
  };
}

/** Where the agent of the machine of a worker is asked. */
export function agentUrl(workerUrl: string, port: number): string {
  return `http://${new URL(workerUrl).hostname}:${port}${PATH}`;
}
