import { signal } from "@lit-labs/signals";
import { call } from "#client/core/call.ts";
import { callPages } from "#client/core/store.ts";
import { getWorkflowVersion, listWorkflows, type Workflow } from "#server/workflows/contract.ts";
import type { WorkflowManifest } from "#server/workflows/manifest.ts";

type VersionId = Workflow["versionId"];

const known = signal<readonly Workflow[] | undefined>(undefined);
const manifests = signal<ReadonlyMap<string, WorkflowManifest>>(new Map());
const asked = new Set<string>();

/** Workflows that make video from a picture; undefined until they are read, which reading this begins. */
export function videoWorkflows(): readonly Workflow[] | undefined {
  void once(
    "list",
    async () => known.set(await callPages(listWorkflows, { query: { role: "image_to_video" } })),
  );
  return known.get();
}

/** What a workflow version tells of itself: its knobs. Undefined until it is read, which reading this begins. */
export function manifestOf(versionId: VersionId | undefined): WorkflowManifest | undefined {
  if (versionId === undefined) return undefined;
  void once(versionId, async () => {
    const { manifest } = await call(getWorkflowVersion, { params: { versionId } });
    manifests.set(new Map(manifests.get()).set(versionId, manifest));
  });
  return manifests.get().get(versionId);
}

/** A version never changes; a list that was read stays for the visit. What failed is asked for at the next look. */
async function once(key: string, read: () => Promise<void>): Promise<void> {
  if (asked.has(key)) return;
  asked.add(key);
  // Not while something renders that reads it.
  await Promise.resolve();
  await read().catch(() => asked.delete(key));
}
