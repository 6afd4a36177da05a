import { assertEquals, assertRejects } from "@std/assert/mod.js";
import fc from "fast-check";
import { changeProject, createProject, listProjects, type Project } from "#server/projects/contract.ts";
import { liveStudio } from "#server/testing/live_studio.ts";
import type { TestClient } from "#server/testing/test_studio.ts";
import { until } from "#server/testing/until.ts";
import { ApiError } from "./call.ts";
import { Live } from "./live.ts";
import { applyChange, orGone, Store, type StoreChange, type StoreState, viewOf } from "./store.ts";

interface Thing {
  readonly id: string;
  readonly name: string;
}

const idOf = ({ id }: Thing) => id;
const EMPTY: StoreState<Thing> = { facts: new Map(), attempts: [] };

function apply(state: StoreState<Thing>, ...changes: readonly StoreChange<Thing>[]): StoreState<Thing> {
  return changes.reduce((before, change) => applyChange(before, change, idOf), state);
}

const names = (state: StoreState<Thing>) => [...viewOf(state).values()].map(({ name }) => name);

const thing = fc.record({ id: fc.constantFrom("a", "b", "c"), name: fc.string({ maxLength: 2 }) });
const asOf = fc.nat({ max: 9 });
const rename = fc.record({ id: fc.constantFrom("a", "b", "c"), attemptId: fc.constantFrom("1", "2", "3") })
  .map(({ id, attemptId }): StoreChange<Thing> => ({
    kind: "attempt",
    ids: [id],
    attemptId,
    change: (item) => item && { ...item, name: `${item.name}${attemptId}` },
  }));
const changes: fc.Arbitrary<StoreChange<Thing>> = fc.oneof(
  fc.record({ kind: fc.constant("list" as const), items: fc.uniqueArray(thing, { selector: idOf }), asOf }),
  fc.record({ kind: fc.constant("item" as const), item: thing, asOf }).map((it) => ({
    ...it,
    id: it.item.id,
  })),
  fc.record({
    kind: fc.constant("item" as const),
    id: fc.constantFrom("a", "b"),
    item: fc.constant(undefined),
    asOf,
  }),
  rename,
  fc.record({ kind: fc.constant("settled" as const), attemptId: fc.constantFrom("1", "2", "3") }),
);

Deno.test("applyChange() gives the same state when the same change comes twice", () => {
  fc.assert(fc.property(fc.array(changes, { maxLength: 12 }), changes, (before, change) => {
    const once = apply(EMPTY, ...before, change);
    assertEquals(apply(once, change), once);
  }));
});

Deno.test("applyChange() ends with the same facts in whatever order answers arrive", () => {
  const items = fc.uniqueArray(fc.tuple(thing, fc.boolean()), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(items, fc.infiniteStream(fc.nat()), (list, order) => {
    const told = list.map(([item, isThere], at): StoreChange<Thing> => ({
      kind: "item",
      id: item.id,
      item: isThere ? item : undefined,
      asOf: at,
    }));
    const shuffled = told.map((change) => ({ change, at: order.next().value }))
      .sort((one, other) => one.at - other.at).map(({ change }) => change);
    const sorted = (state: StoreState<Thing>) => names(state).sort();
    assertEquals(sorted(apply(EMPTY, ...shuffled)), sorted(apply(EMPTY, ...told)));
  }));
});

Deno.test("applyChange() keeps what was learned after a slow list was asked for", () => {
  const old = { id: "a", name: "old" };
  const state = apply(
    EMPTY,
    { kind: "item", id: "a", item: { id: "a", name: "new" }, asOf: 2 },
    { kind: "item", id: "b", item: undefined, asOf: 3 },
    { kind: "list", items: [old, { id: "b", name: "deleted since" }, { id: "c", name: "c" }], asOf: 1 },
  );
  assertEquals(names(state), ["new", "c"]);
});

