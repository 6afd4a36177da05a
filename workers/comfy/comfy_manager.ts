import { connectionProblem } from "#server/core/connection_problem.ts";
import { readCapped } from "./body.ts";

/** A ComfyUI-Manager: its version, and where its routes are. */
export interface Manager {
  readonly version: string;
  readonly prefix: "/v2/manager" | "/manager";
}

const CALL_MS = 5_000;
/** A version is a few letters. */
const MAX_BYTES = 10_000;

/** The ComfyUI-Manager of the server at `url`; undefined when it has none. Throws when the server does not answer. */
export async function findManager(url: string, signal: AbortSignal): Promise<Manager | undefined> {
  for (const prefix of ["/v2/manager", "/manager"] as const) {
    const response = await call(`${url}${prefix}/version`, "GET", signal);
    const bytes = await readCapped(response.body, MAX_BYTES);
    const text = new TextDecoder().decode(bytes).trim();
    // A page in place of the version comes from a proxy, or from a front end that answers everything.
    if (response.ok && /^[vV]?\d[\w.+-]{0,40}$/.test(text)) return { version: text, prefix };
  }
  return undefined;
}

/**
 * Has the Manager start its ComfyUI anew. The process replaces itself, so a lost answer is success; what is returned
 * is why it would not.
 */
export async function reboot(
  url: string,
  manager: Manager,
  signal: AbortSignal,
): Promise<string | undefined> {
  // Before April 2026 it was a GET.
  for (const method of ["POST", "GET"] as const) {
    let response: Response;
    try {
      response = await call(`${url}${manager.prefix}/reboot`, method, signal);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
    await response.body?.cancel();
    if (response.ok) return undefined;
    if (response.status === 403) {
      return "ComfyUI-Manager refuses to start it anew: lower security_level in its config.ini, or do it by hand";
    }
    if (response.status !== 405) {
      return `ComfyUI-Manager refused to start it anew: it said ${response.status}`;
    }
  }
  return "ComfyUI-Manager has no way to start it anew";
}

async function call(url: string, method: string, signal: AbortSignal): Promise<Response> {
  const late = AbortSignal.timeout(CALL_MS);
  try {
    return await fetch(url, { method, redirect: "manual", signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`Cannot ask ${url}: ${connectionProblem(error)}`, { cause: error });
  }
}
