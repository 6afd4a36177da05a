import * as z from "zod/mini";
import { FailureClass } from "./handle.ts";

/** Why a running call is to stop: what the queue will make of it. */
export const StopReason = z.enum(["cancelled", "timeout", "lease_lost", "handed_back"]);
export type StopReason = z.infer<typeof StopReason>;

/** What a thread says of a call that did not succeed; the queue turns it into a retry, a failure or a cancel. */
export const CallFailure = z.object({
  /** give_up: fail now. try_later: wait, spend nothing. retry: by the class's rule. aborted: it was told to stop. */
  how: z.enum(["give_up", "try_later", "retry", "aborted"]),
  failureClass: FailureClass,
  message: z.string(),
  afterMs: z.optional(z.number()),
  stack: z.optional(z.string()),
});
export type CallFailure = z.infer<typeof CallFailure>;

/** Queue → thread, over the port between the two. `callId` is the id of the attempt. */
export const CallRequest = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("run"),
    callId: z.string(),
    jobId: z.string(),
    attempt: z.int(),
    kind: z.string(),
    input: z.unknown(),
    /** When its lease was asked for, by Date.now(). */
    leasedAt: z.optional(z.number()),
  }),
  z.object({ t: z.literal("cancel"), callId: z.string(), reason: StopReason }),
  /** The answer to "confirm". */
  z.object({ t: z.literal("confirmed"), callId: z.string(), isOurs: z.boolean() }),
  /** Anything a thread and the queue have agreed on beside jobs, e.g. which workers to watch. */
  z.object({ t: z.literal("tell"), about: z.string(), data: z.unknown() }),
]);
export type CallRequest = z.infer<typeof CallRequest>;

/** Thread → queue, over the same port. Exactly one of done and failed ends each call. */
export const CallReply = z.discriminatedUnion("t", [
  z.object({ t: z.literal("progress"), callId: z.string(), ratio: z.number(), note: z.optional(z.string()) }),
  z.object({
    t: z.literal("preview"),
    callId: z.string(),
    bytes: z.instanceof(Uint8Array),
    mediaType: z.string(),
  }),
  z.object({
    t: z.literal("log"),
    callId: z.string(),
    at: z.string(),
    level: z.enum(["debug", "info", "warn", "error"]),
    message: z.string(),
    fields: z.record(z.string(), z.unknown()),
  }),
  /** Is the run still this process's? Its lease is renewed on the way. */
  z.object({ t: z.literal("confirm"), callId: z.string() }),
  z.object({ t: z.literal("done"), callId: z.string(), output: z.unknown() }),
  z.object({ t: z.literal("failed"), callId: z.string(), failure: CallFailure }),
  z.object({ t: z.literal("tell"), about: z.string(), data: z.unknown() }),
]);
export type CallReply = z.infer<typeof CallReply>;

/** Main → thread, by the worker's own channel. `start` comes first and once. */
export const HostMessage = z.discriminatedUnion("t", [
  z.object({ t: z.literal("start"), name: z.string(), settings: z.unknown(), beatMs: z.number() }),
  /** A port to another thread comes along in the event's ports; `name` says whose. An old one of that name is void. */
  z.object({ t: z.literal("attach"), name: z.string() }),
  /** The thread at the other end of that port is gone; its running calls have failed. */
  z.object({ t: z.literal("detach"), name: z.string(), reason: z.string() }),
  /** Something that the main thread tells beside these, e.g. where the CPU engine listens. */
  z.object({ t: z.literal("tell"), about: z.string(), data: z.unknown() }),
  z.object({ t: z.literal("stop") }),
]);
export type HostMessage = z.infer<typeof HostMessage>;

/** Thread → main. */
export const ThreadMessage = z.discriminatedUnion("t", [
  z.object({ t: z.literal("ready") }),
  z.object({ t: z.literal("beat") }),
  z.object({ t: z.literal("line"), line: z.record(z.string(), z.unknown()) }),
  z.object({ t: z.literal("crashed"), message: z.string(), stack: z.optional(z.string()) }),
  z.object({ t: z.literal("stopped") }),
  /** Where the CPU engine listens, after each start of its process. */
  z.object({ t: z.literal("engine_ready"), url: z.string() }),
  /** The engine's process ended; another one is being started. */
  z.object({ t: z.literal("engine_lost"), reason: z.string() }),
  /** What the media thread found to work with, for the health page. */
  z.object({ t: z.literal("media_backend"), backend: z.unknown() }),
  /** What was just measured of a worker, by its id, or of this machine ("host"). */
  z.object({
    t: z.literal("vitals"),
    subject: z.string(),
    vitals: z.catchall(z.object({ at: z.string() }), z.nullable(z.union([z.number(), z.string()]))),
  }),
  /** For the live hub: worthless after a crash, so it never touches the database. */
  z.object({
    t: z.literal("progress"),
    jobId: z.string(),
    projectId: z.nullable(z.string()),
    ratio: z.number(),
    note: z.string(),
  }),
  z.object({
    t: z.literal("preview"),
    jobId: z.string(),
    projectId: z.nullable(z.string()),
    bytes: z.instanceof(Uint8Array),
    mediaType: z.string(),
  }),
  /** The thread asks its host to replace another one that no longer stops when told to. */
  z.object({ t: z.literal("restart_thread"), name: z.string(), reason: z.string() }),
]);
export type ThreadMessage = z.infer<typeof ThreadMessage>;
