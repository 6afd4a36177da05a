import { assert, assertEquals } from "@std/assert/mod.js";
import type { AnyEndpoint } from "#server/core/endpoint.ts";
import { Problem } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import { Permission, RoleCode } from "#server/core/permissions.ts";
import { endpointsOf } from "#server/http/serve.ts";
import {
  givenClip,
  givenCut,
  givenDecision,
  givenDelivery,
  givenMaster,
  givenSegment,
  givenTake,
} from "#server/testing/clip_fixtures.ts";
import {
  givenApiToken,
  givenAsset,
  givenBatch,
  givenJob,
  givenMember,
  givenProject,
  givenSession,
  givenUpload,
  givenWorker,
  givenWorkflowVersion,
  givenWorkspace,
} from "#server/testing/fixtures.ts";
import { idKindOf, sampleOf } from "#server/testing/sample.ts";
import {
  addressOf,
  type Answer,
  type TestClient,
  type TestStudio,
  testStudio,
} from "#server/testing/test_studio.ts";
import { bundledTemplate } from "#server/workflows/templates.ts";
import { SAMPLE_HEADERS, SAMPLES } from "#server/testing/samples.ts";

const MATRIX = new URL("./policy_matrix.json", import.meta.url);

/** Things that belong to the studio and not to a project or a user: everyone with the permission may see them. */
const SHARED_KINDS = ["user", "workflow", "workflow version", "worker"];

/** The one permission that reaches into projects of others: those who run the queue see what is in it. */
const SEES_ALL_JOBS = "queue.admin";

/** Lists without a project in their address, which show what one may see only. */
const LISTS_OF_OWN = ["/projects", "/jobs", "/workspaces"];

/** What is made later than the thing that it is asked of: not there yet in givenPolicyWorld(). */
const MADE_LATER = ["GET /assets/:assetId/derivatives/:kind", "GET /cuts/:cutId/metadata"];

interface PolicyWorld {
  readonly studio: TestStudio;
  readonly owner: TestClient;
  /** One existing thing of each kind that an address can name; all in one project. */
  readonly ids: Readonly<Record<string, string>>;
  readonly projectId: string;
  readonly endpoints: readonly AnyEndpoint[];
}

/** With every route there is, so also those of a running process. */
async function policyStudio(): Promise<TestStudio> {
  return await testStudio({
    vitals: {
      version: "0.0.0",
      startedAt: "2030-01-01T00:00:00.000Z",
      isDatabaseEmbedded: true,
      dataFolder: ".",
      threads: () => [],
      engineUrl: () => undefined,
      mediaBackend: () => undefined,
      socketCount: () => 0,
    },
  });
}

async function givenPolicyWorld(studio: TestStudio): Promise<PolicyWorld> {
  const owner = await studio.as("creator");
  const user = owner.user!;
  const project = await givenProject(studio, { member: user });
  const projectId = project.id;
  const clip = await givenClip(studio, { projectId, status: "in_review" });
  const segment = await givenSegment(studio, { clip, status: "ready" });
  const take = await givenTake(studio, { segment, isChosen: true });
  const cut = await givenCut(studio, { clip });
  const decision = await givenDecision(studio, { cut, by: user });
  const finalClip = await givenClip(studio, { scene: { id: clip.sceneId, projectId }, status: "final" });
  const master = await givenMaster(studio, {
    cut: await givenCut(studio, { clip: finalClip, status: "final" }),
  });
  const version = await givenWorkflowVersion(studio);
  const workspace = await givenWorkspace(studio, user);
  const ids: Record<string, string> = {
    "workspace": workspace.id,
    "workspace branch": workspace.branchId,
    "project": projectId,
    "user": user.id,
    "asset": (await givenAsset(studio, { projectId })).id,
    "upload": (await givenUpload(owner, projectId)).id,
    "character": clip.characterId,
    "seed": clip.hero.id,
    "variation batch": (await givenBatch(studio, { portrait: clip.portrait })).id,
    "scene": clip.sceneId,
    "clip": clip.id,
    "segment": segment.id,
    "take": take.id,
    "cut": cut.id,
    "decision": decision.id,
    "master": master.id,
    "delivery": (await givenDelivery(studio, { master })).id,
    "job": (await givenJob(studio, { projectId, user })).id,
    "workflow": version.workflowId,
    "workflow version": version.id,
    "worker": (await givenWorker(studio)).id,
    "session": (await givenSession(studio, user)).id,
    "api token": (await givenApiToken(studio, user)).id,
  };
  return { studio, owner, ids, projectId, endpoints: endpointsOf(studio.app) };
}

