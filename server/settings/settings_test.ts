import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { testStudio } from "#server/testing/test_studio.ts";
import { getStudioTokens } from "./contract.ts";

const PATH = "/api/settings/tokens";
const colour = (lightness: number, chroma: number, hue: number) => ({
  $value: { colorSpace: "oklch", components: [lightness, chroma, hue] },
});

Deno.test("saveStudioTokens keeps a theme's tokens for everyone, with who and what before", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  assertEquals((await admin.get(PATH)).body, { themes: {}, changedAt: null, changedBy: null, css: "" });
  const themes = { dark: { color: { ion: colour(0.84, 0.13, 190) } } };
  const saved = await admin.put(PATH, { themes, basedOn: null });
  assertEquals([saved.status, saved.body.themes, saved.body.changedBy], [200, themes, admin.user?.login]);
  assertMatch(saved.body.css, /:root\[data-theme="dark"\] \{\s+--color-ion: oklch\(0\.84 0\.13 190\);\s+\}/);
  const reviewer = await studio.as("reviewer");
  assertEquals(await reviewer.call(getStudioTokens), saved.body);
  assertEquals((await reviewer.put(PATH, { themes: {}, basedOn: saved.body.changedAt })).status, 403);

  const reset = await admin.put(PATH, { themes: {}, basedOn: saved.body.changedAt });
  assertEquals([reset.status, reset.body.themes], [200, {}]);
  const { body } = await admin.get("/api/audit?action=settings.change");
  assertEquals(body.items.length, 2);
  assertEquals(body.items[0].facts, { code: "design.tokens", before: themes, hasLowContrast: false });
});

Deno.test("saveStudioTokens overwrites nothing that someone saved in between", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const save = (hue: number, basedOn: string | null) =>
    admin.put(PATH, { themes: { dark: { color: { ion: colour(0.84, 0.13, hue) } } }, basedOn });
  // Both at once from the same state: one of them must hear of the other.
  const answers = await Promise.all([save(190, null), save(195, null)]);
  assertEquals(answers.map(({ status }) => status).sort(), [200, 409]);
  const { body } = await admin.get(PATH);
  assertEquals((await save(200, body.changedAt)).status, 200);
  assertEquals((await save(205, body.changedAt)).status, 409);
});

Deno.test("saveStudioTokens names each wrong token and changes nothing", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const cases: readonly (readonly [themes: unknown, field: string, says: RegExp])[] = [
    [{ neon: {} }, "/body/themes/neon", /is no theme/],
    [
      { dark: { color: { ion: colour(2, 0.1, 200) } } },
      "/body/themes/dark/color/ion",
      /lightness from 0 to 1/,
    ],
    [
      { dark: { color: { ion: { $value: "{color.ion}" } } } },
      "/body/themes/dark/color/ion",
      /refers to itself/,
    ],
    [{ dark: { color: { ion: { $value: "{nothing}" } } } }, "/body/themes/dark/color/ion", /does not exist/],
    [
      { dark: { color: { ion: { $value: "{space.1}" } } } },
      "/body/themes/dark/color/ion",
      /one of dimension/,
    ],
    [{ dark: { space: { 1: { $value: "4px; } body { x: y" } } } }, "/body/themes/dark/space/1", /length/],
    [{ dark: { font: { ui: { $value: ['x"; } *{'] } } } }, "/body/themes/dark/font/ui", /names of fonts/],
    [
      { dark: { color: { glow: { $type: "color", ...colour(0.8, 0.1, 20) } } } },
      "/body/themes/dark/color/glow",
      /studio/,
    ],
    [{ light: { color: { text: colour(0.7, 0, 0) } } }, "/body/themes/light/color/text", /contrast of \d/],
  ];
  for (const [themes, field, says] of cases) {
    const { status, body } = await admin.put(PATH, { themes, basedOn: null });
    assertEquals(status, 400, JSON.stringify(themes));
    const fault = body.fields.find((one: { field: string }) => one.field === field);
    assert(fault && says.test(fault.message), `${field}: ${JSON.stringify(body.fields)}`);
  }
  assertEquals((await admin.get(PATH)).body.changedAt, null);
  const [, , , , , , , , [unreadable] = []] = cases;
  const wished = await admin.put(PATH, { themes: unreadable, basedOn: null, allowsLowContrast: true });
  assertEquals(wished.status, 200);
});

Deno.test("saveStudioTokens takes a studio's own colours to refer to", async () => {
  await using studio = await testStudio();
  const admin = await studio.as("admin");
  const themes = {
    dark: {
      studio: { $type: "color", brand: colour(0.84, 0.13, 150) },
      color: { ion: { $value: "{studio.brand}" } },
    },
  };
  assertEquals((await admin.put(PATH, { themes, basedOn: null })).status, 200);
});
