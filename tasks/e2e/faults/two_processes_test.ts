import { assertEquals } from "@std/assert/mod.js";
import { LiveSocket } from "#server/testing/live_studio.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { FaultServer } from "#workers/comfy/testing/fault_server.ts";
import { drawRounds, FAULTS, MOMENTS, strikeOwner } from "./two_processes.ts";
import { TwoStudios } from "./two_studios.ts";

Deno.test("drawRounds() takes each fault at each moment before any twice, the same for the same seed", () => {
  const count = FAULTS.length * MOMENTS.length;
  const rounds = drawRounds(2 * count, 7);
  assertEquals(rounds, drawRounds(2 * count, 7));
  for (const half of [rounds.slice(0, count), rounds.slice(count)]) {
    assertEquals(new Set(half.map(({ fault, moment }) => `${fault} ${moment}`)).size, count);
  }
});

/** Signs in at one process and opens a socket at each by what that one gave. */
async function openSockets(two: TwoStudios): Promise<LiveSocket[]> {
  const [first = ""] = two.urls;
  const post = async (path: string, body: unknown, token?: string): Promise<Record<string, string>> => {
    const response = await fetch(first + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
    });
    const reply = await response.json();
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(reply)}`);
    return reply;
  };
  const admin = { login: "ada", displayName: "Ada", password: "a long password of hers" };
  let accessToken = "";
  // Both start at once and each prints a link: the one that was made last is good.
  for (const link of two.firstAdminUrls.map((url) => new URL(url).hash.slice(1))) {
    const reply = await post("/api/auth/links/accept", { ...admin, token: link }).catch(() => undefined);
    accessToken ||= reply?.accessToken ?? "";
  }
  const sockets: LiveSocket[] = [];
  for (const url of two.urls) {
    const { ticket = "" } = await post("/api/auth/socket-ticket", {}, accessToken);
    const socket = await LiveSocket.open(url, ticket);
    await socket.subscribe(["fleet"]);
    sockets.push(socket);
  }
  return sockets;
}

Deno.test("a process killed while its prompt runs is followed by the other, which finishes it and sends no second", async () => {
  await using database = await openTestDatabase();
  await using two = await TwoStudios.open(database.url);
  await using comfy = new FaultServer();
  const sockets = await openSockets(two);
  await two.addWorker(comfy.url);
  for (const socket of sockets) {
    await socket.until(() => socket.messages.some(({ code }) => code === "worker.changed"));
    await socket.close();
  }
  const round = { fault: "SIGKILL", moment: "running", isDatabaseHit: false, endsLate: true } as const;
  const { attempts, breaches } = await strikeOwner(two, comfy, round, false);
  assertEquals([attempts, breaches], [2, []]);
  // The one that is left answers.
  const owner = await two.findOwner();
  const reply = await fetch(`${two.urls[owner]}/readyz`);
  assertEquals(reply.status, 200);
  await reply.body?.cancel();
});