const nameOf = (endpoint: AnyEndpoint) => `${endpoint.method} ${endpoint.path}`;

/** Its parameters, each with the kind of id that it wants; undefined for one that is no id. */
function paramsOf(endpoint: AnyEndpoint): Map<string, string | undefined> {
  const shape = endpoint.params?._zod.def.shape ?? {};
  return new Map(Object.keys(shape).map((name) => [name, idKindOf(shape[name])]));
}

function address(endpoint: AnyEndpoint, ids: Readonly<Record<string, string>> | undefined): string {
  const find = (kind: string): string => {
    const found = ids ? ids[kind] : newId<string>();
    if (found) return found;
    throw new Error(
      `${nameOf(endpoint)} names a ${kind}: add a maker to fixtures and the thing to givenPolicyWorld()`,
    );
  };
  const params = Object.fromEntries(
    [...paramsOf(endpoint)].map(([name, kind]) => [
      name,
      kind ? find(kind) : SAMPLES.params[name] ?? sampleOf(endpoint.params._zod.def.shape[name], find),
    ]),
  );
  const query = endpoint.query
    ? { ...sampleOf(endpoint.query, find) as object, ...SAMPLES.query[nameOf(endpoint)] }
    : {};
  return addressOf(endpoint, { params, query });
}

function bodyOf(endpoint: AnyEndpoint, ids: Readonly<Record<string, string>>): unknown {
  if (!endpoint.body) return undefined;
  if (endpoint.path === "/workflows") return bundledTemplate("preview_motion");
  const made = sampleOf(endpoint.body, (kind) => ids[kind] ?? newId());
  return Object.assign(made as object, SAMPLES.body[nameOf(endpoint)]);
}

async function send(
  client: TestClient,
  endpoint: AnyEndpoint,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const headers = SAMPLE_HEADERS[nameOf(endpoint)] ?? {};
  return await client.request(endpoint.method, path, body, { headers });
}

/** The wrong statuses of a round of calls, as lines: all of them show at once. */
async function faultsOf(
  endpoints: readonly AnyEndpoint[],
  allowed: readonly number[],
  ask: (endpoint: AnyEndpoint) => Promise<Answer>,
): Promise<string[]> {
  const faults: string[] = [];
  for (const endpoint of endpoints) {
    const answer = await ask(endpoint);
    const fault = allowed.includes(answer.status)
      ? endpoint.method === "HEAD" ? undefined : problemFault(answer)
      : `answered ${answer.status}, not ${allowed.join(" or ")}: ${
        JSON.stringify(answer.body).slice(0, 300)
      }`;
    if (fault) faults.push(`${nameOf(endpoint)} ${fault}`);
  }
  return faults;
}

function problemFault({ status, headers, body }: Answer): string | undefined {
  if (!headers.get("content-type")?.startsWith("application/problem+json")) {
    return `is ${headers.get("content-type")}`;
  }
  const parsed = Problem.safeParse(body);
  if (!parsed.success) return `is no problem: ${parsed.error.message}`;
  return parsed.data.status === status ? undefined : `says ${parsed.data.status} but is ${status}`;
}

const hasIdOf = (endpoint: AnyEndpoint, isWanted: (kind: string) => boolean) =>
  [...paramsOf(endpoint).values()].some((kind) => kind !== undefined && isWanted(kind));

Deno.test("every endpoint refuses those who are not signed in", async () => {
  await using studio = await policyStudio();
  const { ids, endpoints } = await givenPolicyWorld(studio);
  const gated = endpoints.filter((endpoint) => endpoint.can !== "anyone");
  assert(gated.length > 60, `only ${gated.length} endpoints are gated`);
  const stale = studio.withToken("slt_nobody");
  for (const client of [studio.anonymous, stale]) {
    assertEquals(
      await faultsOf(
        gated,
        [401],
        (endpoint) => send(client, endpoint, address(endpoint, ids), bodyOf(endpoint, ids)),
      ),
      [],
    );
  }
});