/** A project store on a real studio with its real socket, and a wait for what it shows. */
async function openStore(client: TestClient, url: string) {
  const sockets: WebSocket[] = [];
  const live = new Live({
    retryMs: 5,
    ticket: async () => (await client.post("/api/auth/socket-ticket")).body.ticket,
    open: (ticket) => {
      const address = `${url.replace("http", "ws")}/api/live?ticket=${encodeURIComponent(ticket)}`;
      const socket = new WebSocket(address);
      sockets.push(socket);
      return socket;
    },
  });
  const studio = { isDown: false, reads: 0 };
  const ask = async <T>(path: string): Promise<T> => {
    studio.reads++;
    if (studio.isDown) throw new ApiError(0, "unreachable", "The studio does not answer");
    const answer = await client.get(path);
    if (answer.status >= 400) throw new ApiError(answer.status, answer.body.code, answer.body.detail);
    return answer.body;
  };
  const store: Store<Project> = new Store<Project>({
    idOf: ({ id }) => id,
    list: async () => (await ask<{ items: Project[] }>("/api/projects")).items,
    read: (id) => orGone(ask<Project>(`/api/projects/${id}`)),
    topics: () => [`user:${client.user?.id}`, ...store.items.map(({ id }) => `project:${id}`)],
    concerns: ({ data }) => [(data as { projectId: string }).projectId],
    keeps: ({ status }) => status !== "trashed",
  }, live);
  const close = store.open();
  live.start();
  const holds = (what: () => boolean) => until(String(what), what, { everyMs: 5 });
  await holds(() => store.isKnown && live.state === "live");
  return {
    store,
    live,
    studio,
    sockets,
    holds,
    [Symbol.dispose]: () => {
      close();
      live.stop();
    },
  };
}

const shownNames = (store: Store<Project>) => store.items.map(({ name }) => name).join();

Deno.test("Store shows others' changes, and the last facts as stale while the studio is away", async () => {
  await using world = await liveStudio();
  const artist = await world.studio.as("creator");
  using opened = await openStore(artist, world.url);
  const { store, studio, sockets, holds } = opened;
  const project = await artist.call(createProject, { body: { name: "One" } as never });
  await holds(() => shownNames(store) === "One");
  const params = { projectId: project.id };
  await artist.call(changeProject, { params, body: { name: "Two" } });
  await holds(() => shownNames(store) === "Two");

  studio.isDown = true;
  sockets.at(-1)?.close();
  await artist.call(changeProject, { params, body: { name: "Three" } });
  await holds(() => store.isStale && store.problem !== undefined);
  assertEquals(shownNames(store), "Two");
  studio.isDown = false;
  sockets.at(-1)?.close();
  await holds(() => shownNames(store) === "Three" && !store.isStale);
});

Deno.test("Store.act() shows a change at once and takes it back when it is refused", async () => {
  await using world = await liveStudio();
  const artist = await world.studio.as("creator");
  using opened = await openStore(artist, world.url);
  const { store } = opened;
  const project = await artist.call(createProject, { body: { name: "One" } as never });
  store.put(project);
  const send = async (name: string) => {
    const answer = await artist.patch(`/api/projects/${project.id}`, { name });
    if (answer.status >= 400) throw new ApiError(answer.status, answer.body.code, answer.body.detail);
    return answer.body as Project;
  };
  const change = (name: string) =>
    store.act(project.id, (known) => known && { ...known, name }, () => send(name));

  const accepted = change("Two");
  assertEquals([shownNames(store), store.isPending(project.id)], ["Two", true]);
  await accepted;
  assertEquals([shownNames(store), store.isPending(project.id)], ["Two", false]);
  const refused = change("x".repeat(121));
  assertEquals(shownNames(store).length, 121);
  await assertRejects(() => refused, ApiError);
  assertEquals([shownNames(store), store.isPending(project.id)], ["Two", false]);
  assertEquals((await artist.call(listProjects, { query: {} as never })).items[0]?.name, "Two");
});
