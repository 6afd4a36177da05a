import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, errorMessage } from "#server/core/errors.ts";
import { bundle, BUNDLER } from "./bundle.ts";

const ROOT = dirname(fileURLToPath(import.meta.resolve("#client/")));
const CLIENT = join(ROOT, "client");

/** Where the built client lies: what the studio serves. */
export const CLIENT_DIST: string = join(CLIENT, "dist");

const FONTS: readonly (readonly [name: string, file: string])[] = [
  ["inter.woff2", "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"],
  [
    "jetbrains-mono.woff2",
    "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
  ],
];

/** What a build leaves beside its files. Its name starts with a dot, so it is never served. */
interface BuildRecord {
  /** SHA-256 of everything that went in. */
  readonly sources: string;
  readonly files: readonly string[];
}

export interface ClientBuild {
  readonly folder: string;
  /** False when the last build was still good. */
  readonly isNew: boolean;
}

/**
 * Bundles the client into `folder`, unless it is newer than its sources already. Every file but index.html and the
 * icon carries a hash of its content in its name, and index.html is switched last: a build that fails, or is killed,
 * leaves the old client whole, and pages that are open keep finding the parts they were made with. Throws AppError.
 */
export async function buildClient(folder: string = CLIENT_DIST): Promise<ClientBuild> {
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(join(folder, ".lock"), { create: true, write: true });
  await lock.lock(true);
  const sources = await hashSources();
  const last = await readRecord(folder);
  if (last?.sources === sources && await areThere(folder, last.files)) return { folder, isNew: false };
  const work = await Deno.makeTempDir({ prefix: "seedloop_client_" });
  try {
    await bundleInto(work);
    const files = await place(work, folder);
    await keepOnly(folder, [...files, ...last?.files ?? []]);
    await writeDurably(join(folder, ".build.json"), JSON.stringify({ sources, files } satisfies BuildRecord));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return { folder, isNew: true };
}

async function bundleInto(outFolder: string): Promise<void> {
  try {
    await bundle({ file: join(CLIENT, "main.ts"), outFolder });
  } catch (error) {
    throw new AppError(
      "internal",
      `Cannot build the client: mend what is named below\n${errorMessage(error)}`,
    );
  }
}

/** Puts everything into `folder` under its final name, index.html last, and returns the names. */
async function place(work: string, folder: string): Promise<string[]> {
  const names = new Map<string, string>();
  const put = async (name: string, content: Uint8Array<ArrayBuffer> | string): Promise<string> => {
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
    const stem = basename(name, extname(name));
    const hashed = isBundled(name) ? name : `${stem}-${hash}${extname(name)}`;
    names.set(name, hashed);
    await writeDurably(join(folder, hashed), content);
    return hashed;
  };
  const require = createRequire(import.meta.url);
  for (const [name, file] of FONTS) await put(name, await Deno.readFile(require.resolve(file)));
  for (const name of ["tokens.css", "page.css"]) {
    await put(name, rename(await Deno.readTextFile(join(CLIENT, "design", name)), names));
  }
  const scripts = await listScripts(work);
  for (const name of scripts.filter(isBundled)) await put(name, await Deno.readFile(join(work, name)));
  const main = await Deno.readTextFile(join(work, "main.js"));
  await put("main.js", main);
  await writeDurably(join(folder, "icon.svg"), await Deno.readFile(join(CLIENT, "design", "icon.svg")));
  const page = rename(await Deno.readTextFile(join(CLIENT, "index.html")), names)
    .replace("</title>", `</title>${staticImports(main).map(preload).join("")}`);
  await writeDurably(join(folder, "index.html"), page);
  return [...names.values(), "icon.svg", "index.html"];
}

/** `text` with every "/name" of a file replaced by the name it got. */
function rename(text: string, names: ReadonlyMap<string, string>): string {
  return text.replaceAll(/"\/([\w.-]+)"/g, (whole, name: string) => {
    const hashed = names.get(name);
    return hashed ? `"/${hashed}"` : whole;
  });
}

function preload(name: string): string {
  return `\n    <link rel="modulepreload" href="/${name}">`;
}

/** The scripts that `script` needs before it can run; those it loads later are not among them. */
export function staticImports(script: string): string[] {
  return [...script.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)].map(([, name = ""]) => name);
}

/** The bundler has put a hash into the names of all but the entry, and its scripts name each other so. */
function isBundled(name: string): boolean {
  return name.endsWith(".js") && name !== "main.js";
}

async function listScripts(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".js")) names.push(name);
  return names.sort();
}

/** Everything that a build depends on: the client, what it may import of the server, the pinned packages. */
async function hashSources(): Promise<string> {
  const files = [join(ROOT, "import_map.json"), fileURLToPath(import.meta.url), BUNDLER];
  for await (const path of walkFiles(CLIENT)) files.push(path);
  for await (const path of walkFiles(join(ROOT, "server"))) {
    if (/[\\/](core[\\/][^\\/]+|contract|job_kinds)\.ts$/.test(path)) files.push(path);
  }
  const hash = createHash("sha256").update(Deno.version.deno);
  for (const path of files.sort()) {
    if (!path.endsWith("_test.ts")) {
      hash.update(path.slice(ROOT.length)).update("\0").update(await Deno.readFile(path));
    }
  }
  return hash.digest("hex");
}

async function* walkFiles(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (!isDirectory) yield path;
    else if (path !== CLIENT_DIST && name !== "screenshots") yield* walkFiles(path);
  }
}

async function readRecord(folder: string): Promise<BuildRecord | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, ".build.json")));
  } catch {
    return undefined;
  }
}

async function areThere(folder: string, files: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    files.map((name) => Deno.stat(join(folder, name)).then(() => true, () => false)),
  );
  return files.length > 0 && found.every(Boolean);
}

/** Removes what neither this build nor the one before needs. */
async function keepOnly(folder: string, wanted: readonly string[]): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && !name.startsWith(".") && !wanted.includes(name)) await Deno.remove(join(folder, name));
  }
}

async function writeDurably(path: string, content: Uint8Array<ArrayBuffer> | string): Promise<void> {
  const temporary = `${path}.part`;
  await Deno.writeFile(temporary, typeof content === "string" ? Buffer.from(content) : content);
  await Deno.rename(temporary, path);
}

if (import.meta.main) {
  const { folder, isNew } = await buildClient();
  console.log(isNew ? `Built the client into ${folder}` : `The client in ${folder} is fresh`);
}
