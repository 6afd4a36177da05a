import * as z from "zod/mini";
import { endpoint } from "#server/core/endpoint.ts";
import { ContentHash } from "#server/core/file_ref.ts";
import { id } from "#server/core/id.ts";
import { Instant } from "#server/core/time.ts";
import { ClipState } from "#server/clips/contract.ts";

export const DecisionKind = z.enum(["approve", "reject", "finalize", "flag"]);
export type DecisionKind = z.infer<typeof DecisionKind>;

export const Decision = z.object({
  id: id("decision"),
  cutId: id("cut"),
  kind: DecisionKind,
  /** SHA-256 of the very file that was decided on. */
  hash: ContentHash,
  decidedBy: z.nullable(z.object({ id: id("user"), name: z.string() })),
  decidedAt: Instant,
  note: z.string(),
  undoneAt: z.nullable(Instant),
});
export type Decision = z.infer<typeof Decision>;

const cutParams = z.object({ cutId: id("cut") });
const Note = z.string().check(z.maxLength(8000));
const DecisionInput = z.object({
  id: z.optional(id("decision")),
  note: z._default(Note, ""),
  /** The file that was seen; refused if the cut is another one by now. */
  hash: z.optional(ContentHash),
});

export const listDecisions = endpoint({
  method: "GET",
  path: "/cuts/:cutId/decisions",
  can: "project.read",
  summary: "What was decided about a cut, oldest first",
  params: cutParams,
  reply: z.array(Decision),
});

export const approveCut = endpoint({
  method: "POST",
  path: "/cuts/:cutId/approve",
  can: "review.decide",
  summary: "Approve a cut for quality; it is not final by that",
  params: cutParams,
  body: DecisionInput,
  reply: Decision,
});

export const rejectCut = endpoint({
  method: "POST",
  path: "/cuts/:cutId/reject",
  can: "review.decide",
  summary: "Reject a cut",
  params: cutParams,
  body: DecisionInput,
  reply: Decision,
});

export const finalizeCut = endpoint({
  method: "POST",
  path: "/cuts/:cutId/finalize",
  can: "review.finalize",
  summary: "Make a cut its clip's final one: approval, protection and video_metadata in one step",
  params: cutParams,
  body: DecisionInput,
  reply: ClipState,
});

export const undoDecision = endpoint({
  method: "POST",
  path: "/decisions/:decisionId/undo",
  can: "review.decide",
  summary: "Take a decision back; undoing a finalization needs the right to finalize",
  params: z.object({ decisionId: id("decision") }),
  reply: ClipState,
});
