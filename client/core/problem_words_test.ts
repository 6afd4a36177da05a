import { assertEquals, assertNotEquals } from "@std/assert/mod.js";
import * as z from "zod/mini";
import "#server/core/field_sentence.ts";
import { Name } from "#server/core/name.ts";
import { germanFault, germanProblem, knownSentences } from "./problem_words.ts";

/** The studio's code as it speaks: texts over several lines in one piece, `{}` for what is filled in. */
async function readSource(folder: URL): Promise<string> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) texts.push(await readSource(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
      texts.push(await Deno.readTextFile(new URL(name, folder)));
    }
  }
  return texts.join("\n").replaceAll(/["`] \+\s*["`]/g, "").replaceAll(/\$\{[^}]*\}/g, "{}");
}

Deno.test("germanProblem translates what the studio really says, and leaves the rest as it is", async () => {
  const source = await readSource(new URL(".", import.meta.resolve("#server/main.ts")));
  // A sentence of a unique index is put together of two.
  const joined = source.replaceAll(
    "Cannot save this: {}",
    "Cannot save this: another one with the same {} is there already",
  );
  assertEquals(knownSentences().filter((sentence) => !joined.includes(sentence)), []);
  for (const sentence of knownSentences()) {
    const said = sentence.replaceAll("{}", "X 1");
    assertNotEquals(germanProblem(said), said);
    assertEquals(/[{}]/.test(germanProblem(said)), false, sentence);
  }
  assertEquals(
    germanProblem("The hero is used by Clip 010, Clip 020: choose another hero for them first"),
    "Der Hero wird von Clip 010, Clip 020 gebraucht: wähle dort zuerst einen anderen",
  );
  assertEquals(germanProblem("The moon is full: wait"), "The moon is full: wait");
  assertEquals(
    germanProblem("Cannot accept the request: /body/name must not be empty (and 2 more, see fields)"),
    "So nimmt das Studio es nicht: „name“ darf nicht leer sein",
  );
});

Deno.test("germanFault translates what the studio says of fields that people fill in", () => {
  const wrong: [z.core.$ZodType, unknown][] = [
    [Name, ""],
    [Name, "x".repeat(200)],
    [Name, "a\u0007"],
    [Name, "a\u202e"],
    [z.object({ name: z.string() }), {}],
    [z.string().check(z.minLength(10)), "short"],
    [z.int().check(z.minimum(1)), 0],
    [z.int().check(z.maximum(10)), 12],
    [z.number().check(z.lt(1)), 1],
    [z.number().check(z.gt(1)), 1],
    [z.int().check(z.multipleOf(8)), 12],
    [z.int(), 0.5],
    [z.number(), "x"],
    [z.array(z.int()).check(z.maxLength(1)), [1, 2]],
  ];
  for (const [schema, value] of wrong) {
    const message = z.safeParse(schema, value).error?.issues[0]?.message ?? "";
    assertNotEquals(germanFault(message), message);
  }
  assertEquals(germanFault("must be at most 10, not 12"), "darf höchstens 10 sein, nicht 12");
  assertEquals(germanFault("must be blue"), "must be blue");
});
