import { encodeHex } from "@std/encoding/hex.js";
import type * as z from "zod/mini";
import type { Actor } from "#server/core/actor.ts";
import { AppError, notFound } from "#server/core/errors.ts";
import type { FileRef } from "#server/core/file_ref.ts";
import { newId } from "#server/core/id.ts";
import type { PageQuery } from "#server/core/page.ts";
import { audit } from "#server/audit/service.ts";
import { type Db, type Queryable, transact } from "#server/db/db.ts";
import type { generate } from "#server/fleet/job_kinds.ts";
import { cutPage } from "#server/projects/service.ts";
import { bind } from "./bind.ts";
import { checkTemplate } from "./check_template.ts";
import type { Workflow, WorkflowVersion } from "./contract.ts";
import type { FileParameter, WorkflowRole, WorkflowTemplate } from "./manifest.ts";
import * as queries from "./queries.ts";

export async function listWorkflows(
  db: Db,
  query: PageQuery & { role?: WorkflowRole | undefined },
): Promise<{ items: Workflow[]; next?: string }> {
  return cutPage(await queries.listWorkflows(db, query), query.limit);
}

export async function openVersion(db: Queryable, versionId: string): Promise<WorkflowVersion> {
  const version = await queries.findVersion(db, versionId);
  if (!version) throw notFound("workflow version");
  return version;
}

/** The version asked for, checked to have the role; else the best that a worker can run now. */
export async function chooseVersion(
  db: Queryable,
  role: WorkflowRole,
  versionId?: string | null,
): Promise<WorkflowVersion> {
  if (versionId) {
    const version = await openVersion(db, versionId);
    if (version.manifest.role === role) return version;
    throw new AppError(
      "invalid",
      `The workflow "${version.manifest.title}" is for ${version.manifest.role}, not for ${role}: choose another`,
      {
        fields: [{ field: "/body/workflowVersionId", message: `must be a workflow of the role ${role}` }],
      },
    );
  }
  const [best] = await queries.listRunnable(db, role);
  if (!best) {
    throw new AppError(
      "conflict",
      `There is no active workflow for ${role}: import one, or activate a bundled one`,
    );
  }
  return await openVersion(db, best.versionId);
}

/** Why nothing can run a version now, with what each worker lacks. */
export interface Blockage {
  readonly sentence: string;
  readonly workers: readonly { readonly name: string; readonly status: string; readonly missing: string[] }[];
}

/** Null when a worker that is online can run the version, or was not asked yet. */
export async function findBlockage(db: Queryable, version: WorkflowVersion): Promise<Blockage | null> {
  const all = await queries.listFitness(db, version.id);
  const online = all.filter(({ status }) => status === "online");
  if (online.some(({ isAble }) => isAble !== false)) return null;
  const { title } = version.manifest;
  const workers = all.map(({ name, status, missing }) => ({ name, status, missing: [...missing] }));
  const away = all.filter(({ status, isAble }) => status !== "online" && isAble === true);
  if (away.length > 0) {
    const names = away.map(({ name, status }) => `${name} (${status})`).join(", ");
    return { workers, sentence: `No worker that can run "${title}" is online: start ${names}` };
  }
  if (online.length === 0) {
    return { workers, sentence: `No worker is online to run "${title}": add or start one under Workers` };
  }
  const lacks = online.map(({ name, missing }) => `${name}: ${missing[0] ?? "it was not said why"}`);
  return {
    workers,
    sentence: `No worker that is online can run "${title}": ${lacks.join("; ")}. ` +
      "Add what is missing, or choose another workflow",
  };
}

/** Newest versions of the role's active workflows, best first: those that an online worker can run come before others. */
export async function listActiveVersions(db: Queryable, role: WorkflowRole): Promise<WorkflowVersion[]> {
  const versions: WorkflowVersion[] = [];
  for (const { versionId } of await queries.listRunnable(db, role)) {
    versions.push(await openVersion(db, versionId));
  }
  return versions;
}

/** The stored part of a `comfy.generate` input; the queue adds the worker and the prompt's id at dispatch. */
export type Generation = Pick<z.input<typeof generate["input"]>, "graph" | "uploads" | "outputNodes"> & {
  /** Every value bound, knobs' defaults included (SPEC rule 5). */
  readonly values: Readonly<Record<string, unknown>>;
};

const EXTENSIONS: Record<string, string> = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

/** Binds values and files into the version's graph. Throws AppError "invalid" naming every wrong parameter. */
export function prepareGeneration(
  version: WorkflowVersion,
  values: Readonly<Record<string, unknown>>,
  files: Readonly<Partial<Record<FileParameter, FileRef>>>,
): Generation {
  const bound = bind(version, { values, files: Object.keys(files) as FileParameter[] });
  return {
    graph: bound.graph,
    outputNodes: [...bound.outputNodes],
    values: bound.values,
    uploads: bound.uploads.flatMap(({ parameter, places }) => {
      const file = files[parameter];
      const extension = file ? EXTENSIONS[file.mediaType] ?? "bin" : "bin";
      return file ? [{ file, extension, places: [...places], parameter }] : [];
    }),
  };
}

/** Makes the bundled templates known; called at each start. Versions that are there already stay as they are. */
export async function syncBundled(db: Db, templates: readonly WorkflowTemplate[]): Promise<void> {
  for (const template of templates) await saveTemplate(db, template, "bundled", undefined);
}

export async function importWorkflow(
  db: Db,
  actor: Actor,
  template: WorkflowTemplate,
): Promise<WorkflowVersion> {
  const faults = checkTemplate(template);
  if (faults.length > 0) {
    throw new AppError("invalid", "Cannot import this workflow: its manifest and its graph do not agree", {
      fields: faults.map((message) => ({ field: "/body", message })),
    });
  }
  return await openVersion(db, await saveTemplate(db, template, "imported", actor));
}

async function saveTemplate(
  db: Db,
  template: WorkflowTemplate,
  source: string,
  actor: Actor | undefined,
): Promise<string> {
  const contentHash = await hashTemplate(template);
  return await transact(db, async (tx) => {
    const made = {
      workflowId: newId<"workflow">(),
      versionId: newId<"workflow version">(),
      contentHash,
      source,
      actor,
    };
    const { versionId, isNew } = await queries.upsertTemplate(tx, template, made);
    if (isNew && actor) {
      await audit(tx, actor, "workflow.import", {
        subject: ["workflow", versionId],
        facts: { code: template.manifest.code },
      });
    }
    return versionId;
  });
}

export async function changeWorkflow(
  db: Db,
  actor: Actor,
  workflowId: string,
  status: string,
): Promise<Workflow> {
  await transact(db, async (tx) => {
    const before = await queries.findWorkflow(tx, workflowId);
    if (!before) throw notFound("workflow");
    await queries.setStatus(tx, workflowId, status);
    await audit(tx, actor, "workflow.change", {
      subject: ["workflow", workflowId],
      facts: { before: before.status, status },
    });
  });
  const workflow = await queries.findWorkflow(db, workflowId);
  if (!workflow) throw notFound("workflow");
  return workflow;
}

async function hashTemplate({ manifest, graph }: WorkflowTemplate): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify({ manifest, graph }));
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}
