import { join } from "@std/path/mod.js";
import { AppError, errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import { deadline } from "#server/core/time.ts";
import { type Config, isLoopback } from "#server/config.ts";
import type { LiveHub } from "#server/live/hub.ts";
import type { App } from "#server/http/http_env.ts";
import { openTlsIdentity } from "#server/http/tls.ts";
import { serveTrust } from "#server/http/trust.ts";

export interface Listening {
  /** "http://127.0.0.1:7420", "https://192.168.1.20:7420" */
  readonly url: string;
  stop(): Promise<void>;
}

/** How long open requests may take to end once the studio stops. */
const DRAIN_MS = 1_500;

/**
 * Listens: plain HTTP on loopback, which browsers take for safe, and HTTPS by the studio's own authority anywhere
 * else, with `/trust` to install it (SPEC rule 11). Throws AppError when the port is taken.
 */
export async function listen(
  { app, config, hub, log }: { app: App; config: Config; hub: LiveHub; log: Log },
): Promise<Listening> {
  const identity = isLoopback(config.host)
    ? undefined
    : await openTlsIdentity({ folder: join(config.data, "tls") });
  if (identity) serveTrust(app, identity);
  const answer = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) =>
    new URL(request.url).pathname === "/api/live" ? hub.accept(request) : app.fetch(request, info);
  const options = {
    hostname: config.host,
    port: config.port,
    onListen: () => {},
    onError: (error: unknown) => {
      log.error("request failed", { error });
      return new Response(null, { status: 500 });
    },
    ...(identity ? { cert: identity.cert, key: identity.key } : {}),
  };
  const server = openServer(options, answer);
  const shown = config.host === "0.0.0.0" || config.host === "::"
    ? identity?.names.find((name) => /^\d+\./.test(name) && !name.startsWith("127."))
    : undefined;
  const host = shown ??
    (config.host.includes(":") && !config.host.startsWith("[") ? `[${config.host}]` : config.host);
  return {
    url: `${identity ? "https" : "http"}://${host}:${server.addr.port}`,
    stop: async () => {
      await deadline(server.shutdown(), DRAIN_MS, () => new Error("late")).catch(() =>
        log.debug("open requests were cut off")
      );
    },
  };
}

function openServer(
  options: Deno.ServeTcpOptions & Partial<Deno.TlsCertifiedKeyPem>,
  answer: (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve(options, answer);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new AppError(
        "conflict",
        `Cannot start: port ${options.port} is taken by another program. Stop that one, or choose another with --port`,
        { cause: error },
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new AppError(
        "forbidden",
        `Cannot start: this user may not listen on port ${options.port}. Choose one above 1023 with --port`,
        { cause: error },
      );
    }
    throw new AppError(
      "invalid",
      `Cannot start: can't listen on ${options.hostname}:${options.port} (${
        errorMessage(error)
      }). Check --host and --port`,
      { cause: error },
    );
  }
}
