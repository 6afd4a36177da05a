import type { Actor } from "#server/core/actor.ts";
import { ERROR_STATUS, type ErrorCode, errorMessage } from "#server/core/errors.ts";
import { newId } from "#server/core/id.ts";
import type { LiveEvent } from "#server/core/event.ts";
import type { Log } from "#server/core/log.ts";
import { PROBLEM_TITLES } from "#server/http/on_error.ts";
import { isSameOrigin } from "#server/http/security_headers.ts";
import type { Db } from "#server/db/db.ts";
import { listen, type Listener } from "#server/db/listen.ts";
import { EventReader, listEvents, newestSeq, oldestSeq } from "./event_reader.ts";
import { LiveClient } from "./live_client.ts";
import { HOST, type OpenThing } from "./contract.ts";
import { Presence } from "./presence.ts";
import { type JobPreview, type JobProgress, LiveRelay, topicOf, type VitalsNews } from "./relay.ts";
import { mayHear } from "./topics.ts";

/** Tells who opens a socket, and whether they still may. */
export interface SocketActors {
  read(token: string): Promise<Actor | undefined>;
  readTicket(ticket: string): Promise<Actor | undefined>;
  isOpen(actor: Actor): Promise<boolean>;
  /** What was believed of them is to be asked anew. */
  forget(userId: string): void;
}

export interface HubOptions {
  readonly db: Db;
  readonly actors: SocketActors;
  readonly log: Log;
  /** This process among those of the studio; one of its own by default. */
  readonly nodeId?: string;
}

/** Sockets that one user may hold open. */
const MAX_SOCKETS = 8;
/** Events that a reconnecting client is sent one by one; with more missed it is told to read the state anew. */
const MAX_REPLAY = 5_000;
const RECHECK_MS = 60_000;

/**
 * Everything live goes over one authenticated socket per client, `/api/live`: events of the topics it asked for, in
 * order and each once, with replay after a reconnection; job progress and previews, latest wins.
 */
export class LiveHub {
  readonly #options: HubOptions;
  readonly #clients = new Set<LiveClient>();
  readonly #reader: EventReader;
  #listener: Listener | undefined;
  #relay: LiveRelay | undefined;
  #presence: Presence | undefined;
  #recheck: ReturnType<typeof setInterval> | undefined;

  /** Throws when the database is away; nothing of it is left then. */
  static async open(options: HubOptions): Promise<LiveHub> {
    const hub = new LiveHub(options);
    try {
      await hub.#open();
      return hub;
    } catch (error) {
      await hub.close();
      throw error;
    }
  }

