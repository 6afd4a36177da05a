import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { id } from "#server/core/id.ts";
import { IdPageQuery, page } from "#server/core/page.ts";
import { Instant } from "#server/core/time.ts";
import { ApiGraph } from "#server/fleet/job_kinds.ts";
import { WorkflowManifest, WorkflowRole } from "./manifest.ts";

export const WorkflowSource = z.enum(["bundled", "imported"]);
export const WorkflowStatus = z.enum(["draft", "active", "retired"]);

export const Workflow = z.object({
  id: id("workflow"),
  code: z.string(),
  title: z.string(),
  role: WorkflowRole,
  source: WorkflowSource,
  status: WorkflowStatus,
  /** The newest version. */
  versionId: id("workflow version"),
  number: z.int(),
  isCpuPreview: z.boolean(),
  /** Names of workers that are online and have all it needs. */
  workers: z.array(z.string()),
  createdAt: Instant,
});
export type Workflow = z.infer<typeof Workflow>;

export const WorkflowVersion = z.object({
  id: id("workflow version"),
  workflowId: id("workflow"),
  number: z.int(),
  manifest: WorkflowManifest,
  graph: ApiGraph,
  createdAt: Instant,
});
export type WorkflowVersion = z.infer<typeof WorkflowVersion>;

export const listWorkflows = endpoint({
  method: "GET",
  path: "/workflows",
  can: "workflow.read",
  summary: "Workflows with their newest versions, and which workers can run them",
  query: z.extend(IdPageQuery, { role: z.optional(WorkflowRole) }),
  reply: page(Workflow),
});

export const getWorkflowVersion = endpoint({
  method: "GET",
  path: "/workflow-versions/:versionId",
  can: "workflow.read",
  summary: "One version: its manifest and the ComfyUI graph, word for word",
  params: z.object({ versionId: id("workflow version") }),
  reply: WorkflowVersion,
});

export const importWorkflow = endpoint({
  method: "POST",
  path: "/workflows",
  can: "workflow.edit",
  summary:
    "Import a workflow template; the same code with another content is a new version, the same content is not",
  body: z.object({ manifest: WorkflowManifest, graph: ApiGraph }),
  reply: WorkflowVersion,
  status: 201,
});

export const changeWorkflow = endpoint({
  method: "PATCH",
  path: "/workflows/:workflowId",
  can: "workflow.edit",
  summary: "Activate or retire a workflow",
  params: z.object({ workflowId: id("workflow") }),
  body: z.object({ status: WorkflowStatus }),
  reply: Workflow,
});

export const getTemplateSchema = endpoint({
  method: "GET",
  path: "/schemas/workflow_template",
  can: "anyone",
  summary: "JSON Schema of a workflow template",
  reply: z.record(z.string(), z.unknown()),
});
