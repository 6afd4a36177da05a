import { AppError } from "#server/core/errors.ts";
import { type App, clientIp, type HttpContext } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import { LoopLag, type Metric, renderMetrics, RequestMeter } from "./metrics.ts";
import * as service from "./service.ts";

/** Counts from here on; bind it before the slices, so that it sees their answers. */
export function meterRequests(app: App): RequestMeter {
  const meter = new RequestMeter();
  app.use(async (context, next) => {
    const start = performance.now();
    await next();
    meter.count(context.req.method, context.res.status, (performance.now() - start) / 1000);
  });
  return meter;
}

/** `/healthz`, `/readyz`, `/metrics` and the status page's facts. */
export function healthRoutes(
  app: App,
  parts: service.HealthParts & { readonly meter: RequestMeter },
): void {
  const lag = new LoopLag();
  app.get("/healthz", () => plainJson(200, { status: "alive" }));
  app.get("/readyz", async () => {
    const missing = await service.findMissing(parts);
    return missing.length === 0
      ? plainJson(200, { status: "ready", missing })
      : plainJson(503, { status: "not ready", missing }, { "retry-after": "2" });
  });
  app.get("/metrics", async (context) => {
    refuseUnknown(context);
    const metrics = [...parts.meter.metrics(), ...await readMetrics(parts, lag)];
    return new Response(renderMetrics(metrics), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
    });
  });
  serve(app, contract.getHealthStatus, () => service.readHealth(parts));
  serve(app, contract.getStorageFacts, () => service.readStorage(parts));
}

/** A scraper on this machine needs no account; from elsewhere it comes with an API token. */
function refuseUnknown(context: HttpContext): void {
  const ip = clientIp(context);
  if (/^127\.|^::1$|^::ffff:127\./.test(ip)) return;
  if (!context.var.actor) {
    throw new AppError(
      "unauthenticated",
      "Metrics are told to this machine, or to an API token with the scope read",
    );
  }
  if (!context.var.actor.permissions.has("worker.read")) {
    throw new AppError("forbidden", "Cannot show metrics: it needs the permission worker.read");
  }
}

async function readMetrics({ db, vitals }: service.HealthParts, lag: LoopLag): Promise<Metric[]> {
  const gauge = (name: string, help: string, samples: Metric["samples"]): Metric => ({
    name: `seedloop_${name}`,
    type: "gauge",
    help,
    samples,
  });
  const [jobs, connections, disk] = await Promise.all([
    service.countOpenJobs(db).catch(() => []),
    service.countConnections(db).catch(() => []),
    service.readDisk(vitals.dataFolder),
  ]);
  const threads = vitals.threads();
  return [
    gauge("info", "The version that runs", [{ value: 1, labels: { version: vitals.version } }]),
    gauge("up_seconds", "Since the studio was started", [
      { value: (Date.now() - Date.parse(vitals.startedAt)) / 1000 },
    ]),
    gauge(
      "jobs",
      "Jobs that have not ended, by lane and status",
      jobs.map(({ lane, status, count }) => ({ value: count, labels: { lane, status } })),
    ),
    gauge("live_sockets", "Open live sockets", [{ value: vitals.socketCount() }]),
    gauge(
      "thread_running",
      "1 for each thread that runs",
      threads.map(({ name, status }) => ({ value: status === "running" ? 1 : 0, labels: { thread: name } })),
    ),
    {
      name: "seedloop_thread_restarts_total",
      type: "counter",
      help: "Restarts of each thread after a crash",
      samples: threads.map(({ name, restarts }) => ({ value: restarts, labels: { thread: name } })),
    },
    gauge("event_loop_lag_seconds", "Worst lateness of the event loop since the last reading", [
      { value: lag.take() },
    ]),
    gauge(
      "database_connections",
      "Connections to the database, by program and state",
      connections.map(({ application, state, count }) => ({ value: count, labels: { application, state } })),
    ),
    gauge(
      "disk_free_bytes",
      "Free bytes of the disk that holds the data",
      disk ? [{ value: disk.freeBytes }] : [],
    ),
    gauge("memory_bytes", "Resident memory of the server process", [{ value: Deno.memoryUsage().rss }]),
  ];
}

function plainJson(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
  });
}
