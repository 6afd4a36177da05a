import * as z from "zod/mini";
import { errorMessage } from "#server/core/errors.ts";
import type { Log } from "#server/core/log.ts";
import type { Db } from "#server/db/db.ts";
import { listen, type Listener } from "#server/db/listen.ts";
import { Person } from "./contract.ts";

const Signal = z.object({ node: z.string(), projectId: z.string(), people: z.array(Person) });

export interface PresenceOptions {
  readonly db: Db;
  readonly log: Log;
  /** This process, as a row of server_nodes. */
  readonly nodeId: string;
  /** Who has this project open is another list now. */
  readonly changed: (projectId: string) => void;
}

const CHANNEL = "seedloop_presence";
/** The other processes are told again so often, and forget who was not told of for longer. */
const AGAIN_MS = 10_000;
const GOOD_MS = 25_000;
/** Beyond so many nobody looks at the list; it has to fit into one notification. */
const MOST_PEOPLE = 40;
const LONGEST_NAME = 60;

/**
 * Who has which project open, by their sockets: nothing is stored, and who is gone is gone. The studio's processes
 * tell each other by notifications of the database; one alone tells nobody.
 */
export class Presence {
  readonly #options: PresenceOptions;
  /** Socket → where its user is. */
  readonly #here = new Map<object, { readonly projectId: string; readonly person: Person }>();
  /** "node project" → who is there by that process's sockets. */
  readonly #there = new Map<string, { readonly people: readonly Person[]; readonly until: number }>();
  #listener: Listener | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  static async open(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(options);
    presence.#listener = await listen(options.db, CHANNEL, options.log, (text) => presence.#hear(text));
    presence.#timer = setInterval(() => presence.#tellAll(), AGAIN_MS);
    return presence;
  }

  private constructor(options: PresenceOptions) {
    this.#options = options;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#listener?.close().catch(() => {});
  }

  /** The user of this socket has the project open; undefined: none any more. */
  set(socket: object, now: { readonly projectId: string; readonly person: Person } | undefined): void {
    const before = this.#here.get(socket);
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    if (now) this.#here.set(socket, now);
    else this.#here.delete(socket);
    for (const projectId of new Set([before?.projectId, now?.projectId])) {
      if (projectId === undefined) continue;
      this.#options.changed(projectId);
      this.#tell(projectId);
    }
  }

  /** Who has the project open in any process, each once, by name; of several tabs what was opened last counts. */
  people(projectId: string): Person[] {
    const there = [...this.#there].filter(([key]) => key.endsWith(` ${projectId}`))
      .flatMap(([, { people, until }]) => until > performance.now() ? people : []);
    const byUser = new Map([...there, ...this.#peopleHere(projectId)].map((one) => [one.userId, one]));
    return [...byUser.values()].sort((one, other) => one.name.localeCompare(other.name)).slice(
      0,
      MOST_PEOPLE,
    );
  }

  #peopleHere(projectId: string): Person[] {
    return [...this.#here.values()].flatMap((one) => one.projectId === projectId ? [one.person] : []);
  }

  #tellAll(): void {
    for (const projectId of new Set([...this.#here.values()].map(({ projectId }) => projectId))) {
      this.#tell(projectId);
    }
    for (const [key, { until }] of this.#there) {
      if (until > performance.now()) continue;
      this.#there.delete(key);
      this.#options.changed(key.split(" ")[1] ?? "");
    }
  }

  #tell(projectId: string): void {
    const { db, nodeId, log } = this.#options;
    const people = this.#peopleHere(projectId).slice(-MOST_PEOPLE)
      .map((one) => ({ ...one, name: one.name.slice(0, LONGEST_NAME) }));
    const payload = JSON.stringify({ node: nodeId, projectId, people } satisfies z.infer<typeof Signal>);
    db`select pg_notify(${CHANNEL}, ${payload})
        where exists (select 1 from server_nodes
                       where id <> ${nodeId} and stopped_at is null and heartbeat_at > now() - interval '30 seconds')`
      // The database may be away: it is told again soon.
      .catch((error) => log.debug("who is here was not passed on", { reason: errorMessage(error) }));
  }

  #hear(text: string): void {
    if (text === "") return this.#tellAll();
    const parsed = Signal.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.node === this.#options.nodeId) return;
    const { node, projectId, people } = parsed.data;
    const key = `${node} ${projectId}`;
    const before = JSON.stringify(this.people(projectId));
    if (people.length === 0) this.#there.delete(key);
    else this.#there.set(key, { people, until: performance.now() + GOOD_MS });
    if (JSON.stringify(this.people(projectId)) !== before) this.#options.changed(projectId);
  }
}
