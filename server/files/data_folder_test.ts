import { join } from "@std/path/mod.js";
import { assertEquals } from "@std/assert/mod.js";
import { emptyWork, prepareFolder } from "./data_folder.ts";

async function listNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("emptyWork removes what a killed studio left in work, and nothing else", async () => {
  const root = await Deno.makeTempDir();
  try {
    await prepareFolder(root);
    await Deno.mkdir(join(root, "work", "call", "frames"), { recursive: true });
    await Deno.writeTextFile(join(root, "work", "call", "frames", "1.png"), "half");
    await Deno.writeTextFile(join(root, "work", "lone"), "half");
    await Deno.writeTextFile(join(root, "store", "kept"), "whole");
    await prepareFolder(root);
    assertEquals(
      await listNames(join(root, "work")),
      ["call", "lone"],
      "a second studio must not take it away",
    );
    await emptyWork(root);
    assertEquals(await listNames(join(root, "work")), []);
    assertEquals(await listNames(join(root, "store")), ["kept"]);
    assertEquals(await listNames(root), ["store", "trash", "work"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
