// The whole app and, beside it on the same port, a bare route that does the same without any of it.
import { Hono } from "hono";
import * as z from "zod/mini";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { openApp } from "#server/app.ts";
import { Passwords } from "#server/auth/passwords.ts";
import { insertSession } from "#server/auth/queries.ts";
import { AccessTokens } from "#server/auth/tokens.ts";
import { connect, type Db } from "#server/db/db.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { givenMember } from "#server/testing/fixtures.ts";
import { givenUser } from "#server/testing/test_studio.ts";
import { NAIVE_SQL } from "./assets_given.ts";
import { answerRequests } from "./children.ts";

const Request = z.object({ projectId: z.string() });

async function main(url: string): Promise<void> {
  const db = connect({ url, max: 12 });
  const folder = await Deno.makeTempDir({ prefix: "seedloop_bench_" });
  const tokens = new AccessTokens(db);
  const passwords = new Passwords();
  const { app } = openApp({
    db,
    store: await openLocalStore(folder),
    auth: { db, passwords, tokens },
    log: silentLog,
    version: "bench",
    checkReplies: false,
  });
  let server: Deno.HttpServer | undefined;
  await answerRequests(async (request) => {
    const { projectId } = Request.parse(request);
    const bare = openBare(url, projectId);
    let asked = 0;
    server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      if (request.url.endsWith("/naive")) return bare.fetch(request);
      // A limit counts by address, and all these come from one.
      const n = ++asked & 0xffff;
      const remoteAddr = { transport: "tcp", hostname: `10.0.${n >> 8}.${n & 255}`, port: 40_000 } as const;
      return app.fetch(request, { remoteAddr });
    });
    return { port: (server.addr as Deno.NetAddr).port, token: await openMember(db, tokens, projectId) };
  });
  await server?.shutdown();
  passwords.close();
  await db.end({ timeout: 1 });
  await Deno.remove(folder, { recursive: true });
  Deno.exit(0);
}

function openBare(url: string, projectId: string): Hono {
  const db = connect({ url, max: 12 });
  const bare = new Hono();
  bare.get("/naive", async (context) => {
    // deno-lint-ignore house/no-unsafe-sql -- pgbench runs the same text
    const rows = await db.unsafe(NAIVE_SQL, [projectId], { prepare: true });
    return context.json({ items: rows.slice(0, 50), next: rows[49]?.["id"] });
  });
  return bare;
}

async function openMember(db: Db, tokens: AccessTokens, projectId: string): Promise<string> {
  const user = await givenUser(db, { role: "creator" });
  await givenMember({ db }, { id: projectId }, user, "creator");
  const sessionId = newId<"session">();
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  await insertSession(db, { id: sessionId, userId: user.id, expiresAt, ip: "127.0.0.1", userAgent: "bench" });
  return (await tokens.sign({ userId: user.id, sessionId, tokenVersion: 0 })).token;
}

if (import.meta.main) await main(Deno.args[0] ?? "");
