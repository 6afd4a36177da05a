import { assertEquals } from "@std/assert/mod.js";
import { silentLog } from "#server/core/log.ts";
import { insertFile } from "#server/assets/service.ts";
import { openLocalStore } from "#server/files/local_store.ts";
import { openTestDatabase } from "#server/testing/test_database.ts";
import { findMissingFiles, sweepOrphans } from "./service.ts";

Deno.test("sweepOrphans() removes old files without a row and nothing else", async () => {
  await using database = await openTestDatabase();
  const root = await Deno.makeTempDir();
  const store = await openLocalStore(root);
  const known = await store.put(new TextEncoder().encode("known"), "text/plain");
  const orphan = await store.put(new TextEncoder().encode("orphan"), "text/plain");
  await insertFile(database.db, known);
  assertEquals(
    (await sweepOrphans(database.db, store, silentLog)).orphans,
    0,
    "a young file may have its row tomorrow",
  );
  const tomorrow = new Date(Date.now() + 2 * 86_400_000);
  assertEquals(await sweepOrphans(database.db, store, silentLog, tomorrow), {
    files: 2,
    orphans: 1,
    orphanBytes: 6,
  });
  assertEquals(await store.size(orphan.hash), undefined);
  assertEquals(await store.size(known.hash), 5);
  await Deno.remove(root, { recursive: true });
});

Deno.test("findMissingFiles() names rows whose file is gone", async () => {
  await using database = await openTestDatabase();
  const root = await Deno.makeTempDir();
  const store = await openLocalStore(root);
  const file = await store.put(new TextEncoder().encode("here today"), "text/plain");
  await insertFile(database.db, file);
  assertEquals(await findMissingFiles(database.db, store), []);
  await store.remove(file.hash);
  assertEquals(await findMissingFiles(database.db, store), [file.hash]);
  await Deno.remove(root, { recursive: true });
});
