import { signal } from "@lit-labs/signals";
import { ApiError, call } from "#client/core/call.ts";
import type { Seed, VariationEstimate } from "#server/seeds/contract.ts";
import { estimateVariations } from "#server/seeds/contract.ts";
import { getWorkflowVersion, listWorkflows, type Workflow } from "#server/workflows/contract.ts";
import type { WorkflowManifest } from "#server/workflows/manifest.ts";

export type KnobValue = number | string | boolean;

/** What the form of a new batch holds. */
export interface BatchDraft {
  readonly characterId: string;
  readonly portraitSeedId: Seed["id"] | undefined;
  readonly count: number;
  /** Undefined: the studio's choice. */
  readonly workflowVersionId: Workflow["versionId"] | undefined;
  readonly baseRandomSeed: number | undefined;
  readonly prompt: string;
  readonly knobs: Readonly<Record<string, KnobValue>>;
}

const draft = signal<BatchDraft | undefined>(undefined);
const faults = signal<ApiError | undefined>(undefined);

/** What the form that shows holds; undefined where none shows. */
export function batchDraft(): BatchDraft | undefined {
  return draft.get();
}

export function setBatchDraft(next: BatchDraft | undefined): void {
  draft.set(next);
  faults.set(undefined);
}

let putBack: (() => void) | undefined;

/** How the form that shows puts its knobs back; undefined when it goes. */
export function onResetKnobs(act: (() => void) | undefined): void {
  putBack = act;
}

/** Puts the knobs of the form back to the workflow's own values. */
export function resetKnobs(): void {
  putBack?.();
}

/** What the studio found wrong with the draft when it was sent last. */
export function draftFaults(): ApiError | undefined {
  return faults.get();
}

export function setDraftFaults(problem: ApiError | undefined): void {
  faults.set(problem);
}

/** Workflows that make foundations and are in use. Throws ApiError. */
export async function readWorkflows(): Promise<readonly Workflow[]> {
  const { items } = await call(listWorkflows, { query: { role: "foundation_from_portrait", limit: 200 } });
  return items.filter(({ status }) => status === "active");
}

/** What a workflow takes: its knobs, whether a prompt means anything to it. Throws ApiError. */
export async function readManifest(versionId: Workflow["versionId"]): Promise<WorkflowManifest> {
  return (await call(getWorkflowVersion, { params: { versionId } })).manifest;
}

/** What the batch would take. Throws ApiError. */
export async function readEstimate(
  { characterId, count, workflowVersionId }: Pick<BatchDraft, "characterId" | "count" | "workflowVersionId">,
): Promise<VariationEstimate> {
  return await call(estimateVariations, {
    params: { characterId: characterId as Seed["characterId"] },
    query: { count, ...(workflowVersionId ? { workflowVersionId } : {}) },
  });
}
