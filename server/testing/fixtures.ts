import { crc32, deflateSync } from "node:zlib";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { RoleCode } from "#server/core/permissions.ts";
import { insertAsset } from "#server/assets/queries.ts";
import type { AssetKind, RetentionClass } from "#server/assets/contract.ts";
import type { Db, Fragment } from "#server/db/db.ts";
import type { FileStore } from "#server/files/store.ts";
import type { JobStatus } from "#server/jobs/contract.ts";
import type { SeedKind, SeedStatus } from "#server/seeds/contract.ts";
import { BUNDLED_TEMPLATES } from "#server/workflows/templates.ts";
import type { WorkflowRole } from "#server/workflows/manifest.ts";
import { syncBundled } from "#server/workflows/service.ts";
import type { TestClient, TestUser } from "./test_studio.ts";

/** What a maker needs: a testStudio(), or any database and store. */
export interface World {
  readonly db: Db;
  readonly store: FileStore;
}

export interface Given {
  readonly id: string;
}

/** The row of a lookup: every status, kind and role is one. */
export function lookup(db: Db, table: string, code: string): Fragment {
  return db`(select id from ${db(table)} where code = ${code})`;
}

export interface GivenProject extends Given {
  readonly member: TestUser | undefined;
}

/** An active project of 24 frames a second, 64×64; with its member when one is given. */
export async function givenProject(
  { db }: Pick<World, "db">,
  given: {
    readonly member?: TestUser | undefined;
    readonly role?: RoleCode;
    readonly status?: "active" | "archived" | "trashed";
  } = {},
): Promise<GivenProject> {
  const id = newId<"project">();
  await db`
    insert into projects (id, name, status_id, rate_num, rate_den, width_px, height_px)
    values (${id}, ${`Project ${id.slice(-8)}`}, ${
    lookup(db, "project_status", given.status ?? "active")
  }, 24, 1, 64, 64)`;
  if (given.member) await givenMember({ db }, { id }, given.member, given.role ?? given.member.role);
  return { id, member: given.member };
}

export async function givenMember(
  { db }: Pick<World, "db">,
  project: Given,
  user: Given,
  role: RoleCode,
): Promise<void> {
  await db`
    insert into project_members (project_id, user_id, role_id)
    values (${project.id}, ${user.id}, ${lookup(db, "role", role)})`;
}