  private constructor(options: HubOptions) {
    this.#options = options;
    this.#reader = new EventReader(options.db, options.log, (event) => this.#deliver(event), () => {
      // They come back at once, and find that they know more than there is.
      for (const client of this.#clients) client.close(1012, "The database was set back: reconnect");
    });
  }

  async #open(): Promise<void> {
    const { db, log, nodeId = newId<"server node">() } = this.#options;
    await this.#reader.start();
    this.#listener = await listen(db, "seedloop_events", log, (payload) => {
      if (payload === "") this.#reader.reconnected();
      else this.#reader.wake();
    });
    this.#presence = await Presence.open({ db, log, nodeId, changed: (id) => this.#showPresence(id) });
    this.#relay = await LiveRelay.open({
      db,
      log,
      nodeId,
      topics: () => this.#followed(),
      onProgress: (progress) => this.#showProgress(progress),
      onPreview: (preview) => this.#showPreview(preview),
      onVitals: (news) => this.#showVitals(news),
    });
    this.#recheck = setInterval(() => void this.#recheckAll(), RECHECK_MS);
  }

  get socketCount(): number {
    return this.#clients.size;
  }

  /** Answers the upgrade of a socket, or refuses it. Everything is read before the upgrade; after it the request is gone. */
  async accept(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (!isSameOrigin(request)) {
      return refuse("forbidden", "This origin may not open a socket here");
    }
    const isSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    // A ticket opens one socket: anything else does not use it up.
    const actor = isSocket || !url.searchParams.has("ticket")
      ? await this.#readActor(request, url)
      : undefined;
    if (!actor) {
      return refuse(
        "unauthenticated",
        "Sign in first: send an API token in the Authorization header, or ask /api/auth/socket-ticket for a ticket",
      );
    }
    if (!isSocket) return refuse("invalid", "Open this address as a WebSocket", 426);
    if ([...this.#clients].filter((client) => client.actor.userId === actor.userId).length >= MAX_SOCKETS) {
      return refuse("limited", `More than ${MAX_SOCKETS} open sockets: close one first`);
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 60 });
    const client: LiveClient = new LiveClient(socket, actor, {
      subscribe: (topics, after) => this.#subscribe(client, topics, after),
      here: (projectId, at) => void this.#place(client, projectId, at),
      closed: () => {
        this.#clients.delete(client);
        this.#presence?.set(client, undefined);
      },
      opened: () => client.hello(this.#reader.lastSeq),
    });
    this.#clients.add(client);
    return response;
  }

  /** Tells those who follow the project how far a job is, also at other processes. Worthless after a crash: no replay. */
  progress(progress: JobProgress): void {
    this.#showProgress(progress);
    this.#relay?.progress(progress);
  }

  /** A picture of a job's work so far; the same bytes go to every client. Other processes get two a second of a job. */
  preview(preview: JobPreview): void {
    this.#showPreview(preview);
    this.#relay?.preview(preview);
  }

  #showProgress(progress: JobProgress): void {
    for (const client of this.#listeners(progress.projectId)) client.progress(progress);
  }

  #showPreview(message: JobPreview): void {
    const header = new TextEncoder().encode(
      JSON.stringify({ jobId: message.jobId, mediaType: message.mediaType }),
    );
    const frame = new Uint8Array(4 + header.length + message.bytes.length);
    new DataView(frame.buffer).setUint32(0, header.length);
    frame.set(header, 4);
    frame.set(message.bytes, 4 + header.length);
    for (const client of this.#listeners(message.projectId)) client.preview(message.jobId, frame);
  }

  /**
   * Tells those who follow the fleet how a worker, at other processes too, or this machine is now. The latest counts:
   * no row, no replay.
   */
  vitals(news: VitalsNews): void {
    this.#showVitals(news);
    // Each process has a machine of its own, and its people are told of that one.
    if (news.subject !== HOST) this.#relay?.vitals(news);
  }

  #showVitals(message: VitalsNews): void {
    for (const client of this.#clients) if (client.topics.has("fleet")) client.vitals(message);
  }

  async close(): Promise<void> {
    clearInterval(this.#recheck);
    for (const client of this.#clients) client.close(1001, "The studio stops");
    this.#clients.clear();
    this.#reader.stop();
    await this.#relay?.close();
    await this.#presence?.close();
    await this.#listener?.close().catch(() => {});
  }

  *#listeners(projectId: string | null): Iterable<LiveClient> {
    const topic = topicOf(projectId);
    for (const client of this.#clients) if (client.topics.has(topic)) yield client;
  }

  *#followed(): Iterable<string> {
    for (const client of this.#clients) yield* client.topics;
  }

  /** Where a client's user is, for all who follow that project; a place that is not theirs to see is none. */
  async #place(client: LiveClient, projectId: string | null, at: OpenThing): Promise<void> {
    const { db, log } = this.#options;
    const { actor } = client;
    try {
      const mayBe = projectId !== null && await mayHear(db, actor, `project:${projectId}`);
      const name = mayBe ? await readName(db, actor.userId) : undefined;
      if (!this.#clients.has(client)) return;
      const here = projectId !== null && name !== undefined
        ? { projectId, person: { userId: actor.userId, name, at } }
        : undefined;
      this.#presence?.set(client, here);
      if (here) client.presence(here.projectId, this.#presence?.people(here.projectId) ?? []);
    } catch (error) {
      log.warn("who is here is not known", { reason: errorMessage(error) });
    }
  }

  #showPresence(projectId: string): void {
    const people = this.#presence?.people(projectId) ?? [];
    for (const client of this.#listeners(projectId)) client.presence(projectId, people);
  }

  async #readActor(request: Request, url: URL): Promise<Actor | undefined> {
    const ticket = url.searchParams.get("ticket");
    if (ticket) return await this.#options.actors.readTicket(ticket);
    const header = request.headers.get("authorization");
    return header?.startsWith("Bearer ")
      ? await this.#options.actors.read(header.slice("Bearer ".length).trim())
      : undefined;
  }

  #deliver(event: LiveEvent): void {
    for (const client of this.#clients) if (client.topics.has(event.topic)) client.event(event);
    if (event.code === "session.revoked") this.#closeRevoked(event.data as Revoked);
    if (event.code === "user.changed") this.#closeUser(event.data as Changed);
    // Somebody may have been taken out of the project.
    if (event.code === "project.changed") void this.#recheckTopic(event.topic);
  }

  #closeRevoked({ sessionIds = [], tokenIds = [] }: Revoked): void {
    for (const client of this.#clients) {
      const { sessionId, tokenId } = client.actor;
      const isRevoked = (sessionId && sessionIds.includes(sessionId)) ||
        (tokenId && tokenIds.includes(tokenId));
      if (isRevoked) client.close(4401, "Your session has ended");
    }
  }

  /** What the user may hear has changed with their role: they come back as who they are now. */
  #closeUser({ userId, hasNewRights = false }: Changed): void {
    if (!hasNewRights || userId === undefined) return;
    // First: whoever asks again at once is answered as who they are now, and so is their next socket.
    this.#options.actors.forget(userId);
    for (const client of this.#clients) {
      if (client.actor.userId === userId) client.close(4403, "Your rights have changed: reconnect");
    }
  }

  async #recheckTopic(topic: string): Promise<void> {
    for (const client of this.#clients) {
      if (!client.topics.has(topic)) continue;
      const mayStill = await mayHear(this.#options.db, client.actor, topic).catch((error) => {
        this.#options.log.warn("topic check failed", { reason: errorMessage(error) });
        return true;
      });
      if (mayStill) continue;
      client.topics.delete(topic);
      this.#presence?.set(client, undefined);
    }
  }

  async #subscribe(client: LiveClient, topics: readonly string[], after: number | undefined): Promise<void> {
    const allowed: string[] = [];
    for (const topic of topics) if (await mayHear(this.#options.db, client.actor, topic)) allowed.push(topic);
    // A number beyond all that there are is from before the database was set back.
    const known = after !== undefined && after <= await newestSeq(this.#options.db) ? after : 0;
    // From here on live events are kept back, so that the replay comes first and nothing falls between.
    client.hold(allowed, known);
    this.#relay?.watch();
    // Exactly what came up to here is replayed; all that is kept back is newer.
    const horizon = this.#reader.lastSeq;
    try {
      if (after !== undefined) await this.#replay(client, allowed, after, horizon);
    } finally {
      client.release(allowed, topics.filter((topic) => !allowed.includes(topic)), horizon);
    }
  }

  async #replay(
    client: LiveClient,
    topics: readonly string[],
    after: number,
    horizon: number,
  ): Promise<void> {
    const oldest = await oldestSeq(this.#options.db);
    const missed = await listEvents(this.#options.db, {
      topics,
      after,
      upTo: horizon,
      limit: MAX_REPLAY + 1,
    });
    if (missed.length > MAX_REPLAY || (oldest !== undefined && after + 1 < oldest)) {
      client.resync("Too much has happened since");
      return;
    }
    for (const event of missed) {
      // A client that has missed a lot is not a slow one: it is given time to take it.
      await client.roomToSend();
      client.event(event, true);
    }
  }

  async #recheckAll(): Promise<void> {
    for (const client of this.#clients) {
      const isOpen = await this.#options.actors.isOpen(client.actor).catch((error) => {
        this.#options.log.warn("session check failed", { reason: errorMessage(error) });
        return true;
      });
      if (!isOpen) client.close(4401, "Your session has ended");
    }
  }
}

interface Revoked {
  readonly sessionIds?: string[];
  readonly tokenIds?: string[];
}

interface Changed {
  readonly userId?: string;
  readonly hasNewRights?: boolean;
}

async function readName(db: Db, userId: string): Promise<string | undefined> {
  const [row] = await db<{ displayName: string }[]>`select display_name from users where id = ${userId}`;
  return row?.displayName;
}

function refuse(code: ErrorCode, detail: string, status: number = ERROR_STATUS[code]): Response {
  const problem = {
    type: `/problems/${code}`,
    title: PROBLEM_TITLES[code],
    status,
    code,
    detail,
    instance: "/api/live",
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}
