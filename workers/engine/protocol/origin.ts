/**
 * False for a request that a web page of another site sends to a loopback address: its Origin names another
 * host (or port) than its Host. Requests without an Origin come from programs and are let through.
 */
export function isOriginAllowed(headers: Headers): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host");
  if (origin === null || host === null) return true;
  const from = parse(origin);
  const to = parse(`http://${host}`);
  if (!to || !isLoopback(to.hostname)) return true;
  // "null" and the like name no host: a page in a sandbox, which has no business here.
  if (!from) return false;
  if (from.hostname !== to.hostname) return false;
  const bothPorts = from.port !== "" && to.port !== "";
  return !bothPorts || from.port === to.port;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
