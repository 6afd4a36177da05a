import type { AnyEndpoint, BodyInput, Params, QueryInput, Reply } from "#server/core/endpoint.ts";
import { newId } from "#server/core/id.ts";
import { type Log, silentLog } from "#server/core/log.ts";
import type { RoleCode, TokenScope } from "#server/core/permissions.ts";
import { openApp } from "#server/app.ts";
import { Passwords } from "#server/auth/passwords.ts";
import { insertSession, insertToken, insertUser } from "#server/auth/queries.ts";
import type { Auth } from "#server/auth/service.ts";
import type { ActorReader } from "#server/auth/actor_reader.ts";
import { AccessTokens, hashSecret, newSecret } from "#server/auth/tokens.ts";
import type { Db } from "#server/db/db.ts";
import type { Vitals } from "#server/health/service.ts";
import { openUploadFolder } from "#server/http/upload_folder.ts";
import { type LocalStore, openLocalStore } from "#server/files/local_store.ts";
import type { App } from "#server/http/http_env.ts";
import { openTestDatabase } from "./test_database.ts";

export interface TestUser {
  readonly id: string;
  readonly login: string;
  readonly role: RoleCode;
}

/** An answer, its body read: JSON where it is JSON, else text. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- a test asserts what it reads; a typed reply comes from call()
  readonly body: any;
  /** The cookies that were set: name → the whole header. */
  readonly cookies: ReadonlyMap<string, string>;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, instead of JSON. */
  readonly raw?: Uint8Array<ArrayBuffer>;
  /** "https://studio.test" makes the app believe in TLS. */
  readonly origin?: string;
}

