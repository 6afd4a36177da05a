import { assertEquals } from "@std/assert/mod.js";
import { Validator } from "@seriousme/openapi-schema-validator";
import { testStudio } from "#server/testing/test_studio.ts";

Deno.test("/api/openapi.json of the whole app is an OpenAPI 3.1 document, by a public validator", async () => {
  await using studio = await testStudio();
  const document = await (await studio.app.request("/api/openapi.json")).json();
  const result = await new Validator().validate(document);
  assertEquals([result.valid, result.errors], [true, undefined]);
  assertEquals(document.openapi.slice(0, 3), "3.1");

  // The validator does see what is wrong.
  const [path] = Object.keys(document.paths);
  document.paths[path ?? ""].get = { responses: 7 };
  assertEquals((await new Validator().validate(document)).valid, false);
});
