import { assertEquals } from "@std/assert/mod.js";
import { fromFileUrl, join } from "@std/path/mod.js";
import { importedPath, roleOf } from "./boundaries.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const KITS = new Set(["core", "db", "files", "http", "live", "testing"]);

/** Slice → slices whose services it calls. Contracts and pure files are words, not calls. */
async function sliceCalls(): Promise<Map<string, Set<string>>> {
  const calls = new Map<string, Set<string>>();
  for await (const slice of Deno.readDir(join(ROOT, "server"))) {
    if (!slice.isDirectory || KITS.has(slice.name)) continue;
    for await (const file of Deno.readDir(join(ROOT, "server", slice.name))) {
      const path = `server/${slice.name}/${file.name}`;
      if (!file.name.endsWith(".ts") || roleOf(path) === "test") continue;
      const source = await Deno.readTextFile(join(ROOT, path));
      for (
        const [, specifier = ""] of source.matchAll(/^(?:import|export)(?! type)[^;]*? from "([^"]+)"/gm)
      ) {
        const target = importedPath(path, specifier) ?? "";
        const other = /^server\/([^/]+)\//.exec(target)?.[1];
        const role = roleOf(target);
        if (
          !other || other === slice.name || KITS.has(other) || role === "contract" || role === "pure"
        ) continue;
        calls.set(slice.name, (calls.get(slice.name) ?? new Set()).add(other));
      }
    }
  }
  return calls;
}

/** A way from `slice` back to itself, or undefined. */
export function circleThrough(
  slice: string,
  calls: ReadonlyMap<string, ReadonlySet<string>>,
): string[] | undefined {
  const seen = new Set<string>();
  const paths: string[][] = [[slice]];
  for (let path = paths.shift(); path; path = paths.shift()) {
    for (const next of calls.get(path[path.length - 1] ?? "") ?? []) {
      if (next === slice) return [...path, next];
      if (!seen.has(next)) paths.push([...path, next]);
      seen.add(next);
    }
  }
  return undefined;
}

/** Calls that close a circle and are still to be turned into an event. The list only ever gets shorter. */
const KNOWN_BACKWARD_CALLS: readonly (readonly [string, string])[] = [];

Deno.test("the graph of slices has no circle but the known ones", async () => {
  const calls = await sliceCalls();
  for (const [from, to] of KNOWN_BACKWARD_CALLS) {
    assertEquals(
      calls.get(from)?.delete(to),
      true,
      `${from} → ${to} is mended: take it off KNOWN_BACKWARD_CALLS`,
    );
  }
  const circles = [...calls.keys()].map((slice) => circleThrough(slice, calls)).filter((circle) =>
    circle !== undefined
  );
  assertEquals(circles.map((circle) => circle.join(" → ")), []);
});

Deno.test("circleThrough finds a way back, and none where there is none", () => {
  const calls = new Map([["a", new Set(["b"])], ["b", new Set(["c", "d"])], ["d", new Set(["a"])]]);
  assertEquals(circleThrough("a", calls), ["a", "b", "d", "a"]);
  assertEquals(circleThrough("c", calls), undefined);
});