/** Talks to the app as one caller would, without a socket. */
export interface TestClient {
  readonly user: TestUser | undefined;
  readonly token: string | undefined;
  get(path: string, options?: RequestOptions): Promise<Answer>;
  post(path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  put(path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  patch(path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  delete(path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  /** The reply of an endpoint, typed by its contract; throws with the problem when it is refused. */
  call<E extends AnyEndpoint>(endpoint: E, input?: CallInput<E>): Promise<Reply<E>>;
}

export interface CallInput<E extends AnyEndpoint> {
  readonly params?: Params<E>;
  readonly query?: QueryInput<E>;
  readonly body?: BodyInput<E>;
}

/** A studio of one test: its own database, its own store, the whole app; no socket, no threads. */
export interface TestStudio extends AsyncDisposable {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly store: LocalStore;
  readonly auth: Auth;
  readonly actors: ActorReader;
  readonly app: App;
  /** A folder of this test's own, gone at its end. */
  readonly folder: string;
  readonly anonymous: TestClient;
  /** A fresh user of that role, signed in. */
  as(role: RoleCode): Promise<TestClient>;
  /** That user, in a new session. */
  asUser(user: TestUser): Promise<TestClient>;
  /** That user, through a new API token of these scopes. */
  asToken(user: TestUser, scopes: readonly TokenScope[]): Promise<TestClient>;
  /** A caller with whatever bearer token; undefined sends none. */
  withToken(token: string | undefined, user?: TestUser): TestClient;
}

export interface TestStudioOptions {
  readonly log?: Log;
  /** Mounts the health routes, which need to know of threads. */
  readonly vitals?: Vitals;
  /** Serves the client that was built there. */
  readonly clientFolder?: string;
}

/** Opens the app on a database of its own (SPEC: a slice's rules are tested through HTTP without a socket). */
export async function testStudio(options: TestStudioOptions = {}): Promise<TestStudio> {
  const database = await openTestDatabase();
  const folder = await Deno.makeTempDir({ prefix: "seedloop_studio_" });
  const store = await openLocalStore(`${folder}/store`);
  const passwords = new Passwords();
  const auth: Auth = { db: database.db, passwords, tokens: new AccessTokens(database.db) };
  const { app, actors } = openApp({
    db: database.db,
    store,
    auth,
    log: options.log ?? silentLog,
    version: "0.0.0-test",
    checkReplies: true,
    uploads: await openUploadFolder(`${folder}/uploads`),
    ...(options.vitals ? { vitals: options.vitals } : {}),
    ...(options.clientFolder === undefined ? {} : { clientFolder: options.clientFolder }),
  });
  const asUser = async (user: TestUser) => withToken(await openSession(auth, user), user);
  const withToken = (token: string | undefined, user?: TestUser) => makeClient(app, token, user);
  return {
    db: database.db,
    databaseUrl: database.url,
    store,
    auth,
    actors,
    app,
    folder,
    anonymous: makeClient(app, undefined, undefined),
    as: async (role) => asUser(await givenUser(database.db, { role })),
    asUser,
    asToken: async (user, scopes) => withToken(await makeApiToken(database.db, user, scopes), user),
    withToken,
    [Symbol.asyncDispose]: async () => {
      passwords.close();
      await database[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

export interface GivenUser {
  readonly id?: string;
  readonly login?: string;
  readonly role?: RoleCode;
  readonly status?: "invited" | "active" | "disabled";
  readonly passwordHash?: string | null;
}

/** An active creator, unless said; without a password, unless one is given. */
export async function givenUser(db: Db, given: GivenUser = {}): Promise<TestUser> {
  const id = given.id ?? newId<"user">();
  const user = { id, login: given.login ?? `user_${id.slice(-12)}`, role: given.role ?? "creator" };
  await insertUser(db, {
    ...user,
    displayName: `User ${id.slice(-4)}`,
    status: given.status ?? "active",
    passwordHash: given.passwordHash ?? null,
  });
  return user;
}

async function openSession({ db, tokens }: Auth, user: TestUser): Promise<string> {
  const sessionId = newId<"session">();
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  await insertSession(db, { id: sessionId, userId: user.id, expiresAt, ip: "127.0.0.1", userAgent: "test" });
  const [row] = await db<{ tokenVersion: number }[]>`select token_version from users where id = ${user.id}`;
  return (await tokens.sign({ userId: user.id, sessionId, tokenVersion: row?.tokenVersion ?? 0 })).token;
}

async function makeApiToken(db: Db, user: TestUser, scopes: readonly TokenScope[]): Promise<string> {
  const secret = newSecret("slt_");
  const row = {
    id: newId<"api token">(),
    userId: user.id,
    name: "Test",
    tokenHash: await hashSecret(secret),
    prefix: secret.slice(0, 8),
    expiresAt: null,
  };
  await insertToken(db, row, scopes);
  return secret;
}

let lastAddress = 0;

function makeClient(app: App, token: string | undefined, user: TestUser | undefined): TestClient {
  // An address of its own, so that one caller's rate limit is not another's.
  const n = ++lastAddress;
  const remoteAddr: Deno.NetAddr = {
    transport: "tcp",
    hostname: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
    port: 40_000,
  };
  const request: TestClient["request"] = async (method, path, body, options = {}) => {
    const headers = new Headers(options.headers);
    if (token !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
    if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
    const sent = options.raw ?? (body === undefined ? null : JSON.stringify(body));
    const url = `${options.origin ?? "http://studio.test"}${path}`;
    const response = await app.fetch(new Request(url, { method, headers, body: sent }), { remoteAddr });
    return await readAnswer(response);
  };
  return {
    user,
    token,
    request,
    get: (path, options) => request("GET", path, undefined, options),
    post: (path, body, options) => request("POST", path, body, options),
    put: (path, body, options) => request("PUT", path, body, options),
    patch: (path, body, options) => request("PATCH", path, body, options),
    delete: (path, body, options) => request("DELETE", path, body, options),
    call: async (endpoint, input = {}) => {
      const answer = await request(endpoint.method, addressOf(endpoint, input), input.body);
      if (answer.status < 300) return answer.body;
      throw new Error(
        `${endpoint.method} ${endpoint.path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`,
      );
    },
  };
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
  const cookies = response.headers.getSetCookie().map((line) => [line.split("=")[0] ?? "", line] as const);
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== "" ? JSON.parse(text) : text,
    cookies: new Map(cookies),
  };
}

/** The address of an endpoint with its parameters put in: "/api/clips/0197…/takes?limit=5". */
export function addressOf(
  endpoint: AnyEndpoint,
  input: { readonly params?: unknown; readonly query?: unknown } = {},
): string {
  const params = (input.params ?? {}) as Record<string, unknown>;
  const query = Object.entries((input.query ?? {}) as Record<string, unknown>).filter(([, value]) =>
    value !== undefined
  );
  const path = endpoint.path.replaceAll(
    /:(\w+)/g,
    (_, name: string) => encodeURIComponent(String(params[name])),
  );
  const search = new URLSearchParams(query.map(([key, value]) => [key, String(value)]));
  return `/api${path}${query.length > 0 ? `?${search}` : ""}`;
}
