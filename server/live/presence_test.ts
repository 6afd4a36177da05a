import { assertEquals } from "@std/assert/mod.js";
import { newId } from "#server/core/id.ts";
import { silentLog } from "#server/core/log.ts";
import { enterNode } from "#server/jobs/lease.ts";
import { givenMember, givenProject } from "#server/testing/fixtures.ts";
import { type LiveSocket, liveStudio } from "#server/testing/live_studio.ts";
import type { Person } from "./contract.ts";
import { Presence } from "./presence.ts";

/** The latest that a socket was told of who is in the project. */
function peopleOf(socket: LiveSocket, projectId: string): readonly Person[] | undefined {
  const told = socket.messages as { t: string; projectId?: string; people?: readonly Person[] }[];
  return told.findLast((one) => one.t === "presence" && one.projectId === projectId)?.people;
}

const where = (people: readonly Person[] | undefined) =>
  people?.map(({ userId, at }) => [userId, at?.id ?? null]);

Deno.test("Presence tells who follows a project who else has it open, where, and that they left", async () => {
  await using live = await liveStudio();
  const [ada, bob] = [await live.studio.as("creator"), await live.studio.as("reviewer")];
  const project = await givenProject(live.studio, { member: ada.user });
  await givenMember(live.studio, project, bob.user ?? { id: "" }, "reviewer");
  const [here, there] = [await live.open(ada), await live.open(bob)];
  for (const socket of [here, there]) await socket.subscribe([`project:${project.id}`]);
  const clip = { kind: "clip", id: newId() };
  here.send({ t: "here", projectId: project.id, at: null });
  there.send({ t: "here", projectId: project.id, at: clip });
  const both = new Map([[ada.user?.id ?? "", null], [bob.user?.id ?? "", clip.id]]);
  for (const socket of [here, there]) {
    await socket.until(() => where(peopleOf(socket, project.id))?.filter(([, at]) => at).length === 1);
    await socket.until(() => peopleOf(socket, project.id)?.length === 2);
    assertEquals(new Map(where(peopleOf(socket, project.id)) as [string, string | null][]), both);
  }
  await there.close();
  await here.until(() => peopleOf(here, project.id)?.length === 1);
  assertEquals(where(peopleOf(here, project.id)), [[ada.user?.id ?? "", null]]);
  here.send({ t: "here", projectId: null, at: null });
  await here.until(() => peopleOf(here, project.id)?.length === 0);
});

Deno.test("Presence shows nobody in a project that is not theirs, and tells strangers nothing", async () => {
  await using live = await liveStudio();
  const [ada, mallory] = [await live.studio.as("creator"), await live.studio.as("creator")];
  const project = await givenProject(live.studio, { member: ada.user });
  const [here, stranger] = [await live.open(ada), await live.open(mallory)];
  await here.subscribe([`project:${project.id}`]);
  await stranger.subscribe([`project:${project.id}`]);
  stranger.send({ t: "here", projectId: project.id, at: null });
  for (const odd of [{ projectId: "x", at: null }, { projectId: project.id, at: { kind: "<b>", id: "1" } }]) {
    stranger.send({ t: "here", ...odd });
  }
  await stranger.until(() => stranger.messages.filter(({ t }) => t === "error").length === 2);
  here.send({ t: "here", projectId: project.id, at: null });
  await here.until(() => peopleOf(here, project.id) !== undefined);
  assertEquals(where(peopleOf(here, project.id)), [[ada.user?.id ?? "", null]]);
  assertEquals(peopleOf(stranger, project.id), undefined);
});

Deno.test("Presence reaches the sockets of the studio's other processes", async () => {
  await using live = await liveStudio();
  const { db } = live.studio;
  const ada = await live.studio.as("creator");
  const project = await givenProject(live.studio, { member: ada.user });
  const here = await live.open(ada);
  await here.subscribe([`project:${project.id}`]);
  const nodes = [newId<"node">(), newId<"node">()] as const;
  for (const [pid, id] of nodes.entries()) await enterNode(db, { id, host: "b", pid, version: "0" });
  const neighbour = await Presence.open({ db, log: silentLog, nodeId: nodes[1], changed: () => {} });
  const socket = {};
  const person = { userId: newId(), name: "Bob", at: null };
  neighbour.set(socket, { projectId: project.id, person });
  await here.until(() => peopleOf(here, project.id)?.length === 1);
  assertEquals(peopleOf(here, project.id), [person]);
  neighbour.set(socket, undefined);
  await here.until(() => peopleOf(here, project.id)?.length === 0);
  await neighbour.close();
});
