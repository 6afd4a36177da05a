import { assertEquals } from "@std/assert/mod.js";
import type { RoleCode } from "#server/core/permissions.ts";
import { openBrowser } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenClip } from "#server/testing/clip_fixtures.ts";
import { cutProxy } from "#server/testing/cut_proxy.ts";
import { givenMember, givenProject } from "#server/testing/fixtures.ts";

/** The panels of each area of a clip's screen, from left to right and top to bottom, as each role first sees them. */
const OF_CLIP: Readonly<Partial<Record<RoleCode, string[]>>> = {
  admin: ["Outline", "Clip 010", "Timeline", "Clip settings"],
  creator: ["Outline", "Clip 010", "Timeline", "Clip settings"],
  reviewer: ["Outline, Clip settings", "Clip 010", "Timeline"],
};

Deno.test("each role finds its panels at a clip, and what still works when the studio is gone", async () => {
  await using world = await clientStudio();
  await using line = cutProxy(world.url);
  await using opened = await openBrowser();
  const { studio } = world;
  const project = await givenProject(studio);
  const clip = await givenClip(studio, { projectId: project.id });
  await studio.db`update clips set name = 'Clip 010' where id = ${clip.id}`;
  for (const role of ["admin", "creator", "reviewer"] as const) {
    const user = await world.person({ role, login: role });
    await givenMember(studio, project, user, role);
    const { page } = await opened.newPage({ viewport: { width: 1280, height: 720 }, locale: "en" });
    await page.goto(`${line.url}/projects/${project.id}/clips/${clip.id}`);
    await signInAs(page, user);
    await page.locator("st-area").getByText("Clip 010", { exact: true }).first().waitFor();
    const areas = await page.locator("st-area").evaluateAll((all) =>
      all.map((area) =>
        [...area.shadowRoot?.querySelectorAll("[role=tab]") ?? []].map((tab) => tab.textContent?.trim()).join(
          ", ",
        )
      )
    );
    assertEquals(areas, OF_CLIP[role], role);

    line.cut();
    const banner = page.locator("st-studio .silent");
    await banner.getByText("The studio does not answer").waitFor();
    await banner.getByText("What is on the screen stays and can be looked at").waitFor();
    // As it says: what is known stays, and the layout is one's own.
    await page.locator("st-area").getByText("Clip 010", { exact: true }).first().waitFor();
    await page.keyboard.press("Control+Space");
    await page.locator("st-area:visible").nth(1).waitFor({ state: "detached" });
    line.mend();
    await banner.waitFor({ state: "detached" });
    await page.context().close();
  }
});
