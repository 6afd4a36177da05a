import { assertEquals } from "@std/assert/mod.js";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { isPassing } from "./sql_error.ts";

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

Deno.test("isPassing() knows a lost connection from a broken pipe or a missing file of something else", () => {
  const lost = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });
  assertEquals(
    [
      lost("EPIPE", "write"),
      lost("EPIPE"),
      lost("ENOENT", "connect"),
      lost("ETIMEDOUT"),
      lost("CONNECTION_CLOSED"),
    ].map(
      isPassing,
    ),
    [true, true, true, true, true],
  );
  const other = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  assertEquals([other, lost("ENOENT", "open")].map(isPassing), [false, false]);
});