Deno.test("every endpoint lets in the roles of policy_matrix.json and refuses the others", async () => {
  await using studio = await policyStudio();
  const { endpoints } = await givenPolicyWorld(studio);
  const matrix: Record<string, string> = {};
  for (const endpoint of endpoints) {
    const letIn: string[] = [];
    for (const role of RoleCode.options) {
      // Of things that don't exist and without a body, so that nobody who is let in changes anything.
      const { status } = await send(await studio.as(role), endpoint, address(endpoint, undefined));
      if (status !== 403 && status !== 401) letIn.push(role);
    }
    const gate = endpoint.can === "anyone" ? ["anyone"] : letIn;
    matrix[nameOf(endpoint)] = `${endpoint.can}: ${gate.join(" ")}`;
  }
  const text = `${JSON.stringify(Object.fromEntries(Object.entries(matrix).sort()), null, 2)}\n`;
  if (Deno.env.get("SEEDLOOP_WRITE_MATRIX")) await Deno.writeTextFile(MATRIX, text);
  // Who may do what has changed? Read the difference; then run this test with SEEDLOOP_WRITE_MATRIX=1.
  assertEquals(text.split("\n"), (await Deno.readTextFile(MATRIX)).split("\n"));
});

Deno.test("a stranger with every permission is told that existing things are not there", async () => {
  await using studio = await policyStudio();
  const { ids, endpoints } = await givenPolicyWorld(studio);
  await studio.db`
    insert into role_permission (role_id, permission_id)
    select r.id, p.id from role r, permission p where r.code = 'creator' and p.code <> ${SEES_ALL_JOBS}
    on conflict do nothing`;
  const stranger = await studio.as("creator");
  const me = await stranger.get("/api/auth/me");
  assertEquals(
    [...me.body.permissions].sort(),
    Permission.options.filter((code) => code !== SEES_ALL_JOBS).sort(),
  );
  const before = await countRows(studio);
  const owned = endpoints.filter((endpoint) => hasIdOf(endpoint, (kind) => !SHARED_KINDS.includes(kind)));
  assertEquals(
    await faultsOf(
      owned,
      [404],
      (endpoint) => send(stranger, endpoint, address(endpoint, ids), bodyOf(endpoint, ids)),
    ),
    [],
  );
  assertEquals(await countRows(studio), before);
  for (const endpoint of endpoints.filter((one) => one.method === "GET" && LISTS_OF_OWN.includes(one.path))) {
    assertEquals((await stranger.get(address(endpoint, ids))).body.items, [], endpoint.path);
  }
});

Deno.test("a member whose role in the project lacks the permission is refused there", async () => {
  await using studio = await policyStudio();
  const { ids, endpoints, projectId } = await givenPolicyWorld(studio);
  const member = await studio.as("creator");
  await givenMember(studio, { id: projectId }, member.user!, "reviewer");
  const rows = await studio.db<{ code: string }[]>`
    select p.code from role_permission x join permission p on p.id = x.permission_id join role r on r.id = x.role_id
     where r.code = 'reviewer'`;
  const reviewerMay = new Set<string>(rows.map((row) => row.code));
  const outOfReach = endpoints.filter((endpoint) =>
    endpoint.can !== "anyone" && endpoint.can !== "signed_in" && !reviewerMay.has(endpoint.can) &&
    hasIdOf(endpoint, (kind) => ![...SHARED_KINDS, "session", "api token", "upload"].includes(kind))
  );
  assert(outOfReach.length > 15, `only ${outOfReach.length} endpoints`);
  const before = await countRows(studio);
  assertEquals(
    await faultsOf(
      outOfReach,
      [403],
      (endpoint) => send(member, endpoint, address(endpoint, ids), bodyOf(endpoint, ids)),
    ),
    [],
  );
  assertEquals(await countRows(studio), before);
});

Deno.test("every endpoint refuses ids that are none", async () => {
  await using studio = await policyStudio();
  const { endpoints } = await givenPolicyWorld(studio);
  const admin = await studio.as("admin");
  const named = endpoints.filter((endpoint) => endpoint.path.includes(":"));
  for (
    const wrong of ["none", "%00", "..%2f..", "0", newId().toUpperCase(), `${newId()}'--`, "%F0%9F%98%80"]
  ) {
    assertEquals(
      await faultsOf(
        named,
        [400, 404],
        (endpoint) => send(admin, endpoint, `/api${endpoint.path.replaceAll(/:\w+/g, wrong)}`),
      ),
      [],
      wrong,
    );
  }
});

