import { gzipSync } from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { buildClient, staticImports } from "./build_client.ts";

/** limits.md C1: what sign-in may cost, and the way from there to the first panel that works. */
const SIGN_IN_GZIP_BYTES = 40_000;
const FIRST_PANEL_GZIP_BYTES = 200_000;

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

/** Panels with which one begins, or that a link leads to, and the commands that come with each. */
const FIRST_PANELS: readonly (readonly [panel: string, commands: string])[] = [
  ["projects_panel", "projectCommands"],
  ["first_run_panel", "firstRunCommands"],
  ["characters_panel", "characterCommands"],
  ["variations_panel", "seedCommands"],
  ["clip_panel", "clipCommands"],
  ["queue_panel", "jobCommands"],
];

Deno.test("the scripts of the sign-in page weigh less than 40 kB gzipped", async () => {
  const { folder } = await buildClient();
  const scripts = await scriptsOf(folder, await namesInPage(folder));
  const bytes = weigh(scripts);
  assert(scripts.size > 0);
  assert(bytes <= SIGN_IN_GZIP_BYTES, `${[...scripts.keys()].join(", ")} weigh ${bytes} bytes`);
});

Deno.test("from sign-in to the first panel, with its commands, the scripts weigh less than 200 kB gzipped", async () => {
  const { folder } = await buildClient();
  const page = await namesInPage(folder);
  const signIn = await scriptsOf(folder, page);
  const studio = find(signIn, /"\.\/(studio-\w+\.js)"/);
  const shell = await scriptsOf(folder, [...page, studio]);
  for (const lazy of ["palette", "key_sheet"]) {
    const name = find(shell, new RegExp(`import\\("\\./(${lazy}-\\w+\\.js)"\\)`));
    assert(!shell.has(name), `${lazy} is fetched before anybody asked for it`);
  }
  for (const [panel, commands] of FIRST_PANELS) {
    const first = await scriptsOf(folder, [
      ...shell.keys(),
      find(shell, new RegExp(`import\\("\\./(${panel}-\\w+\\.js)"\\)`)),
      find(shell, new RegExp(`import\\("\\./([\\w-]+\\.js)"\\)\\)\\.${commands}\\b`)),
    ]);
    const bytes = weigh(first);
    assert(bytes <= FIRST_PANEL_GZIP_BYTES, `${first.size} scripts until ${panel} weigh ${bytes} bytes`);
  }
});

type Scripts = ReadonlyMap<string, string>;

/** `names` and every script that they need before they can run, with their text. */
async function scriptsOf(folder: string, names: Iterable<string>): Promise<Scripts> {
  const scripts = new Map<string, string>();
  const wanted = new Set(names);
  for (const name of wanted) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    scripts.set(name, text);
    for (const needed of staticImports(text)) wanted.add(needed);
  }
  return scripts;
}

async function namesInPage(folder: string): Promise<string[]> {
  const page = await Deno.readTextFile(`${folder}/index.html`);
  return [...page.matchAll(/\/([\w.-]+\.js)"/g)].map(([, name = ""]) => name);
}

/** The name that the first group of `pattern` finds in one of the scripts. */
function find(scripts: Scripts, pattern: RegExp): string {
  for (const text of scripts.values()) {
    const name = pattern.exec(text)?.[1];
    if (name) return name;
  }
  throw new Error(`No script says ${pattern}`);
}

function weigh(scripts: Scripts): number {
  let bytes = 0;
  for (const text of scripts.values()) bytes += gzipSync(text, { level: 9 }).length;
  return bytes;
}
