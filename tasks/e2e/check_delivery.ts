import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { DemoResult } from "#tasks/demo/journey.ts";
import { findFaults } from "./json_schema.ts";

/** The metadata schemas as a studio serves them. */
export interface ServedSchemas {
  readonly character: unknown;
  readonly video: unknown;
}

/** The published schemas of the studio at `url`; whether they need a token is the studio's to say. */
export async function fetchSchemas(url: string, token: string): Promise<ServedSchemas> {
  const get = async (name: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/schemas/${name}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`The studio serves no schema ${name}: ${response.status}`);
    return await response.json();
  };
  return { character: await get("character_metadata"), video: await get("video_metadata") };
}

/** Everything wrong with the files that a demo left in its folder, as sentences. */
export async function checkDelivery(result: DemoResult, schemas: ServedSchemas): Promise<string[]> {
  const faults: string[] = [];
  for (const [name, path] of Object.entries(result.files)) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (!path.startsWith("/") || !info?.isFile || info.size === 0) {
      faults.push(`${name} is no file with content: ${path}`);
    }
  }
  if (faults.length > 0) return faults;
  const read = (name: string) => Deno.readTextFile(result.files[name] ?? "");
  faults.push(...compareSidecars(await read("csv"), await read("xml"), result));
  const folder = dirname(result.files.master ?? "");
  faults.push(...await checkManifest(folder, basename(result.files.master ?? "")));
  for (const kind of ["character", "video"] as const) {
    const document = JSON.parse(await read(kind));
    faults.push(...findFaults(schemas[kind], document).map((fault) => `${kind} metadata: ${fault}`));
  }
  return faults;
}

function compareSidecars(csv: string, xml: string, result: DemoResult): string[] {
  const faults: string[] = [];
  const [header = [], ...rows] = readCsv(csv);
  const document = readXml(xml);
  const items = document.filter((each) => each.path === "seedloop/items/item").length;
  if (rows.length !== items) faults.push(`the CSV has ${rows.length} rows and the XML ${items} items`);
  for (const [index, name] of header.entries()) {
    const inCsv = rows.map((row) => row[index] ?? "");
    const inXml = document.filter((each) => each.path === `seedloop/items/item/${name}`).map((each) =>
      each.text
    );
    if (JSON.stringify(inCsv) !== JSON.stringify(inXml)) {
      faults.push(`${name} is ${inCsv} in the CSV and ${inXml} in the XML`);
    }
  }
  const last = rows.at(-1) ?? [];
  const of = (name: string) => last[header.indexOf(name)];
  if (Number(of("rec_out_f")) !== result.frames) {
    faults.push(`the CSV ends at frame ${of("rec_out_f")}, not ${result.frames}`);
  }
  if (Number(of("fps_num")) !== result.rate.num || Number(of("fps_den")) !== result.rate.den) {
    faults.push(`the CSV's rate is ${of("fps_num")}/${of("fps_den")}`);
  }
  const frames = document.find((each) => each.path === "seedloop/master/frames")?.text;
  if (Number(frames) !== result.frames) faults.push(`the XML has ${frames} frames, not ${result.frames}`);
  return faults;
}

/** RFC 4180. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === ",") continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}

/** The elements of a document with their own text, by path. Throws on a tag that doesn't close. */
export function readXml(text: string): { path: string; text: string }[] {
  const found: { path: string; text: string }[] = [];
  const open: { name: string; text: string }[] = [];
  for (
    const [, end, name = "", attributes = "", isEmpty, words] of text.replace(/^<\?xml[^>]*\?>\s*/, "")
      .matchAll(
        /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/g,
      )
  ) {
    const top = open.at(-1);
    if (words !== undefined) {
      if (top) top.text += words;
    } else if (end) {
      if (top?.name !== name || attributes) {
        throw new SyntaxError(`The XML closes ${name} where ${top?.name} is open`);
      }
      found.push({ path: open.map((each) => each.name).join("/"), text: unescapeXml(top.text) });
      open.pop();
    } else if (isEmpty) found.push({ path: [...open.map((each) => each.name), name].join("/"), text: "" });
    else open.push({ name, text: "" });
  }
  if (open.length > 0 || found.length === 0) throw new SyntaxError("The XML is not closed");
  return found;
}

function unescapeXml(text: string): string {
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(/&(\w+);/g, (whole, name: string) => names[name] ?? whole);
}

async function checkManifest(folder: string, master: string): Promise<string[]> {
  const faults: string[] = [];
  const lines = (await Deno.readTextFile(join(folder, "MANIFEST.sha256"))).trim().split("\n");
  for (const line of lines) {
    const [hash, name = ""] = line.split(/ [ *]/);
    const bytes = await Deno.readFile(join(folder, name)).catch(() => undefined);
    if (!bytes) faults.push(`the manifest names ${name}, which is not there`);
    else if (createHash("sha256").update(bytes).digest("hex") !== hash) {
      faults.push(`${name} is not what the manifest says`);
    }
  }
  if (!lines.some((line) => line.endsWith(` ${master}`))) {
    faults.push("the manifest does not name the master");
  }
  return faults;
}
