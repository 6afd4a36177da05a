import { assertEquals } from "@std/assert/mod.js";
import { BUNDLED_TEMPLATES } from "./templates.ts";
import { templateJsonSchema, WorkflowTemplate } from "./manifest.ts";

const PUBLISHED = new URL("./template_schema.json", import.meta.url);

function anyTemplate(): WorkflowTemplate {
  const [template] = BUNDLED_TEMPLATES;
  if (!template) throw new Error("No template is bundled");
  return structuredClone(template);
}

/** Where `WorkflowTemplate` finds fault, as "a.b.c". */
function faults(template: unknown): string[] {
  const parsed = WorkflowTemplate.safeParse(template);
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

Deno.test("templateJsonSchema is what template_schema.json publishes", async () => {
  const schema = `${JSON.stringify(templateJsonSchema(), null, 2)}\n`;
  // Renew it with: deno test -A server/workflows/manifest_test.ts -- --renew
  if (Deno.args.includes("--renew")) await Deno.writeTextFile(PUBLISHED, schema);
  assertEquals(JSON.parse(await Deno.readTextFile(PUBLISHED)), JSON.parse(schema));
});

Deno.test("WorkflowTemplate names the place of a wrong entry", () => {
  const template = anyTemplate();
  const { manifest } = template;
  assertEquals(faults(template), []);
  assertEquals(faults({ ...template, manifest: { ...manifest, schemaVersion: 2 } }), [
    "manifest.schemaVersion",
  ]);
  assertEquals(faults({ ...template, manifest: { ...manifest, role: "video" } }), ["manifest.role"]);
  assertEquals(faults({ ...template, manifest: { ...manifest, bindings: { seed: { to: [] } } } }), [
    "manifest.bindings.seed.to",
  ]);
  assertEquals(faults({ ...template, manifest: { ...manifest, kobs: [] } }), ["manifest"]);
});