Deno.test("every endpoint refuses fields that it does not know", async () => {
  await using studio = await policyStudio();
  const { ids, endpoints, owner } = await givenPolicyWorld(studio);
  await studio.db`update users set role_id = (select id from role where code = 'admin') where id = ${
    owner.user!.id
  }`;
  const admin = await studio.asUser({ ...owner.user!, role: "admin" });
  const withBody = endpoints.filter((endpoint) => endpoint.body);
  const named: string[] = [];
  const faults = await faultsOf(withBody, [400], async (endpoint) => {
    const body = { ...bodyOf(endpoint, ids) as object, notAField: 1 };
    const answer = await send(admin, endpoint, address(endpoint, ids), body);
    if (!JSON.stringify(answer.body.fields ?? []).includes("notAField")) named.push(nameOf(endpoint));
    return answer;
  });
  assertEquals(faults, []);
  assertEquals(named, [], "these do not name the field");
  const withoutQuery = endpoints.filter((endpoint) => endpoint.method === "GET");
  assertEquals(
    await faultsOf(withoutQuery, [400], (endpoint) => {
      const path = address(endpoint, ids);
      return send(admin, endpoint, `${path}${path.includes("?") ? "&" : "?"}notAField=1`);
    }),
    [],
  );
});

Deno.test("no endpoint breaks when a member uses it", async () => {
  await using studio = await policyStudio();
  const { ids, endpoints, owner } = await givenPolicyWorld(studio);
  await studio.db`update users set role_id = (select id from role where code = 'admin') where id = ${
    owner.user!.id
  }`;
  const admin = await studio.asUser({ ...owner.user!, role: "admin" });
  // What removes things comes last, and what ends this session not at all.
  const order = endpoints.filter((endpoint) => !/sign-out|password|refresh/.test(endpoint.path))
    .sort((a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE"));
  const faults: string[] = [];
  for (const endpoint of order) {
    const answer = await send(admin, endpoint, address(endpoint, ids), bodyOf(endpoint, ids));
    const isMissing = answer.status === 404 && !MADE_LATER.includes(nameOf(endpoint));
    if (answer.status >= 500 || isMissing) {
      faults.push(
        `${nameOf(endpoint)} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 300)}`,
      );
    }
  }
  assertEquals(faults, []);
});

Deno.test("odd spellings of an address open nothing", async () => {
  await using studio = await policyStudio();
  const { ids, endpoints } = await givenPolicyWorld(studio);
  const gated = endpoints.filter((endpoint) => endpoint.can !== "anyone");
  const opened: string[] = [];
  for (const endpoint of gated) {
    const path = address(endpoint, ids).split("?")[0] ?? "";
    for (const odd of oddSpellings(path)) {
      const answer = await send(studio.anonymous, endpoint, odd, bodyOf(endpoint, ids));
      if (answer.status < 400) opened.push(`${endpoint.method} ${odd} answered ${answer.status}`);
    }
  }
  assertEquals(opened, []);
});

function oddSpellings(path: string): string[] {
  const last = path.lastIndexOf("/");
  return [
    `${path}/`,
    path.replaceAll("/", "//"),
    `${path.slice(0, last)}%2F${path.slice(last + 1)}`,
    `${path.slice(0, last)}/%2e/${path.slice(last + 1)}`,
    `${path.slice(0, last)}/x/%2e%2e/${path.slice(last + 1)}`,
    `${path};jsessionid=1`,
    path.replace("/api", "/API"),
    `${path.slice(0, 5)}${path.charAt(5).toUpperCase()}${path.slice(6)}`,
    `${path.slice(0, 5)}%${path.charCodeAt(5).toString(16)}${path.slice(6)}`,
    `/x/..${path}`,
    `${path}%00`,
    `${path}.json`,
  ];
}

Deno.test("openapi.json tells of every endpoint and who may call it", async () => {
  await using studio = await policyStudio();
  const { body } = await studio.anonymous.get("/api/openapi.json");
  const missing = endpointsOf(studio.app).filter((endpoint) => {
    const path = `/api${endpoint.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    return body.paths[path]?.[endpoint.method.toLowerCase()]?.["x-can"] !== endpoint.can;
  });
  assertEquals(missing.map(nameOf), []);
});

/** Rows of every table that people's work is in: to see that nothing came or went. */
async function countRows({ db }: TestStudio): Promise<Record<string, number>> {
  const tables = await db<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
     where c.relkind = 'r' and c.relname not in ('sessions', 'signing_keys') order by 1`;
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await db<{ count: number }[]>`select count(*)::int as count from ${db(name)}`;
    counts[name] = row?.count ?? 0;
  }
  return counts;
}
