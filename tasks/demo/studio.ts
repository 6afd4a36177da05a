import { join } from "node:path";
import { AppError } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";

/** File in the data folder that keeps the demo's API token, so that a later run can come back to it. */
export const TOKEN_FILE = "demo-token";

/**
 * An API token for the studio at `url`: with the one-time link it makes the first admin, as a person would, and keeps
 * the token in the data folder; without, it takes the kept one. Throws AppError with the mend when neither is there.
 */
export async function openToken(
  { url, firstAdminUrl, data }: { url: string; firstAdminUrl: string | undefined; data: string },
): Promise<string> {
  const tokenFile = join(data, TOKEN_FILE);
  if (!firstAdminUrl) {
    const kept = await Deno.readTextFile(tokenFile).catch(() => undefined);
    if (kept) return kept.trim();
    throw new AppError(
      "conflict",
      `The studio in ${data} has an admin already: start it and give the demo --url and --token`,
    );
  }
  const entered = await post(`${url}/api/auth/links/accept`, {
    token: new URL(firstAdminUrl).hash.slice(1),
    login: "demo",
    displayName: "Demo",
    password: newId(),
  });
  const made = await post(
    `${url}/api/auth/tokens`,
    { name: "demo", scopes: ["read", "submit", "review"], expiresInDays: 30 },
    String(entered.accessToken),
  );
  const secret = String(made.secret);
  await Deno.writeTextFile(tokenFile, `${secret}\n`, { mode: 0o600 });
  return secret;
}

async function post(address: string, body: unknown, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  const reply = await response.json();
  if (!response.ok) throw new AppError("internal", `The studio refused: ${reply.detail}`);
  return reply;
}
