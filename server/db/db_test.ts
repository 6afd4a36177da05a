import { assertEquals } from "@std/assert/mod.js";
import { openTestDatabase } from "#server/testing/test_database.ts";

Deno.test("instants come as ISO-8601 to the millisecond, as Date reads them, from any year", async () => {
  await using database = await openTestDatabase();
  const texts = [
    "2026-11-22 21:00:00+00",
    "2026-11-22 21:00:00.1+00",
    "2026-11-22 21:00:00.123456+00",
    "2026-11-22 21:00:00.9999+00",
    "1969-12-31 23:59:59.999+00",
    "2026-07-01 00:00:00+05:30",
  ];
  for (const text of texts) {
    const [row] = await database.db<{ at: string }[]>`select ${text}::text::timestamptz as at`;
    assertEquals(row?.at, new Date(text).toISOString(), text);
  }
});

Deno.test("a pool reaches the embedded database by its socket file as by loopback", async () => {
  await using database = await openTestDatabase();
  const [row] = await database.db<{ peer: string | null }[]>`select inet_client_addr()::text as peer`;
  const isBySocket = new URL(database.url).searchParams.has("host");
  assertEquals(row?.peer === null, isBySocket);
});
