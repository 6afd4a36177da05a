import type { Log } from "#server/core/log.ts";
import { Engine, type EngineParts } from "#workers/engine/engine.ts";
import { fileRoutes } from "./file_routes.ts";
import { empty, internalError, Refusal } from "./http.ts";
import { FEATURES, infoRoutes } from "./info_routes.ts";
import { jobRoutes } from "./job_routes.ts";
import { isOriginAllowed } from "./origin.ts";
import { promptRoutes } from "./prompt_routes.ts";
import { dispatch, type Route } from "./route.ts";
import { Sockets } from "./sockets.ts";

/** A served engine. */
export interface EngineServer {
  /** "http://127.0.0.1:PORT" */
  readonly url: string;
  readonly engine: Engine;
  /** Interrupts what runs, closes every connection and resolves when all stands still. */
  stop(): Promise<void>;
}

/** Serves an engine on 127.0.0.1; port 0 (the default) takes a free one. */
export function serveEngine(parts: Omit<EngineParts, "outlet"> & { readonly port?: number }): EngineServer {
  const { log, port = 0 } = parts;
  const sockets = new Sockets(log);
  const engine = new Engine({ ...parts, outlet: sockets });
  const routes: Route[] = [
    { method: "GET", path: "/ws", run: ({ request, query }) => upgrade(request, query, sockets, engine) },
    ...promptRoutes(engine),
    ...infoRoutes(engine),
    ...fileRoutes(engine.folders),
    ...jobRoutes(engine),
  ];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    (request) => answer(request, routes, log),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    engine,
    async stop() {
      await engine.stop();
      sockets.close();
      await server.shutdown();
    },
  };
}

async function answer(request: Request, routes: readonly Route[], log: Log): Promise<Response> {
  try {
    if (!isOriginAllowed(request.headers)) return empty(403);
    if (request.method === "OPTIONS") return empty();
    return await dispatch(routes, request);
  } catch (error) {
    if (error instanceof Refusal) return new Response(error.message || null, { status: error.status });
    log.warn("a request failed", { method: request.method, url: request.url, error });
    return internalError();
  }
}

function upgrade(request: Request, query: URLSearchParams, sockets: Sockets, engine: Engine): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw new Refusal(400, 'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".');
  }
  // No pings from the server, as ComfyUI sends none.
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  sockets.register(socket, query.get("clientId") ?? "", {
    status: () => engine.status(),
    currentNode: (clientId) => engine.currentNode(clientId),
    features: FEATURES,
  });
  return response;
}
