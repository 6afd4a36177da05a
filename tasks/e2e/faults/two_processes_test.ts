import { assertEquals } from "@std/assert/mod.js";
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

Deno.test("a process killed while its prompt runs is followed by the other, which finishes it and sends no second", async () => {
  await using database = await openTestDatabase();
  await using two = await TwoStudios.open(database.url);
  await using comfy = new FaultServer();
  await two.addWorker(comfy.url);
  const round = { fault: "SIGKILL", moment: "running", isDatabaseHit: false, endsLate: true } as const;
  const { attempts, breaches } = await strikeOwner(two, comfy, round, false);
  assertEquals([attempts, breaches], [2, []]);
  // The one that is left answers, to whom the other would have let in.
  const owner = await two.findOwner();
  const reply = await fetch(`${two.urls[owner]}/readyz`);
  assertEquals(reply.status, 200);
  await reply.body?.cancel();
});
