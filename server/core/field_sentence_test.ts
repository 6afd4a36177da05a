import { assertEquals } from "@std/assert/mod.js";
import * as z from "zod/mini";
import "./field_sentence.ts";

function told(schema: z.core.$ZodType, value: unknown): string {
  return z.safeParse(schema, value).error?.issues[0]?.message ?? "";
}

Deno.test("fieldSentence says what is wrong and what would be right", () => {
  const cases: [z.core.$ZodType, unknown, string][] = [
    [z.object({ name: z.string() }), {}, "is missing: give a text"],
    [z.object({ kind: z.enum(["a", "b"]) }), {}, 'is missing: give one of "a", "b"'],
    [z.enum(["a", "b"]), "c", 'must be one of "a", "b", not "c"'],
    [z.literal(7), 8, "must be 7, not 8"],
    [z.string(), 3, "must be a text, not 3"],
    [z.string(), null, "must be a text, not null"],
    [z.int(), 0.5, "must be a whole number, not 0.5"],
    [z.number(), NaN, "must be a number, not NaN"],
    [z.boolean(), "yes", 'must be true or false, not "yes"'],
    [z.array(z.string()), {}, "must be a list, not an object"],
    [z.object({}), [], "must be an object, not a list"],
    [z.string().check(z.minLength(1)), "", "must not be empty"],
    [z.string().check(z.maxLength(3)), "four", "must have at most 3 characters, not 4"],
    [z.int().check(z.minimum(1)), 0, "must be at least 1, not 0"],
    [z.number().check(z.lt(1)), 1, "must be less than 1, not 1"],
    [z.array(z.int()).check(z.maxLength(1)), [1, 2], "must hold at most 1, not 2"],
    [z.uuid(), "x", 'must be an id (UUID), not "x"'],
    [z.string().check(z.regex(/^a+$/)), "b".repeat(99), "must be text that matches /^a+$/, not this text"],
    [z.int().check(z.multipleOf(8)), 12, "must be a multiple of 8, not 12"],
    [z.union([z.string(), z.number()]), true, "must be a text or a number, not true"],
    [z.strictObject({}), { x: 1 }, "has fields that it does not know: x. Leave them out"],
    [z.string("must be a name"), 3, "must be a name"],
  ];
  for (const [schema, value, sentence] of cases) assertEquals(told(schema, value), sentence);
});
