import { gzipSync } from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { buildClient, staticImports } from "./build_client.ts";

/** limits.md C1: what sign-in may cost. */
const SIGN_IN_GZIP_BYTES = 40_000;

Deno.test("buildClient() makes a page whose every file is there, and does nothing when nothing changed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seedloop_build_" });
  try {
    assertEquals((await buildClient(folder)).isNew, true);
    const page = await Deno.readTextFile(`${folder}/index.html`);
    const names = [...page.matchAll(/(?:href|src)="\/([^"]+)"/g)].map(([, name = ""]) => name);
    assert(names.length >= 6, page);
    for (const name of names) await Deno.stat(`${folder}/${name}`);
    const css = await Deno.readTextFile(`${folder}/${names.find((name) => /^page-.*css$/.test(name))}`);
    for (const [, name = ""] of css.matchAll(/url\("\/([^"]+)"\)/g)) await Deno.stat(`${folder}/${name}`);
    assertEquals((await buildClient(folder)).isNew, false);

    // A file that went missing is reason enough to build again; what nobody needs any more goes.
    await Deno.remove(`${folder}/index.html`);
    await Deno.writeTextFile(`${folder}/old-00000000.js`, "");
    assertEquals((await buildClient(folder)).isNew, true);
    await assertRejects(() => Deno.stat(`${folder}/old-00000000.js`), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the scripts of the sign-in page weigh less than 40 kB gzipped", async () => {
  const { folder } = await buildClient();
  const page = await Deno.readTextFile(`${folder}/index.html`);
  const names = new Set([...page.matchAll(/\/([\w.-]+\.js)"/g)].map(([, name = ""]) => name));
  for (const name of names) {
    for (const needed of staticImports(await Deno.readTextFile(`${folder}/${name}`))) names.add(needed);
  }
  let bytes = 0;
  for (const name of names) bytes += gzipSync(await Deno.readFile(`${folder}/${name}`), { level: 9 }).length;
  assert(names.size > 0);
  assert(bytes <= SIGN_IN_GZIP_BYTES, `${[...names].join(", ")} weigh ${bytes} bytes`);
});