/** A real PNG of one colour, different for each `seed`. */
export function tinyPng(
  seed: number = Math.floor(Math.random() * 0xffffff),
  side = 8,
): Uint8Array<ArrayBuffer> {
  const row = new Uint8Array(1 + side * 3);
  for (let x = 0; x < side; x++) row.set([seed & 255, (seed >> 8) & 255, (seed >> 16) & 255], 1 + x * 3);
  const pixels = new Uint8Array(row.length * side);
  for (let y = 0; y < side; y++) pixels.set(row, y * row.length);
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, side);
  header.setUint32(4, side);
  header.setUint8(8, 8);
  header.setUint8(9, 2);
  return new Uint8Array([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...pngChunk("IHDR", new Uint8Array(header.buffer)),
    ...pngChunk("IDAT", new Uint8Array(deflateSync(pixels))),
    ...pngChunk("IEND", new Uint8Array()),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

export interface GivenAsset extends Given {
  readonly file: FileRef;
  readonly projectId: string;
}

/** A tiny PNG in the store with its row, unless other bytes are given. */
export async function givenAsset(
  world: World,
  given: {
    readonly projectId?: string | undefined;
    readonly kind?: AssetKind;
    readonly retention?: RetentionClass;
    readonly name?: string;
    readonly bytes?: Uint8Array<ArrayBuffer>;
    readonly mediaType?: string;
  } = {},
): Promise<GivenAsset> {
  const projectId = given.projectId ?? (await givenProject(world)).id;
  const file = await world.store.put(given.bytes ?? tinyPng(), given.mediaType ?? "image/png");
  const id = newId<"asset">();
  await insertAsset(world.db, {
    id,
    projectId,
    file,
    kind: given.kind ?? "upload",
    retention: given.retention ?? "keep",
    name: given.name ?? "picture.png",
    createdById: null,
  });
  return { id, file, projectId };
}

/** A resumable upload of 8 bytes that still waits for them. */
export async function givenUpload(client: TestClient, projectId: string): Promise<Given> {
  const metadata = `filename ${btoa("picture.png")},projectId ${btoa(projectId)}`;
  const headers = { "tus-resumable": "1.0.0", "upload-length": "8", "upload-metadata": metadata };
  const answer = await client.post("/api/uploads", undefined, { headers });
  const id = answer.headers.get("location")?.split("/").at(-1);
  if (!id) throw new Error(`The upload was not begun: ${JSON.stringify(answer.body)}`);
  return { id };
}

export interface InProject extends Given {
  readonly projectId: string;
}

export async function givenCharacter(
  world: World,
  given: { readonly projectId?: string | undefined } = {},
): Promise<InProject> {
  const projectId = given.projectId ?? (await givenProject(world)).id;
  const id = newId<"character">();
  await world.db`
    insert into characters (id, project_id, name, status_id)
    values (${id}, ${projectId}, ${`Character ${id.slice(-8)}`}, ${
    lookup(world.db, "character_status", "active")
  })`;
  return { id, projectId };
}

export interface GivenSeed extends InProject {
  readonly characterId: string;
  readonly assetId: string;
  readonly file: FileRef;
}

/** A portrait with its picture, unless another kind or status is given. */
export async function givenSeed(
  world: World,
  given: {
    readonly character?: InProject;
    readonly kind?: SeedKind;
    readonly status?: SeedStatus;
    readonly batchId?: string;
  } = {},
): Promise<GivenSeed> {
  const { db } = world;
  const character = given.character ?? await givenCharacter(world);
  const kind = given.kind ?? "portrait";
  const { projectId } = character;
  const asset = await givenAsset(world, { projectId, kind, retention: "protected" });
  const id = newId<"seed">();
  await db`
    insert into seeds (id, project_id, character_id, kind_id, origin_id, status_id, asset_id, batch_id)
    values (${id}, ${projectId}, ${character.id}, ${lookup(db, "seed_kind", kind)}, ${
    lookup(db, "seed_origin", "given")
  }, ${lookup(db, "seed_status", given.status ?? "kept")}, ${asset.id}, ${given.batchId ?? null})`;
  return { id, projectId, characterId: character.id, assetId: asset.id, file: asset.file };
}

/** A foundation that is chosen and approved: clips may be generated from it. */
export async function givenHero(
  world: World,
  given: { readonly character?: InProject; readonly approvedBy?: Given } = {},
): Promise<GivenSeed> {
  const hero = await givenSeed(world, { ...given, kind: "foundation", status: "hero" });
  await world.db`
    insert into seed_approvals (seed_id, approved_by_id, file_hash)
    values (${hero.id}, ${given.approvedBy?.id ?? null}, ${hero.file.hash})`;
  return hero;
}

/** A batch of variations of a portrait, still without candidates. */
export async function givenBatch(
  world: World,
  given: { readonly portrait?: GivenSeed } = {},
): Promise<InProject> {
  const portrait = given.portrait ?? await givenSeed(world);
  const version = await givenWorkflowVersion(world, { role: "foundation_from_portrait" });
  const id = newId<"variation batch">();
  await world.db`
    insert into variation_batches (id, project_id, character_id, portrait_seed_id, workflow_version_id,
                                   base_random_seed, asked_count)
    values (${id}, ${portrait.projectId}, ${portrait.characterId}, ${portrait.id}, ${version.id}, 1, 4)`;
  return { id, projectId: portrait.projectId };
}

export interface GivenVersion extends Given {
  readonly workflowId: string;
}

/** The bundled preview workflow of that role. */
export async function givenWorkflowVersion(
  { db }: World,
  given: { readonly role?: WorkflowRole } = {},
): Promise<GivenVersion> {
  const role = given.role ?? "image_to_video";
  const template = BUNDLED_TEMPLATES.find(({ manifest }) => manifest.role === role);
  if (!template) throw new Error(`There is no bundled workflow for ${role}`);
  await syncBundled(db, [template]);
  const [row] = await db<{ id: string; workflowId: string }[]>`
    select v.id, v.workflow_id from workflow_versions v join workflows w on w.id = v.workflow_id
     where w.code = ${template.manifest.code} order by v.number desc limit 1`;
  if (!row) throw new Error("The bundled workflow was not kept");
  return row;
}

export async function givenScene(
  world: World,
  given: { readonly projectId?: string | undefined } = {},
): Promise<InProject> {
  const projectId = given.projectId ?? (await givenProject(world)).id;
  const id = newId<"scene">();
  await world.db`
    insert into scenes (id, project_id, name, status_id, position)
    values (${id}, ${projectId}, ${`Scene ${id.slice(-8)}`}, ${
    lookup(world.db, "scene_status", "active")
  }, 10)`;
  return { id, projectId };
}

/** A job that waits in the queue, unless it is blocked or held. */
export async function givenJob(
  world: World,
  given: {
    readonly projectId?: string | null;
    readonly user?: Given | undefined;
    readonly kind?: string;
    readonly status?: Extract<JobStatus, "blocked" | "queued" | "held" | "failed">;
  } = {},
): Promise<Given & { readonly projectId: string | null }> {
  const { db } = world;
  const projectId = given.projectId === undefined ? (await givenProject(world)).id : given.projectId;
  const id = newId<"job">();
  const hasFailed = given.status === "failed";
  await db`
    insert into jobs (id, kind_id, lane_id, status_id, project_id, user_id, order_key, fair_end, cost_ms, input,
                      finished_at, failure_class_id, error)
    select ${id}, k.id, k.lane_id, ${lookup(db, "job_status", given.status ?? "queued")}, ${projectId}, ${
    given.user?.id ?? null
  }, 0, 0, 1000, '{}', case when ${hasFailed} then now() end,
           case when ${hasFailed} then ${lookup(db, "failure_class", "internal")} end,
           case when ${hasFailed} then 'It broke' end
      from job_kind k where k.code = ${given.kind ?? "media.inspect"}`;
  return { id, projectId };
}

/** A ComfyUI worker at an address where nothing answers, online unless said. */
export async function givenWorker(
  { db }: World,
  given: { readonly url?: string; readonly status?: "unknown" | "online" | "offline" | "disabled" } = {},
): Promise<Given> {
  const id = newId<"worker">();
  await db`
    insert into workers (id, name, kind_id, status_id, url)
    values (${id}, ${`Worker ${id.slice(-8)}`}, ${lookup(db, "worker_kind", "comfyui")}, ${
    lookup(db, "worker_status", given.status ?? "online")
  }, ${given.url ?? "http://127.0.0.1:9"})`;
  return { id };
}

/** An open session of that user. */
export async function givenSession({ db }: World, user: Given): Promise<Given> {
  const id = newId<"session">();
  await db`insert into sessions (id, user_id, expires_at) values (${id}, ${user.id}, now() + interval '1 day')`;
  return { id };
}

/** A read-only API token of that user; nobody knows its secret. */
export async function givenApiToken({ db }: World, user: Given): Promise<Given> {
  const id = newId<"api token">();
  await db`
    insert into api_tokens (id, user_id, name, token_hash, prefix) values (${id}, ${user.id}, 'Test', ${id}, 'slt_test')`;
  await db`insert into api_token_scopes (token_id, scope_id) values (${id}, ${
    lookup(db, "token_scope", "read")
  })`;
  return { id };
}

/** A workspace of the user with one document, "view/1/layout", and one branch of it. */
export async function givenWorkspace(
  { db }: Pick<World, "db">,
  user: Given,
): Promise<Given & { readonly branchId: string }> {
  const id = newId<"workspace">();
  const branchId = newId<"workspace branch">();
  await db`
    insert into workspaces (id, user_id, name, revision) values (${id}, ${user.id}, ${`Main ${
    id.slice(-8)
  }`}, 1)`;
  await db`
    insert into workspace_documents (workspace_id, name, revision, edit_id, edited_at, content)
    values (${id}, 'view/1/layout', 1, ${newId()}, now(), '{"panels":[]}')`;
  await db`
    insert into workspace_branches (id, workspace_id, document_name, edited_at, content)
    values (${branchId}, ${id}, 'view/1/layout', now(), '{"panels":["clip"]}')`;
  return { id, branchId };
}
